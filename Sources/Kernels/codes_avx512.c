#if defined(__x86_64__)

#include <immintrin.h>

#include "codes.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

// Sums of 16 bits, from sums of whole words and those of their upper bytes: those of even bytes, then of odd ones, over
// the four quarters of the register.
AVX512_INLINE __m256i in_order(__m512i words, __m512i odd) {
  const __m512i even = _mm512_sub_epi16(words, _mm512_slli_epi16(odd, 8));
  const __m256i evens = _mm256_add_epi16(_mm512_castsi512_si256(even), _mm512_extracti64x4_epi64(even, 1));
  const __m256i odds = _mm256_add_epi16(_mm512_castsi512_si256(odd), _mm512_extracti64x4_epi64(odd, 1));
  return _mm256_add_epi16(_mm256_permute2x128_si256(evens, odds, 0x20), _mm256_permute2x128_si256(evens, odds, 0x31));
}

AVX512_INLINE __m512 floats_of(__m256i sums) { return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums)); }

// The sums of a group, of the first and the last 16 codes.
AVX512_INLINE void sums_of_group(const uint8_t *group, const uint8_t *tables, size_t columns, __m512 totals[2]) {
  const __m512i nibble = _mm512_set1_epi8(15);
  totals[0] = totals[1] = _mm512_setzero_ps();
  for (size_t column = 0; column < columns;) {
    const size_t stop = columns - column < LOOKUPS_PER_SUM ? columns : column + LOOKUPS_PER_SUM;
    __m512i low_words = _mm512_setzero_si512(), low_odd = low_words, high_words = low_words, high_odd = low_words;
    for (; column < stop; column += 4) {
      const __m512i codes = _mm512_loadu_si512(group + column * 16), table = _mm512_loadu_si512(tables + column * 16);
      const __m512i lower = _mm512_shuffle_epi8(table, _mm512_and_si512(codes, nibble));
      const __m512i upper = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble));
      low_words = _mm512_add_epi16(low_words, lower);
      low_odd = _mm512_add_epi16(low_odd, _mm512_srli_epi16(lower, 8));
      high_words = _mm512_add_epi16(high_words, upper);
      high_odd = _mm512_add_epi16(high_odd, _mm512_srli_epi16(upper, 8));
    }
    totals[0] = _mm512_add_ps(totals[0], floats_of(in_order(low_words, low_odd)));
    totals[1] = _mm512_add_ps(totals[1], floats_of(in_order(high_words, high_odd)));
  }
}

AVX512 size_t scan_codes_avx512(const kernels_code_query *query, const kernels_code_search *search,
                                const uint8_t *groups, size_t first, size_t end, kernels_code_hit *hits) {
  const size_t width = query->width, bytes = kernels_group_bytes(width);
  const __m512 scale = _mm512_set1_ps(query->scale), offset = _mm512_set1_ps(query->offset + search->margin);
  const __m512 base = _mm512_set1_ps(search->base), least = _mm512_set1_ps(search->least);
  size_t count = 0;
  for (size_t index = first / KERNELS_GROUP_CODES; index * KERNELS_GROUP_CODES < end; index++) {
    const uint8_t *group = groups + index * bytes;
    const uint32_t *rows = group_rows(group, width);
    const uint32_t slots = wanted_slots(rows, slots_of_group(index, first, end), search);
    if (!slots) continue;
    __m512 totals[2];
    sums_of_group(group, query->tables, width / 4, totals);
    const float *added = group_sums(group, width), *factors = group_factors(group, width);
    float bounds[KERNELS_GROUP_CODES];
    uint32_t reached = 0;
    for (size_t half = 0; half < 2; half++) {
      const __m512 along = _mm512_fmadd_ps(totals[half], scale, offset);
      const __m512 bound = _mm512_fmadd_ps(_mm512_loadu_ps(factors + 16 * half), along,
                                           _mm512_add_ps(_mm512_loadu_ps(added + 16 * half), base));
      _mm512_storeu_ps(bounds + 16 * half, bound);
      reached |= (uint32_t)_mm512_cmp_ps_mask(bound, least, _CMP_GE_OQ) << (16 * half);
    }
    count += take_hits(bounds, rows, slots & reached, search->row_limit, hits + count);
  }
  return count;
}

#endif
