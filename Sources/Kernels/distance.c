#include <math.h>

#include "distance.h"

static inline float clamp(float similarity) {
  similarity = similarity > 1 ? 1 : similarity;
  return similarity < -1 ? -1 : similarity;
}

static float cosine_f32_in_double(const float *query, const float *row, size_t dimension) {
  double dot = 0, norm2 = 0;
  for (size_t i = 0; i < dimension; i++) {
    dot += (double)query[i] * row[i];
    norm2 += (double)row[i] * row[i];
  }
  return norm2 > 0 ? clamp((float)(dot / sqrt(norm2))) : 0;
}

void cosine_f32_finish(const float *restrict queries, size_t query_count, const float *const *strip,
                       const float *restrict norms2, size_t row_count, size_t dimension,
                       float *restrict similarities, size_t stride) {
  float norms[STRIP_ROWS];
  for (size_t r = 0; r < row_count; r++) norms[r] = sqrtf(norms2[r]);
  for (size_t q = 0; q < query_count; q++) {
    float *of_query = similarities + q * stride;
    // Adding zero turns -0 into +0.
    for (size_t r = 0; r < row_count; r++) of_query[r] = clamp(of_query[r] / norms[r]) + 0.0f;
  }
  for (size_t r = 0; r < row_count; r++) {
    if (norms2[r] >= 0x1p-100f && norms2[r] <= 0x1p120f) continue;
    for (size_t q = 0; q < query_count; q++) {
      similarities[q * stride + r] = cosine_f32_in_double(queries + q * dimension, strip[r], dimension) + 0.0f;
    }
  }
}

enum { LANES = 8 };

static float dot_portable(const float *a, const float *b, size_t dimension) {
  float lanes[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= dimension; i += LANES) {
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (size_t lane = 0; i + lane < dimension; lane++) lanes[lane] += a[i + lane] * b[i + lane];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

void cosine_f32_portable(const float *restrict queries, size_t query_count, const float *restrict rows,
                         const uint32_t *restrict slots, size_t row_count, size_t dimension,
                         float *restrict similarities) {
  const float *strip[STRIP_ROWS + AHEAD_ROWS];
  float norms2[STRIP_ROWS];
  for (size_t first = 0; first < row_count; first += STRIP_ROWS) {
    const size_t reachable = cosine_f32_strip(rows, slots, first, row_count, dimension, strip);
    const size_t count = reachable < STRIP_ROWS ? reachable : STRIP_ROWS;
    for (size_t r = 0; r < count; r++) {
      norms2[r] = dot_portable(strip[r], strip[r], dimension);
      for (size_t q = 0; q < query_count; q++) {
        similarities[q * row_count + first + r] = dot_portable(queries + q * dimension, strip[r], dimension);
      }
    }
    cosine_f32_finish(queries, query_count, strip, norms2, count, dimension, similarities + first, row_count);
  }
}

void kernels_cosine_f32_on(kernels_isa isa, const float *restrict queries, size_t query_count,
                           const float *restrict rows, const uint32_t *restrict slots, size_t row_count,
                           size_t dimension, float *restrict similarities) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) {
    cosine_f32_avx2(queries, query_count, rows, slots, row_count, dimension, similarities);
    return;
  }
#endif
  cosine_f32_portable(queries, query_count, rows, slots, row_count, dimension, similarities);
}

void kernels_cosine_f32(const float *restrict queries, size_t query_count, const float *restrict rows,
                        const uint32_t *restrict slots, size_t row_count, size_t dimension,
                        float *restrict similarities) {
  kernels_cosine_f32_on(kernels_active_isa(), queries, query_count, rows, slots, row_count, dimension,
                        similarities);
}
