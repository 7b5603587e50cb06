// Shared by the instruction sets of kernels_coarse; not part of the module's interface.
#ifndef COARSE_H
#define COARSE_H

#include "kernels_coarse.h"

enum { COARSE_ROWS = KERNELS_COARSE_ROWS, TILE = KERNELS_COARSE_QUERIES };

// What `across` is of a row that is within reach of every query.
#define ALWAYS 1e30f

// A bit for each row of each group that is within reach of each query of a tile.
typedef struct {
  uint16_t rows[TILE][KERNELS_COARSE_GROUPS];
} coarse_marks;

// Marks the rows within reach of up to TILE queries.
typedef void coarse_mark(const int8_t *codes, const kernels_coarse_query *coarse, const kernels_coarse_reach *reaches,
                         size_t query_count, const uint8_t *groups, size_t group_count, size_t dimension,
                         coarse_marks *marks);

typedef void coarsen(kernels_scalar scalar, const void *restrict rows,
                     size_t row_count, size_t dimension, uint8_t *restrict groups);

typedef void coarsen_queries(const float *restrict queries, size_t query_count, size_t dimension,
                             int8_t *restrict codes, kernels_coarse_query *restrict coarse);

extern coarse_mark coarse_mark_portable;
extern coarsen coarsen_portable;
extern coarsen_queries coarsen_queries_portable;
#if defined(__x86_64__)
extern coarse_mark coarse_mark_avx2, coarse_mark_avx512_vnni;
extern coarsen coarsen_avx2, coarsen_avx512;
extern coarsen_queries coarsen_queries_avx2, coarsen_queries_avx512;
#endif

static inline const float *coarse_along(const uint8_t *group, size_t width) {
  return (const float *)(const void *)(group + width * COARSE_ROWS);
}

static inline const float *coarse_across(const uint8_t *group, size_t width) {
  return coarse_along(group, width) + COARSE_ROWS;
}

#endif
