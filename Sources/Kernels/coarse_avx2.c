#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))

#include "coarse_body.h"

#define UNROLLED _Pragma("clang loop unroll(full)")

void TARGET coarsen_avx2(kernels_scalar scalar, const void *restrict rows,
                         size_t row_count, size_t dimension, uint8_t *restrict groups) {
  coarsen_rows(scalar, rows, row_count, dimension, groups);
}

void TARGET coarsen_queries_avx2(const float *restrict queries, size_t query_count, size_t dimension,
                                 int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  coarsen_some_queries(queries, query_count, dimension, codes, coarse);
}

// A few queries with eight rows. Products of bytes with signs are those of the rows' magnitudes with queries that have
// the rows' signs too; two of them are at most 2 * 127 * 127, which 16 bits hold.
COARSE_INLINE void mark_half(const size_t height, const int8_t *codes, const kernels_coarse_reach *reaches,
                             const uint8_t *group, size_t quads, const float *along, const float *across,
                             uint16_t *marks, size_t shift) {
  const __m256i offset = _mm256_set1_epi8((char)128), ones = _mm256_set1_epi16(1);
  __m256i dots[4];
  UNROLLED for (size_t q = 0; q < height; q++) dots[q] = _mm256_setzero_si256();
#pragma clang loop unroll(disable)
  for (size_t quad = 0; quad < quads; quad++) {
    const __m256i rows = _mm256_xor_si256(_mm256_loadu_si256((const void *)(group + quad * 64)), offset);
    const __m256i sizes = _mm256_abs_epi8(rows);
    UNROLLED for (size_t q = 0; q < height; q++) {
      int32_t four;
      memcpy(&four, codes + (quad * TILE + q) * 4, 4);
      const __m256i pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(_mm256_set1_epi32(four), rows));
      dots[q] = _mm256_add_epi32(dots[q], _mm256_madd_epi16(pairs, ones));
    }
  }
  UNROLLED for (size_t q = 0; q < height; q++) {
    const __m256 least = _mm256_fmsub_ps(_mm256_set1_ps(reaches[q].along), _mm256_loadu_ps(along),
                                         _mm256_mul_ps(_mm256_set1_ps(reaches[q].across), _mm256_loadu_ps(across)));
    const int mark = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_cvtepi32_ps(dots[q]), least, _CMP_GE_OQ));
    marks[q * KERNELS_COARSE_GROUPS] |= (uint16_t)(mark << shift);
  }
}

// The products are of c itself: the queries' `start`, which takes out what was added to it, is not needed.
void TARGET coarse_mark_avx2(const int8_t *codes, const kernels_coarse_query *coarse,
                             const kernels_coarse_reach *reaches, size_t query_count, const uint8_t *groups,
                             size_t group_count, size_t dimension, coarse_marks *marks) {
  (void)coarse;
  const size_t width = kernels_coarse_width(dimension), bytes = kernels_coarse_group_bytes(dimension);
  for (size_t q = 0; q < query_count; q++) memset(marks->rows[q], 0, group_count * sizeof(uint16_t));
  for (size_t g = 0; g < group_count; g++) {
    const uint8_t *group = groups + g * bytes;
    for (size_t half = 0; half < 2; half++) {
      const float *along = coarse_along(group, width) + 8 * half, *across = coarse_across(group, width) + 8 * half;
      for (size_t q = 0; q < query_count;) {
        const size_t height = query_count - q >= 4 ? 4 : 1;
        if (height == 4) {
          mark_half(4, codes + 4 * q, reaches + q, group + 32 * half, width / 4, along, across,
                    &marks->rows[q][g], 8 * half);
        } else {
          mark_half(1, codes + 4 * q, reaches + q, group + 32 * half, width / 4, along, across,
                    &marks->rows[q][g], 8 * half);
        }
        q += height;
      }
    }
  }
}

#endif
