// The body of kernels_distances, compiled by the files metric*.c. They define
//
//   NAME                     the name of the function
//   TARGET                   the target attribute of an instruction set
//   MULTIPLY_ADD(a, b, sum)  of floats

#include <math.h>
#include <string.h>

#include "lanes.h"
#include "metric.h"

#define METRIC_INLINE TARGET __attribute__((always_inline)) static inline
#define UNROLLED _Pragma("clang loop unroll(full)")

enum { LANES = 16, CHAINS = 4 };

// Adds the terms of sixteen numbers.
METRIC_INLINE void add(const kernels_metric metric, const float *query, const float *row, sixteen_floats *sums) {
  const sixteen_floats q = *(const sixteen_floats_in_memory *)query, x = *(const sixteen_floats_in_memory *)row;
  if (metric == KERNELS_DOT) {
    *sums = MULTIPLY_ADD(q, x, *sums);
  } else {
    const sixteen_floats difference = q - x;
    *sums = MULTIPLY_ADD(difference, difference, *sums);
  }
}

METRIC_INLINE float distance_of(const kernels_metric metric, const float *query, const float *row, size_t dimension) {
  sixteen_floats sums[CHAINS] = {};
  size_t i = 0;
  for (; i + CHAINS * LANES <= dimension; i += CHAINS * LANES) {
    UNROLLED for (size_t chain = 0; chain < CHAINS; chain++) {
      add(metric, query + i + chain * LANES, row + i + chain * LANES, &sums[chain]);
    }
  }
  size_t chain = 0;
  for (; i + LANES <= dimension; i += LANES) add(metric, query + i, row + i, &sums[chain++]);
  if (i < dimension) {
    float last[2][LANES] = {};
    memcpy(last[0], query + i, (dimension - i) * sizeof(float));
    memcpy(last[1], row + i, (dimension - i) * sizeof(float));
    add(metric, last[0], last[1], &sums[chain]);
  }
  const sixteen_floats all = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  const float sum = sum_of_lanes(&all);
  const int is_exact = sum < 0x1p120f && sum > -0x1p120f && (metric == KERNELS_DOT || sum >= 0x1p-100f);
  if (!is_exact) return distance_in_double(metric, query, row, dimension);
  // Adding zero turns -0 into +0.
  return metric == KERNELS_DOT ? sum + 0.0f : sqrtf(sum);
}

METRIC_INLINE void distances_of(const kernels_metric metric, kernels_scalar scalar, const float *restrict queries,
                                size_t query_count, const void *restrict rows, const uint32_t *restrict slots,
                                size_t row_count, size_t dimension, float *restrict values) {
  float widened[KERNELS_MOST_NUMBERS];
  const size_t bytes = kernels_vector_bytes(scalar, dimension);
  for (size_t r = 0; r < row_count; r++) {
    const void *stored = (const char *)rows + (slots ? slots[r] : r) * bytes;
    const float *row = stored;
    if (scalar != KERNELS_FLOAT32) {
      kernels_widen(scalar, stored, dimension, widened);
      row = widened;
    }
    for (size_t q = 0; q < query_count; q++) {
      values[q * row_count + r] = distance_of(metric, queries + q * dimension, row, dimension);
    }
  }
}

TARGET void NAME(kernels_metric metric, kernels_scalar scalar, const float *restrict queries, size_t query_count,
                 const void *restrict rows, const uint32_t *restrict slots, size_t row_count, size_t dimension,
                 float *restrict values) {
  if (metric == KERNELS_DOT) {
    distances_of(KERNELS_DOT, scalar, queries, query_count, rows, slots, row_count, dimension, values);
  } else {
    distances_of(KERNELS_EUCLIDEAN, scalar, queries, query_count, rows, slots, row_count, dimension, values);
  }
}
