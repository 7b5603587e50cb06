#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#include "graph.h"

#define GRAPH_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define LANES 16
#define LARGEST(x) _mm512_reduce_max_ps((__m512)(x))
#define EQUAL(a, b) _mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_EQ_OQ)
#define SCAN_GROUP scan_group_avx512
#define BEGIN begin_graph_search_avx512
#define ADVANCE advance_graph_searches_avx512

GRAPH_TARGET static inline __m512i widened(const int8_t *steps) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)steps));
}

GRAPH_TARGET static inline int32_t query_product(size_t width, const int16_t *query, const int8_t *steps) {
  __m512i even = _mm512_setzero_si512(), odd = even;
  for (size_t i = 0; i < width; i += 64) {
    even = _mm512_add_epi32(even, _mm512_madd_epi16(widened(steps + i), _mm512_loadu_si512(query + i)));
    odd = _mm512_add_epi32(odd, _mm512_madd_epi16(widened(steps + i + 32), _mm512_loadu_si512(query + i + 32)));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

GRAPH_TARGET int32_t steps_product_avx512(size_t width, const int8_t *a, const int8_t *b) {
  __m512i even = _mm512_setzero_si512(), odd = even;
  for (size_t i = 0; i < width; i += 64) {
    even = _mm512_add_epi32(even, _mm512_madd_epi16(widened(a + i), widened(b + i)));
    odd = _mm512_add_epi32(odd, _mm512_madd_epi16(widened(a + i + 32), widened(b + i + 32)));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd));
}

#include "graph_body.h"

#endif
