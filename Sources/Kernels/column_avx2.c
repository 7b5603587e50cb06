#if defined(__x86_64__)

#include <immintrin.h>

#include "column.h"

enum { LANES = 4, WORD_BITS = 64 };

__attribute__((target("avx2,fma"))) void f64_between_avx2(const double *restrict x, size_t count, double least,
                                                          double greatest, uint64_t *restrict bits) {
  const __m256d low = _mm256_set1_pd(least), high = _mm256_set1_pd(greatest);
  const size_t whole = count - count % WORD_BITS;
  for (size_t first = 0; first < whole; first += WORD_BITS) {
    uint64_t word = 0;
    for (size_t i = 0; i < WORD_BITS; i += LANES) {
      const __m256d numbers = _mm256_loadu_pd(x + first + i);
      const __m256d within = _mm256_and_pd(_mm256_cmp_pd(low, numbers, _CMP_LE_OQ),
                                           _mm256_cmp_pd(numbers, high, _CMP_LE_OQ));
      word |= (uint64_t)(unsigned)_mm256_movemask_pd(within) << i;
    }
    bits[first / WORD_BITS] = word;
  }
  f64_between_portable(x + whole, count - whole, least, greatest, bits + whole / WORD_BITS);
}

#endif
