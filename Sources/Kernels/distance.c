#define TARGET

#include "unit_body.h"

float cosine_in_double(kernels_scalar scalar, const float *query, const void *row, size_t dimension) {
  double dot = 0, norm2 = 0;
  for (size_t i = 0; i < dimension; i++) {
    const double x = stored_float(scalar, row, i);
    dot += query[i] * x;
    norm2 += x * x;
  }
  // Adding zero turns -0 into +0.
  return norm2 > 0 ? cosine_clamp((float)(dot / sqrt(norm2))) + 0.0f : 0;
}

// The sum of lanes as kernels_distance.h has it.
static float sum_of_lanes(float lanes[LANES]) {
  for (size_t half = LANES / 2; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// The products of a query with a row, or of the row with itself where there is no query, summed.
static float dot(const kernels_scalar scalar, const float *query, const void *row, size_t dimension) {
  float lanes[LANES] = {0};
  const size_t whole = dimension / LANES * LANES;
  for (size_t i = 0; i < dimension; i++) {
    const float x = stored_float(scalar, row, i);
    const size_t lane = i < whole ? i % LANES : LANES + i - dimension;
    lanes[lane] += (query ? query[i] : x) * x;
  }
  return sum_of_lanes(lanes);
}

DISTANCE_INLINE void cosine_of(const kernels_scalar scalar, const float *queries, size_t query_count,
                               const void *rows, const uint32_t *slots, size_t row_count, size_t dimension,
                               float *similarities) {
  strip strip;
  float dots[STRIP_ROWS], norms2[STRIP_ROWS];
  for (size_t first = 0; first < row_count; first += strip.height) {
    cosine_strip(scalar, rows, slots, first, row_count, 1, dimension, &strip);
    for (size_t r = 0; r < strip.height; r++) norms2[r] = dot(scalar, NULL, strip.rows[r], dimension);
    for (size_t q = 0; q < query_count; q++) {
      const float *query = queries + q * dimension;
      for (size_t r = 0; r < strip.height; r++) dots[r] = dot(scalar, query, strip.rows[r], dimension);
      cosine_finish(scalar, query, 1, &strip, norms2, dimension, dots, similarities + q * row_count, row_count);
    }
  }
}

static void cosine_f32(const float *restrict queries, size_t query_count, const void *restrict rows,
                       const uint32_t *restrict slots, size_t row_count, size_t dimension,
                       float *restrict similarities) {
  cosine_of(KERNELS_FLOAT32, queries, query_count, rows, slots, row_count, dimension, similarities);
}

static void cosine_f16(const float *restrict queries, size_t query_count, const void *restrict rows,
                       const uint32_t *restrict slots, size_t row_count, size_t dimension,
                       float *restrict similarities) {
  cosine_of(KERNELS_FLOAT16, queries, query_count, rows, slots, row_count, dimension, similarities);
}

static void cosine_bf16(const float *restrict queries, size_t query_count, const void *restrict rows,
                        const uint32_t *restrict slots, size_t row_count, size_t dimension,
                        float *restrict similarities) {
  cosine_of(KERNELS_BFLOAT16, queries, query_count, rows, slots, row_count, dimension, similarities);
}

static void cosine_i8(const float *restrict queries, size_t query_count, const void *restrict rows,
                      const uint32_t *restrict slots, size_t row_count, size_t dimension,
                      float *restrict similarities) {
  cosine_of(KERNELS_INT8, queries, query_count, rows, slots, row_count, dimension, similarities);
}

cosine *const cosine_portable[5] = {[KERNELS_FLOAT32] = cosine_f32,
                                   [KERNELS_FLOAT16] = cosine_f16,
                                   [KERNELS_BFLOAT16] = cosine_bf16,
                                   [KERNELS_INT8] = cosine_i8};

void cosine_of_rows_portable(kernels_scalar scalar, const float *restrict query, const void *const *restrict rows,
                             size_t row_count, size_t dimension, float *restrict similarities) {
  for (size_t r = 0; r < row_count; r++) {
    cosine_portable[scalar](query, 1, rows[r], NULL, 1, dimension, similarities + r);
  }
}

void kernels_cosine_of_rows(kernels_isa isa, kernels_scalar scalar, const float *restrict query,
                            const void *const *restrict rows, size_t row_count, size_t dimension,
                            float *restrict similarities) {
  cosine_of_rows *set = cosine_of_rows_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = cosine_of_rows_avx2;
  if (isa >= KERNELS_AVX512) set = cosine_of_rows_avx512;
#endif
  set(scalar, query, rows, row_count, dimension, similarities);
}

double scale_to_unit_portable(size_t count, const float *restrict vector, float *restrict unit) {
  return scale_numbers(count, vector, unit);
}

double kernels_scale_to_unit_on(kernels_isa isa, size_t count, const float *restrict vector, float *restrict unit) {
  scale_to_unit *set = scale_to_unit_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = scale_to_unit_avx2;
  if (isa >= KERNELS_AVX512) set = scale_to_unit_avx512;
#endif
  return set(count, vector, unit);
}

double kernels_scale_to_unit(size_t count, const float *restrict vector, float *restrict unit) {
  return kernels_scale_to_unit_on(kernels_active_isa(), count, vector, unit);
}

void kernels_cosine_on(kernels_isa isa, kernels_scalar scalar, const float *restrict queries, size_t query_count,
                       const void *restrict rows, const uint32_t *restrict slots, size_t row_count,
                       size_t dimension, float *restrict similarities) {
  cosine *const *set = cosine_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = cosine_avx2;
  if (isa >= KERNELS_AVX512) set = cosine_avx512;
#endif
  set[scalar](queries, query_count, rows, slots, row_count, dimension, similarities);
}

void kernels_cosine(kernels_scalar scalar, const float *restrict queries, size_t query_count,
                    const void *restrict rows, const uint32_t *restrict slots, size_t row_count, size_t dimension,
                    float *restrict similarities) {
  kernels_cosine_on(kernels_active_isa(), scalar, queries, query_count, rows, slots, row_count, dimension,
                    similarities);
}
