// Shared by the instruction sets of kernels_distances; not part of the module's interface.
#ifndef METRIC_H
#define METRIC_H

#include "kernels_distance.h"

typedef void distances(kernels_metric metric, kernels_scalar scalar, const float *restrict queries,
                       size_t query_count, const void *restrict rows, const uint32_t *restrict slots,
                       size_t row_count, size_t dimension, float *restrict values);

extern distances distances_portable;
#if defined(__x86_64__)
extern distances distances_avx2, distances_avx512;
#endif

// One value by sums in double.
float distance_in_double(kernels_metric metric, const float *query, const float *row, size_t dimension);

#endif
