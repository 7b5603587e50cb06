// How close the exact scan comes to the speed at which memory can be read. Run by bench/scan/run; prints CSV.
//
// A round measures every loop once, so that a busy neighbour disturbs all alike; rates are medians over the rounds, by
// the processor time of the threads, in which other processes count only for what they take from memory. The rates of
// threads are added.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <xxhash.h>

#include "kernels_distance.h"
#include "reading.h"

enum { ROUNDS = 15, THREADS = 2, BLOCK_BYTES = 64 * 4096 - 64, MOST_QUERIES = 32 };

static const size_t batches[] = {1, 4, MOST_QUERIES};
// Behind the readers and the batches: one query, and the checksum of each block while it is in the cache.
enum { BATCHES = sizeof batches / sizeof *batches, VERIFIED = READERS + BATCHES, LOOPS = VERIFIED + 1 };

static const char *const names[] = {[KERNELS_FLOAT32] = "float32",
                                    [KERNELS_FLOAT16] = "float16",
                                    [KERNELS_BFLOAT16] = "bfloat16",
                                    [KERNELS_INT8] = "int8"};

// One thread's share of a measurement.
typedef struct {
  kernels_scalar scalar;
  const char *vectors;
  size_t rows, dimension;
  const float *queries;
  pthread_barrier_t *start;
  double rates[LOOPS][ROUNDS];
  double sink;
} share;

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

// As a search does it, block by block, or as one would that verifies the vectors.
static double scan(const share *work, size_t query_count, bool is_verified, float *similarities) {
  const size_t row_bytes = kernels_vector_bytes(work->scalar, work->dimension), block = BLOCK_BYTES / row_bytes;
  double sum = 0;
  for (size_t first = 0; first < work->rows; first += block) {
    const size_t height = work->rows - first < block ? work->rows - first : block;
    kernels_cosine(work->scalar, work->queries, query_count, work->vectors + first * row_bytes, NULL, height,
                   work->dimension, similarities);
    sum += similarities[0];
    if (is_verified) sum += (double)(XXH3_64bits(work->vectors + first * row_bytes, height * row_bytes) & 1);
  }
  return sum;
}

static void *run(void *argument) {
  share *work = argument;
  const size_t row_bytes = kernels_vector_bytes(work->scalar, work->dimension), bytes = work->rows * row_bytes;
  float *similarities = malloc(MOST_QUERIES * (BLOCK_BYTES / row_bytes) * sizeof(float));
  if (!similarities) abort();
  for (int round = 0; round < ROUNDS; round++) {
    for (int loop = 0; loop < LOOPS; loop++) {
      pthread_barrier_wait(work->start);
      const double start = processor_seconds();
      if (loop < READERS) {
        work->sink += readers[loop](work->vectors, bytes);
      } else {
        work->sink += scan(work, loop == VERIFIED ? 1 : batches[loop - READERS], loop == VERIFIED, similarities);
      }
      work->rates[loop][round] = bytes / (processor_seconds() - start) / 1e9;
    }
  }
  free(similarities);
  return NULL;
}

static int ascending(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

// The median rate of a loop, the threads' rates added round by round.
static double median(share *shares, int threads, int loop) {
  double rates[ROUNDS] = {0};
  for (int thread = 0; thread < threads; thread++) {
    for (int round = 0; round < ROUNDS; round++) rates[round] += shares[thread].rates[loop][round];
  }
  qsort(rates, ROUNDS, sizeof *rates, ascending);
  return rates[ROUNDS / 2];
}

static void measure(kernels_scalar scalar, const char *vectors, size_t rows, size_t dimension, const float *queries,
                    int threads) {
  pthread_barrier_t start;
  pthread_barrier_init(&start, NULL, (unsigned)threads);
  share shares[THREADS] = {0};
  pthread_t handles[THREADS];
  const size_t row_bytes = kernels_vector_bytes(scalar, dimension);
  for (int thread = 0; thread < threads; thread++) {
    const size_t first = rows * (size_t)thread / (size_t)threads;
    shares[thread] = (share){.scalar = scalar, .vectors = vectors + first * row_bytes, .dimension = dimension,
                             .rows = rows * (size_t)(thread + 1) / (size_t)threads - first,
                             .queries = queries, .start = &start};
    if (pthread_create(&handles[thread], NULL, run, &shares[thread])) abort();
  }
  for (int thread = 0; thread < threads; thread++) pthread_join(handles[thread], NULL);
  double fastest = 0;
  for (int loop = 0; loop < READERS; loop++) {
    const double rate = median(shares, threads, loop);
    if (rate > fastest) fastest = rate;
  }
  printf("%s,%s,%zu,%zu,%d,read,,%.1f,1.00,\n", kernels_isa_name(kernels_active_isa()), names[scalar], rows,
         dimension, threads, fastest);
  for (int loop = READERS; loop < LOOPS; loop++) {
    const double rate = median(shares, threads, loop);
    const size_t query_count = loop == VERIFIED ? 1 : batches[loop - READERS];
    printf("%s,%s,%zu,%zu,%d,%s,%zu,%.1f,%.2f,%.0f\n", kernels_isa_name(kernels_active_isa()), names[scalar], rows,
           dimension, threads, loop == VERIFIED ? "scan+checksum" : "scan", query_count, rate, rate / fastest,
           query_count * rate * 1e9 / (double)(rows * row_bytes));
  }
  pthread_barrier_destroy(&start);
}

int main(int count, char **arguments) {
  const size_t rows = count > 1 ? strtoul(arguments[1], NULL, 10) : 100000;
  const size_t dimension = count > 2 ? strtoul(arguments[2], NULL, 10) : 384;
  const size_t bytes = rows * dimension * sizeof(float);
  float *queries = malloc(MOST_QUERIES * dimension * sizeof(float)), *row = malloc(dimension * sizeof(float));
  // Readers fetch a little beyond the end. Pages of 4 KiB, as those of the database's map are.
  char *vectors = mmap(NULL, bytes + (1 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!queries || !row || vectors == MAP_FAILED) return 1;
  madvise(vectors, bytes + (1 << 20), MADV_NOHUGEPAGE);
  for (size_t i = 0; i < MOST_QUERIES * dimension; i++) queries[i] = (float)(rand() / (double)RAND_MAX - 0.5);
  printf("isa,type,rows,dimension,threads,what,queries,GB_per_s,share_of_reading,queries_per_s\n");
  for (kernels_scalar scalar = KERNELS_FLOAT32; scalar <= KERNELS_INT8; scalar++) {
    const size_t row_bytes = kernels_vector_bytes(scalar, dimension);
    for (size_t r = 0; r < rows; r++) {
      for (size_t i = 0; i < dimension; i++) row[i] = (float)(rand() / (double)RAND_MAX - 0.5);
      kernels_narrow(scalar, row, 1, dimension, vectors + r * row_bytes);
    }
    for (int threads = 1; threads <= THREADS; threads++) measure(scalar, vectors, rows, dimension, queries, threads);
  }
  munmap(vectors, bytes + (1 << 20));
  free(queries);
  free(row);
  return 0;
}
