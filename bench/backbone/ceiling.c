// The multiply-adds a second that this machine's vector units give when nothing but registers is touched:
//
//   ceiling THREADS [SECONDS]
//
// prints one JSON object: thousands of millions of multiply-adds a second in float32 (FMA), bfloat16 (VDPBF16PS)
// and int8 (VPDPBUSD), null where the processor lacks the instruction, as all do that are not x86-64. The best of
// several stretches counts.
#include <stdio.h>

#if !defined(__x86_64__)

int main(void) {
  printf("{\"float32\": null, \"bfloat16\": null, \"int8\": null}\n");
  return 0;
}

#else

#include <immintrin.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 12, TURNS = 40000, THREAD_LIMIT = 256 };

// Each loop runs CHAINS independent multiply-adds a turn: latency times ports is at most 10, and AVX2 has 16 registers.
// The factors pass through an empty asm, so that the compiler knows nothing of them.
#define UNROLLED _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++)
#define LOOP(NAME, TARGET, VECTOR, ZERO, FACTOR, STEP)      \
  __attribute__((target(TARGET))) static void NAME(void) {  \
    VECTOR sums[CHAINS], x = FACTOR, y = FACTOR;            \
    UNROLLED sums[i] = ZERO;                                \
    for (int turn = 0; turn < TURNS; turn++) {              \
      __asm__ volatile("" : "+v"(x), "+v"(y));              \
      UNROLLED sums[i] = STEP;                              \
    }                                                       \
    UNROLLED __asm__ volatile("" ::"v"(sums[i]));           \
  }

LOOP(fma_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_set1_ps(0x1p-60f), _mm256_fmadd_ps(x, y, sums[i]))
LOOP(fma_avx512, "avx512f", __m512, _mm512_setzero_ps(), _mm512_set1_ps(0x1p-60f), _mm512_fmadd_ps(x, y, sums[i]))
LOOP(bf16_avx512, "avx512f,avx512bw,avx512vl,avx512bf16", __m512, _mm512_setzero_ps(), _mm512_setzero_ps(),
     _mm512_dpbf16_ps(sums[i], (__m512bh)x, (__m512bh)y))
LOOP(int8_avx512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), _mm512_set1_epi8(1),
     _mm512_dpbusd_epi32(sums[i], x, y))
LOOP(int8_avx2, "avx2,avxvnni", __m256i, _mm256_setzero_si256(), _mm256_set1_epi8(1),
     _mm256_dpbusd_avx_epi32(sums[i], x, y))

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

typedef struct {
  void (*loop)(void);
  double seconds;
  long calls;
} work;

static void *repeat(void *argument) {
  work *mine = argument;
  double end = now() + mine->seconds;
  do {
    mine->loop();
    mine->calls++;
  } while (now() < end);
  return NULL;
}

// Multiply-adds a second over all threads, in 10^9. `lanes` are those of one instruction.
static double rate(void (*loop)(void), int lanes, int threads, double seconds) {
  double best = 0;
  for (int stretch = 0; stretch < 5; stretch++) {
    static work works[THREAD_LIMIT];
    static pthread_t handles[THREAD_LIMIT];
    double start = now();
    long calls = 0;
    for (int i = 0; i < threads; i++) {
      works[i] = (work){loop, seconds / 5, 0};
      if (pthread_create(&handles[i], NULL, repeat, &works[i]) != 0) exit(71);
    }
    for (int i = 0; i < threads; i++) {
      pthread_join(handles[i], NULL);
      calls += works[i].calls;
    }
    double found = (double)calls * TURNS * CHAINS * lanes / (now() - start) / 1e9;
    if (found > best) best = found;
  }
  return best;
}

static void show(const char *name, void (*loop)(void), int lanes, int threads, double seconds, const char *end) {
  if (loop) {
    printf("\"%s\": %.2f%s", name, rate(loop, lanes, threads, seconds), end);
  } else {
    printf("\"%s\": null%s", name, end);
  }
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 1;
  double seconds = count > 2 ? atof(arguments[2]) : 0.5;
  if (threads < 1 || threads > THREAD_LIMIT) return 64;
  __builtin_cpu_init();
  int wide = __builtin_cpu_supports("avx512f");
  printf("{");
  if (wide) {
    show("float32", fma_avx512, 16, threads, seconds, ", ");
  } else {
    show("float32", __builtin_cpu_supports("fma") ? fma_avx2 : NULL, 8, threads, seconds, ", ");
  }
  show("bfloat16", __builtin_cpu_supports("avx512bf16") ? bf16_avx512 : NULL, 32, threads, seconds, ", ");
  if (__builtin_cpu_supports("avx512vnni")) {
    show("int8", int8_avx512, 64, threads, seconds, "}\n");
  } else {
    show("int8", __builtin_cpu_supports("avxvnni") ? int8_avx2 : NULL, 32, threads, seconds, "}\n");
  }
  return 0;
}

#endif
