#ifndef KERNELS_DISTANCE_H
#define KERNELS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"
#include "kernels_scalar.h"

// Distances between float32 queries and stored vectors of any scalar type. Matrices are row-major:
// x[i * dimension + j]. No alignment beyond that of its numbers is asked of any pointer; nothing is allocated; outputs
// must not overlap inputs.

// Cosine similarity of every query with every row:
//
//   similarities[i * row_count + j] = q_i . x_j / |x_j|
//
// clamped to [-1, 1], where q_i is query i, which the caller has scaled to unit length (or left zero), and
// x_j is rows[slots[j]], or rows[j] when `slots` is NULL, widened to float32, of KERNELS_INT8 without the scale, which
// changes no cosine. The norm of a row costs no extra pass over memory.
//
//   queries       [query_count, dimension]
//   rows          vectors of the scalar type
//   slots         [row_count] or NULL
//   similarities  [query_count, row_count]
//
// Any counts are accepted, zero included. A zero vector on either side gives +0. Values must be finite; then
// the result is, for rows of any finite length: where |x|^2 leaves [2^-100, 2^120] in float32, the sums are
// repeated in double.
//
// Order of accumulation: sixteen float32 partial sums, lane l taking the terms l, l + 16, l + 32, ... in order, and the
// last lanes what is left when the dimension is no multiple of 16; then lanes l and l + 8 are added, of these l and
// l + 4, l + 2, l + 1. It is the same for every pair of query and row, however many queries or rows are passed at
// once, so results are bit-identical between batches. AVX2 and AVX512 fuse multiply and add and agree in every bit, the
// portable version may not: its last bits may differ.
//
// Error against exact arithmetic on the stored numbers: at most (3 * dimension / 32 + 11) * 2^-24, rounding of the query
// to unit length included.
void kernels_cosine(kernels_scalar scalar, const float *restrict queries, size_t query_count,
                    const void *restrict rows, const uint32_t *restrict slots, size_t row_count, size_t dimension,
                    float *restrict similarities);

// The same on a given instruction set, for tests and measurements. `isa` must be one that the machine runs.
void kernels_cosine_on(kernels_isa isa, kernels_scalar scalar, const float *restrict queries, size_t query_count,
                       const void *restrict rows, const uint32_t *restrict slots, size_t row_count,
                       size_t dimension, float *restrict similarities);

// The same of one query [dimension] with rows that lie anywhere, bit for bit.
//
//   rows          [row_count], each a vector of the scalar type
//   similarities  [row_count]
void kernels_cosine_of_rows(kernels_isa isa, kernels_scalar scalar, const float *restrict query,
                            const void *const *restrict rows, size_t row_count, size_t dimension,
                            float *restrict similarities);

// Scales a vector [count] to unit length in double precision, so that no finite one overflows; zeros stay zeros. Returns
// the square of its length, which is not finite where a number is not: then `unit` holds nothing of use. The same on
// every machine, bit for bit.
double kernels_scale_to_unit(size_t count, const float *restrict vector, float *restrict unit);
double kernels_scale_to_unit_on(kernels_isa isa, size_t count, const float *restrict vector, float *restrict unit);

typedef enum { KERNELS_DOT = 1, KERNELS_EUCLIDEAN = 2 } kernels_metric;

// Dot product q_i . x_j or Euclidean distance |q_i - x_j| of every query with every row, neither of them scaled.
//
//   values     [query_count, row_count]; the others are those of kernels_cosine
//   dimension  at most KERNELS_MOST_NUMBERS
//
// Values must be finite; then so is the result: what leaves float32 is its largest number. Where a sum overflows, and
// where that of squares is below 2^-100, it is repeated in double.
//
// Order of accumulation: four runs of sixteen float32 sums; run c takes the sixteen terms from 16 c on of every 64, in
// order, and what is left behind the last 64 goes to the runs in order, sixteen at a time. Then sums that lie 32, 16, 8,
// 4, 2 and 1 apart are added. It is the same however many queries or rows are passed at once.
// AVX2 and AVX512 fuse multiply and add and agree in every bit, the portable version may not.
//
// Error against exact arithmetic on the stored numbers: at most (dimension / 64 + 9) * 2^-24 times the sum of the terms'
// magnitudes, of a distance (dimension / 128 + 8) * 2^-24 times itself.
void kernels_distances(kernels_metric metric, kernels_scalar scalar, const float *restrict queries,
                       size_t query_count, const void *restrict rows, const uint32_t *restrict slots,
                       size_t row_count, size_t dimension, float *restrict values);
void kernels_distances_on(kernels_isa isa, kernels_metric metric, kernels_scalar scalar,
                          const float *restrict queries, size_t query_count, const void *restrict rows,
                          const uint32_t *restrict slots, size_t row_count, size_t dimension,
                          float *restrict values);

#endif
