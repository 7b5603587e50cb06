#if defined(__x86_64__)

#include <immintrin.h>

#include "codes.h"

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) static inline

// Sums of 16 bits, from sums of whole words and those of their upper bytes: those of even bytes, then of odd ones, over
// both halves of the register.
AVX2_INLINE __m256i in_order(__m256i words, __m256i odd) {
  const __m256i even = _mm256_sub_epi16(words, _mm256_slli_epi16(odd, 8));
  const __m256i low = _mm256_permute2x128_si256(even, odd, 0x20), high = _mm256_permute2x128_si256(even, odd, 0x31);
  return _mm256_add_epi16(low, high);
}

// bounds[8 part...] from 8 of the sums.
AVX2_INLINE unsigned bounds_of(__m128i sums, __m256 scale, __m256 offset, __m256 base, __m256 least,
                               const float *added, const float *factors, float *bounds, __m256 before) {
  const __m256 total = _mm256_add_ps(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums)), before);
  const __m256 along = _mm256_fmadd_ps(total, scale, offset);
  const __m256 bound = _mm256_fmadd_ps(_mm256_loadu_ps(factors), along, _mm256_add_ps(_mm256_loadu_ps(added), base));
  _mm256_storeu_ps(bounds, bound);
  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(bound, least, _CMP_GE_OQ));
}

AVX2 size_t scan_codes_avx2(const kernels_code_query *query, const kernels_code_search *search, const uint8_t *groups,
                            size_t first, size_t end, kernels_code_hit *hits) {
  const size_t width = query->width, bytes = kernels_group_bytes(width), columns = width / 4;
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256 scale = _mm256_set1_ps(query->scale), offset = _mm256_set1_ps(query->offset + search->margin);
  const __m256 base = _mm256_set1_ps(search->base), least = _mm256_set1_ps(search->least);
  size_t count = 0;
  for (size_t index = first / KERNELS_GROUP_CODES; index * KERNELS_GROUP_CODES < end; index++) {
    const uint8_t *group = groups + index * bytes;
    const uint32_t *rows = group_rows(group, width);
    const uint32_t slots = wanted_slots(rows, slots_of_group(index, first, end), search);
    if (!slots) continue;
    float totals[KERNELS_GROUP_CODES] = {0};
    __m256i low = _mm256_setzero_si256(), high = low;
    for (size_t column = 0; column < columns;) {
      const size_t stop = columns - column < LOOKUPS_PER_SUM ? columns : column + LOOKUPS_PER_SUM;
      __m256i low_words = _mm256_setzero_si256(), low_odd = low_words, high_words = low_words, high_odd = low_words;
      for (; column < stop; column += 2) {
        const __m256i codes = _mm256_loadu_si256((const __m256i *)(const void *)(group + column * 16));
        const __m256i table = _mm256_loadu_si256((const __m256i *)(const void *)(query->tables + column * 16));
        const __m256i lower = _mm256_shuffle_epi8(table, _mm256_and_si256(codes, nibble));
        const __m256i upper =
            _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble));
        low_words = _mm256_add_epi16(low_words, lower);
        low_odd = _mm256_add_epi16(low_odd, _mm256_srli_epi16(lower, 8));
        high_words = _mm256_add_epi16(high_words, upper);
        high_odd = _mm256_add_epi16(high_odd, _mm256_srli_epi16(upper, 8));
      }
      low = in_order(low_words, low_odd);
      high = in_order(high_words, high_odd);
      if (column == columns) break;
      for (size_t part = 0; part < 4; part++) {
        const __m256i half = part < 2 ? low : high;
        const __m128i sums = part % 2 ? _mm256_extracti128_si256(half, 1) : _mm256_castsi256_si128(half);
        const __m256 total = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
        _mm256_storeu_ps(totals + 8 * part, _mm256_add_ps(_mm256_loadu_ps(totals + 8 * part), total));
      }
    }
    const float *added = group_sums(group, width), *factors = group_factors(group, width);
    float bounds[KERNELS_GROUP_CODES];
    uint32_t reached = 0;
    for (size_t part = 0; part < 4; part++) {
      const __m256i half = part < 2 ? low : high;
      const __m128i sums = part % 2 ? _mm256_extracti128_si256(half, 1) : _mm256_castsi256_si128(half);
      reached |= bounds_of(sums, scale, offset, base, least, added + 8 * part, factors + 8 * part, bounds + 8 * part,
                           _mm256_loadu_ps(totals + 8 * part))
                 << (8 * part);
    }
    count += take_hits(bounds, rows, slots & reached, search->row_limit, hits + count);
  }
  return count;
}

#endif
