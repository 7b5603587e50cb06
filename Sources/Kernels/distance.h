// Shared by the instruction sets of kernels_cosine_f32; not part of the module's interface.
#ifndef DISTANCE_H
#define DISTANCE_H

#include "kernels_distance.h"

// Rows are taken in strips, whose norms wait on the stack for the queries that follow the first. 48 is a
// multiple of every tile's height, and 48 rows of 768 dimensions stay in a 512 KiB second-level cache.
// The pointers run on by AHEAD_ROWS where there are as many, for prefetching.
enum { STRIP_ROWS = 48, AHEAD_ROWS = 4 };

typedef void cosine_f32(const float *restrict queries, size_t query_count, const float *restrict rows,
                        const uint32_t *restrict slots, size_t row_count, size_t dimension,
                        float *restrict similarities);

cosine_f32 cosine_f32_portable;
#if defined(__x86_64__)
cosine_f32 cosine_f32_avx2;
#endif

// Turns the dots of one strip into similarities, in place; repeats the sums in double where a squared norm
// has lost its relative precision or its range.
//
//   strip         [row_count] pointers to the strip's rows
//   norms2        [row_count]
//   similarities  [query_count, stride]; holds the dots on entry
void cosine_f32_finish(const float *restrict queries, size_t query_count, const float *const *strip,
                       const float *restrict norms2, size_t row_count, size_t dimension,
                       float *restrict similarities, size_t stride);

// Points at the rows of the strip that starts at `first`, and at up to AHEAD_ROWS more; returns how many
// pointers that makes. The strip's own rows are the first STRIP_ROWS of them.
static inline size_t cosine_f32_strip(const float *rows, const uint32_t *slots, size_t first,
                                      size_t row_count, size_t dimension,
                                      const float *strip[STRIP_ROWS + AHEAD_ROWS]) {
  const size_t left = row_count - first;
  const size_t count = left < STRIP_ROWS + AHEAD_ROWS ? left : STRIP_ROWS + AHEAD_ROWS;
  for (size_t r = 0; r < count; r++) strip[r] = rows + (slots ? slots[first + r] : first + r) * dimension;
  return count;
}

#endif
