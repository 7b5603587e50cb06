#if defined(__x86_64__)

#include <immintrin.h>

#include "distance.h"

#define AVX2 __attribute__((target("avx2,fma")))
// A tile is written once and specialised by inlining with constant sizes, so that its sums stay in registers.
#define AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) static inline

enum { LANES = 8, MAX_TILE_QUERIES = 4, MAX_TILE_ROWS = 4 };

// All bits set in the first `count` lanes, count < 8.
AVX2_INLINE __m256i first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// ((0+4)+(2+6)) + ((1+5)+(3+7))
AVX2_INLINE float sum_of_lanes(__m256 lanes) {
  const __m128 fours = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  const __m128 pairs = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
  return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)));
}

// The dots of a few queries with a few rows. Each pair has one accumulator of its own, so its sum does not
// depend on the tile around it; that there are many pairs hides the latency of the multiply-add.
//
//   queries  [tile_queries, dimension]
//   dots     [tile_queries, stride]
//   norms2   [tile_rows], or NULL when they are known already
//   ahead    [tile_rows] rows to prefetch meanwhile, or NULL
AVX2_INLINE void tile(size_t tile_queries, size_t tile_rows, const float *queries, const float *const *rows,
                      size_t dimension, float *dots, size_t stride, float *norms2,
                      const float *const *ahead) {
  __m256 dot_sums[MAX_TILE_QUERIES][MAX_TILE_ROWS], norm_sums[MAX_TILE_ROWS];
  for (size_t r = 0; r < tile_rows; r++) {
    norm_sums[r] = _mm256_setzero_ps();
    for (size_t q = 0; q < tile_queries; q++) dot_sums[q][r] = _mm256_setzero_ps();
  }
  size_t i = 0;
  for (; i + LANES <= dimension; i += LANES) {
    __m256 row[MAX_TILE_ROWS];
    for (size_t r = 0; r < tile_rows; r++) {
      row[r] = _mm256_loadu_ps(rows[r] + i);
      if (ahead) _mm_prefetch((const char *)(ahead[r] + i), _MM_HINT_T0);
      if (norms2) norm_sums[r] = _mm256_fmadd_ps(row[r], row[r], norm_sums[r]);
    }
    for (size_t q = 0; q < tile_queries; q++) {
      const __m256 query = _mm256_loadu_ps(queries + q * dimension + i);
      for (size_t r = 0; r < tile_rows; r++) dot_sums[q][r] = _mm256_fmadd_ps(query, row[r], dot_sums[q][r]);
    }
  }
  // Outside of the loop, because the mask would cost it a register.
  if (i < dimension) {
    const __m256i mask = first_lanes(dimension - i);
    for (size_t r = 0; r < tile_rows; r++) {
      const __m256 row = _mm256_maskload_ps(rows[r] + i, mask);
      if (norms2) norm_sums[r] = _mm256_fmadd_ps(row, row, norm_sums[r]);
      for (size_t q = 0; q < tile_queries; q++) {
        const __m256 query = _mm256_maskload_ps(queries + q * dimension + i, mask);
        dot_sums[q][r] = _mm256_fmadd_ps(query, row, dot_sums[q][r]);
      }
    }
  }
  for (size_t r = 0; r < tile_rows; r++) {
    if (norms2) norms2[r] = sum_of_lanes(norm_sums[r]);
    for (size_t q = 0; q < tile_queries; q++) dots[q * stride + r] = sum_of_lanes(dot_sums[q][r]);
  }
}

// One query and the norms: four rows make eight accumulators. This is where a row comes from memory; asking
// for the next four rows meanwhile makes a scan of 100,000 x 384 a fifth faster (bench/scan/run).
AVX2 static void dots_and_norms(const float *query, const float *const *strip, size_t row_count,
                                size_t reachable, size_t dimension, float *dots, float *norms2) {
  size_t r = 0;
  for (; r + 4 <= row_count; r += 4) {
    const float *const *ahead = strip + (r + 4 + AHEAD_ROWS <= reachable ? r + 4 : r);
    tile(1, 4, query, strip + r, dimension, dots + r, 0, norms2 + r, ahead);
  }
  for (; r < row_count; r++) tile(1, 1, query, strip + r, dimension, dots + r, 0, norms2 + r, NULL);
}

// Up to four queries: three rows, because 4 x 3 sums, 3 rows and 1 query fill the sixteen registers.
AVX2_INLINE void dots_of(size_t query_count, const float *queries, const float *const *strip,
                         size_t row_count, size_t dimension, float *dots, size_t stride) {
  size_t r = 0;
  for (; r + 3 <= row_count; r += 3) {
    tile(query_count, 3, queries, strip + r, dimension, dots + r, stride, NULL, NULL);
  }
  for (; r < row_count; r++) {
    tile(query_count, 1, queries, strip + r, dimension, dots + r, stride, NULL, NULL);
  }
}

AVX2 static void dots_of_group(size_t query_count, const float *queries, const float *const *strip,
                               size_t row_count, size_t dimension, float *dots, size_t stride) {
  switch (query_count) {
    case 1: dots_of(1, queries, strip, row_count, dimension, dots, stride); return;
    case 2: dots_of(2, queries, strip, row_count, dimension, dots, stride); return;
    case 3: dots_of(3, queries, strip, row_count, dimension, dots, stride); return;
    case 4: dots_of(4, queries, strip, row_count, dimension, dots, stride); return;
  }
}

AVX2 void cosine_f32_avx2(const float *restrict queries, size_t query_count, const float *restrict rows,
                          const uint32_t *restrict slots, size_t row_count, size_t dimension,
                          float *restrict similarities) {
  if (query_count == 0) return;
  const float *strip[STRIP_ROWS + AHEAD_ROWS];
  float norms2[STRIP_ROWS];
  for (size_t first = 0; first < row_count; first += STRIP_ROWS) {
    const size_t reachable = cosine_f32_strip(rows, slots, first, row_count, dimension, strip);
    const size_t count = reachable < STRIP_ROWS ? reachable : STRIP_ROWS;
    float *dots = similarities + first;
    dots_and_norms(queries, strip, count, reachable, dimension, dots, norms2);
    for (size_t q = 1; q < query_count; q += MAX_TILE_QUERIES) {
      const size_t group = query_count - q < MAX_TILE_QUERIES ? query_count - q : MAX_TILE_QUERIES;
      dots_of_group(group, queries + q * dimension, strip, count, dimension, dots + q * row_count, row_count);
    }
    cosine_f32_finish(queries, query_count, strip, norms2, count, dimension, dots, row_count);
  }
}

#endif
