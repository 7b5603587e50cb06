#define NAME distances_portable
#define TARGET
#define MULTIPLY_ADD(a, b, sum) ((a) * (b) + (sum))

#include "metric_body.h"

#include <float.h>

float distance_in_double(kernels_metric metric, const float *query, const float *row, size_t dimension) {
  double sum = 0;
  for (size_t i = 0; i < dimension; i++) {
    const double difference = (double)query[i] - row[i];
    sum += metric == KERNELS_DOT ? (double)query[i] * row[i] : difference * difference;
  }
  const double value = metric == KERNELS_DOT ? sum : sqrt(sum);
  // Adding zero turns -0 into +0.
  return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : (float)value + 0.0f;
}

void kernels_distances_on(kernels_isa isa, kernels_metric metric, kernels_scalar scalar,
                          const float *restrict queries, size_t query_count, const void *restrict rows,
                          const uint32_t *restrict slots, size_t row_count, size_t dimension,
                          float *restrict values) {
  distances *set = distances_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = distances_avx2;
  if (isa >= KERNELS_AVX512) set = distances_avx512;
#endif
  set(metric, scalar, queries, query_count, rows, slots, row_count, dimension, values);
}

void kernels_distances(kernels_metric metric, kernels_scalar scalar, const float *restrict queries,
                       size_t query_count, const void *restrict rows, const uint32_t *restrict slots,
                       size_t row_count, size_t dimension, float *restrict values) {
  kernels_distances_on(kernels_active_isa(), metric, scalar, queries, query_count, rows, slots, row_count, dimension,
                       values);
}
