#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#include "graph.h"

#define GRAPH_TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define LARGEST(x) largest_of(x)
#define EQUAL(a, b) (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_EQ_OQ))
#define SCAN_GROUP scan_group_avx2
#define BEGIN begin_graph_search_avx2
#define ADVANCE advance_graph_searches_avx2

GRAPH_TARGET static inline __m256i widened(const int8_t *steps) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)steps));
}

GRAPH_TARGET static inline int32_t sum_of(__m256i sums) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  half = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
  return _mm_cvtsi128_si32(half) + _mm_extract_epi32(half, 1);
}

GRAPH_TARGET static inline float largest_of(__m256 x) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}

GRAPH_TARGET static inline int32_t query_product(size_t width, const int16_t *query, const int8_t *steps) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (size_t i = 0; i < width; i += 32) {
    const __m256i *q = (const __m256i *)(const void *)(query + i);
    even = _mm256_add_epi32(even, _mm256_madd_epi16(widened(steps + i), _mm256_loadu_si256(q)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(widened(steps + i + 16), _mm256_loadu_si256(q + 1)));
  }
  return sum_of(_mm256_add_epi32(even, odd));
}

GRAPH_TARGET int32_t steps_product_avx2(size_t width, const int8_t *a, const int8_t *b) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (size_t i = 0; i < width; i += 32) {
    even = _mm256_add_epi32(even, _mm256_madd_epi16(widened(a + i), widened(b + i)));
    odd = _mm256_add_epi32(odd, _mm256_madd_epi16(widened(a + i + 16), widened(b + i + 16)));
  }
  return sum_of(_mm256_add_epi32(even, odd));
}

#include "graph_body.h"

#endif
