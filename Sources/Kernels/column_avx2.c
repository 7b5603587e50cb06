#if defined(__x86_64__)

#include <immintrin.h>

#include "column.h"

enum { LANES = 4, WORD_BITS = 64, REGISTERS = 4 };

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

// A value is spread over a register once for 16 numbers.
__attribute__((target("avx2,fma"))) void f64_among_avx2(const double *restrict x, size_t count,
                                                        const double *restrict values, size_t value_count,
                                                        uint64_t *restrict bits) {
  const size_t whole = count - count % WORD_BITS;
  for (size_t first = 0; first < whole; first += WORD_BITS) {
    uint64_t word = 0;
    for (size_t i = 0; i < WORD_BITS; i += REGISTERS * LANES) {
      __m256d numbers[REGISTERS], found[REGISTERS];
      for (size_t r = 0; r < REGISTERS; r++) {
        numbers[r] = _mm256_loadu_pd(x + first + i + r * LANES);
        found[r] = _mm256_setzero_pd();
      }
      for (size_t v = 0; v < value_count; v++) {
        const __m256d value = _mm256_broadcast_sd(values + v);
        for (size_t r = 0; r < REGISTERS; r++) {
          found[r] = _mm256_or_pd(found[r], _mm256_cmp_pd(numbers[r], value, _CMP_EQ_OQ));
        }
      }
      for (size_t r = 0; r < REGISTERS; r++) {
        word |= (uint64_t)(unsigned)_mm256_movemask_pd(found[r]) << (i + r * LANES);
      }
    }
    bits[first / WORD_BITS] = word;
  }
  f64_among_portable(x + whole, count - whole, values, value_count, bits + whole / WORD_BITS);
}

#endif
