// How close the exact scan comes to the memory's own speed. Run by bench/scan/run; prints CSV.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels_distance.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static int ascending(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

enum { RUNS = 21 };

static double median(double times[RUNS]) {
  qsort(times, RUNS, sizeof *times, ascending);
  return times[RUNS / 2];
}

int main(int count, char **arguments) {
  const size_t rows = count > 1 ? strtoul(arguments[1], NULL, 10) : 100000;
  const size_t dimension = count > 2 ? strtoul(arguments[2], NULL, 10) : 384;
  const size_t bytes = rows * dimension * sizeof(float);
  enum { QUERIES = 32, BLOCK_ROWS = 128 };
  float *vectors = malloc(bytes), *copy = malloc(bytes);
  float *queries = malloc(QUERIES * dimension * sizeof(float));
  float *similarities = malloc(QUERIES * BLOCK_ROWS * sizeof(float));
  if (!vectors || !copy || !queries || !similarities) return 1;
  for (size_t i = 0; i < rows * dimension; i++) vectors[i] = (float)(rand() / (double)RAND_MAX - 0.5);
  for (size_t i = 0; i < QUERIES * dimension; i++) queries[i] = (float)(rand() / (double)RAND_MAX - 0.5);
  memset(copy, 0, bytes);

  // Copy and scans take turns, so that a noisy neighbour disturbs them alike.
  static const size_t batches[] = {1, 4, QUERIES};
  enum { BATCHES = sizeof batches / sizeof *batches };
  double copies[RUNS], scans[BATCHES][RUNS];
  volatile float sink = 0;
  for (int run = 0; run < RUNS; run++) {
    double start = seconds();
    memcpy(copy, vectors, bytes);
    copies[run] = seconds() - start;
    sink += copy[rand() % (rows * dimension)];
    for (int batch = 0; batch < BATCHES; batch++) {
      start = seconds();
      for (size_t first = 0; first < rows; first += BLOCK_ROWS) {
        const size_t height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        kernels_cosine_f32(queries, batches[batch], vectors + first * dimension, NULL, height, dimension,
                           similarities);
        sink += similarities[0];
      }
      scans[batch][run] = seconds() - start;
    }
  }
  const double copy_rate = 2 * bytes / median(copies) / 1e9;
  printf("isa,rows,dimension,what,queries,milliseconds,GB_per_s,share_of_memcpy,queries_per_s\n");
  printf("%s,%zu,%zu,memcpy (read + write),,%.2f,%.1f,1.00,\n", kernels_isa_name(kernels_active_isa()), rows,
         dimension, 1e3 * median(copies), copy_rate);
  for (int batch = 0; batch < BATCHES; batch++) {
    const double time = median(scans[batch]);
    const double rate = bytes / time / 1e9;
    printf("%s,%zu,%zu,scan,%zu,%.2f,%.1f,%.2f,%.0f\n", kernels_isa_name(kernels_active_isa()), rows, dimension,
           batches[batch], 1e3 * time, rate, rate / copy_rate, batches[batch] / time);
  }
  free(vectors);
  free(copy);
  free(queries);
  free(similarities);
  return 0;
}
