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
// x_j is rows[slots[j]], or rows[j] when `slots` is NULL, widened to float32. The norm of a row costs no extra pass over
// memory.
//
//   queries       [query_count, dimension]
//   rows          numbers of the scalar type
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

#endif
