#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))
#define VNNI_INLINE VNNI __attribute__((always_inline)) static inline

#include "coarse_body.h"

#define UNROLLED _Pragma("clang loop unroll(full)")

void TARGET coarsen_avx512(kernels_scalar scalar, const void *restrict rows,
                           size_t row_count, size_t dimension, uint8_t *restrict groups) {
  coarsen_rows(scalar, rows, row_count, dimension, groups);
}

void TARGET coarsen_queries_avx512(const float *restrict queries, size_t query_count, size_t dimension,
                                   int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  coarsen_some_queries(queries, query_count, dimension, codes, coarse);
}

// A bit for each row of a group whose product with a query shows it to be within reach.
VNNI_INLINE uint16_t marked(__m512i dots, const kernels_coarse_reach *reach, const uint8_t *group, size_t width) {
  const __m512 across = _mm512_mul_ps(_mm512_set1_ps(reach->across), _mm512_loadu_ps(coarse_across(group, width)));
  const __m512 along = _mm512_loadu_ps(coarse_along(group, width));
  const __m512 least = _mm512_fmsub_ps(_mm512_set1_ps(reach->along), along, across);
  return _mm512_cmp_ps_mask(_mm512_cvtepi32_ps(dots), least, _CMP_GE_OQ);
}

// Adds the products of four numbers of a query with those of the rows of a group.
VNNI_INLINE __m512i add_quad(__m512i dots, const int8_t *codes, const uint8_t *group, size_t quad) {
  int32_t four;
  memcpy(&four, codes + quad * TILE * 4, 4);
  return _mm512_dpbusd_epi32(dots, _mm512_loadu_si512(group + quad * 64), _mm512_set1_epi32(four));
}

// A few queries with the rows of a group; the height is a constant wherever this is inlined.
VNNI_INLINE void mark_group(const size_t height, const int8_t *codes, const kernels_coarse_query *coarse,
                            const kernels_coarse_reach *reaches, const uint8_t *group, size_t width,
                            uint16_t *marks) {
  __m512i dots[TILE];
  UNROLLED for (size_t q = 0; q < height; q++) dots[q] = _mm512_set1_epi32(coarse[q].start);
#pragma clang loop unroll(disable)
  for (size_t quad = 0; quad < width / 4; quad++) {
    UNROLLED for (size_t q = 0; q < height; q++) dots[q] = add_quad(dots[q], codes + 4 * q, group, quad);
  }
  UNROLLED for (size_t q = 0; q < height; q++) {
    marks[q * KERNELS_COARSE_GROUPS] = marked(dots[q], reaches + q, group, width);
  }
}

// One query: this is where coarse vectors come from memory, which gives most when it is read in order.
VNNI_INLINE void mark_alone(const int8_t *codes, const kernels_coarse_query *coarse,
                            const kernels_coarse_reach *reaches, const uint8_t *group, size_t width,
                            uint16_t *marks) {
  enum { CHAINS = 4 };
  __m512i dots[CHAINS] = {_mm512_set1_epi32(coarse->start)};
  size_t quad = 0;
#pragma clang loop unroll(disable)
  for (; quad + CHAINS <= width / 4; quad += CHAINS) {
    UNROLLED for (size_t chain = 0; chain < CHAINS; chain++) {
      dots[chain] = add_quad(dots[chain], codes, group, quad + chain);
    }
  }
  for (; quad < width / 4; quad++) dots[0] = add_quad(dots[0], codes, group, quad);
  const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(dots[0], dots[1]), _mm512_add_epi32(dots[2], dots[3]));
  *marks = marked(sum, reaches, group, width);
}

void VNNI coarse_mark_avx512_vnni(const int8_t *codes, const kernels_coarse_query *coarse,
                                  const kernels_coarse_reach *reaches, size_t query_count, const uint8_t *groups,
                                  size_t group_count, size_t dimension, coarse_marks *marks) {
  const size_t width = kernels_coarse_width(dimension), bytes = kernels_coarse_group_bytes(dimension);
  for (size_t g = 0; g < group_count; g++) {
    const uint8_t *group = groups + g * bytes;
    size_t q = 0;
#define TAKE(height)                                                                                            \
  for (; q + height <= query_count; q += height) {                                                              \
    mark_group(height, codes + 4 * q, coarse + q, reaches + q, group, width, &marks->rows[q][g]);               \
  }
    TAKE(12) TAKE(6) TAKE(3)
#undef TAKE
    for (; q < query_count; q++) mark_alone(codes + 4 * q, coarse + q, reaches + q, group, width, &marks->rows[q][g]);
  }
}

#endif
