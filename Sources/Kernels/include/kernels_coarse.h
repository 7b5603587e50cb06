#ifndef KERNELS_COARSE_H
#define KERNELS_COARSE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"
#include "kernels_scalar.h"

// Coarse vectors: stored vectors in one byte a number, and how far their direction may be from the true one. They tell
// which rows cannot be as similar to a query as asked; the others have to be compared exactly. A row is never told to
// be out of reach that is within it.
//
// Vector x becomes whole numbers c with |c_i| <= 127, x being about a multiple of c. The angle between them is at most
// e with sin e = |y - c| / |y|, where y is the multiple of x whose largest number is 127. A query q is made k in the
// same way, with an angle of at most f. Angles obey the triangle's inequality, so that q and x, when the angle between
// them is at most t, have
//
//   <k, c> >= |k| |c| cos(t + f + e) = |k| cos(t + f) |c| cos e - |k| sin(t + f) |c| sin e
//
// which is two factors of the query and two of the row. Products are exact. Rounding of the factors, of the query to
// unit length and of the similarities of kernels_cosine is allowed for.
//
// Coarse vectors lie in groups of 16, of kernels_coarse_group_bytes:
//
//   uint8_t codes[width / 4][16][4]   c_i + 128; 128 behind the last number, and in place of vectors that a group lacks
//   float   along[16]                 |c| cos e
//   float   across[16]                |c| sin e; 1e30 of a vector that is too short to be scaled, which is always a hit
//
// A zero vector has zeros for factors. All is computed in float32 in an order that is the same everywhere: every
// instruction set gives the same bytes.
//
// A dimension is at most KERNELS_MOST_NUMBERS. No alignment beyond that of the numbers is asked for, nothing is
// allocated, outputs must not overlap inputs.

enum { KERNELS_COARSE_ROWS = 16, KERNELS_COARSE_QUERIES = 12, KERNELS_COARSE_GROUPS = 32 };

// The dimension rounded up to a multiple of 4.
size_t kernels_coarse_width(size_t dimension);
size_t kernels_coarse_group_bytes(size_t dimension);
// Groups of so many rows.
size_t kernels_coarse_group_count(size_t row_count);

// Writes the groups of some rows.
//
//   rows    row_count vectors of the scalar type, finite
//   groups  [(row_count + 15) / 16] groups
void kernels_coarsen(kernels_scalar scalar, const void *restrict rows,
                     size_t row_count, size_t dimension, uint8_t *restrict groups);
void kernels_coarsen_on(kernels_isa isa, kernels_scalar scalar, const void *restrict rows,
                        size_t row_count, size_t dimension, uint8_t *restrict groups);

typedef struct {
  // |k|, and the sine of the largest angle between q and k.
  float length, sine;
  // What takes the 128 out of the products with a row: -128 times the sum of k.
  int32_t start;
} kernels_coarse_query;

// Bytes of coarse queries: they lie in tiles of 12, [tiles][width / 4][12][4], zeros where a tile lacks queries.
size_t kernels_coarse_query_bytes(size_t query_count, size_t dimension);

// Makes queries coarse.
//
//   queries  [query_count, dimension], finite, each of unit length or zero
//   codes    kernels_coarse_query_bytes
//   coarse   [query_count]
void kernels_coarsen_queries(const float *restrict queries, size_t query_count, size_t dimension,
                             int8_t *restrict codes, kernels_coarse_query *restrict coarse);
void kernels_coarsen_queries_on(kernels_isa isa, const float *restrict queries, size_t query_count,
                                size_t dimension, int8_t *restrict codes, kernels_coarse_query *restrict coarse);

// The factors of a query for rows that kernels_cosine may find at least as similar as `least`: |k| cos(t + f) and
// |k| sin(t + f). Of a zero query, of a similarity below -0.8, and where t + f is above pi - 0.5, so that a row's e could
// take the sum beyond pi, those with which no row is out of reach.
typedef struct {
  float along, across;
} kernels_coarse_reach;
kernels_coarse_reach kernels_coarse_reach_of(const kernels_coarse_query *query, float least, size_t dimension);

// A row within reach of a query.
typedef struct {
  uint32_t query, row;
} kernels_coarse_hit;

// Finds the rows that are within reach of each query. They come in order of queries and, of one query, of rows.
//
//   codes        tiles as kernels_coarsen_queries made them; queries are numbered from the first of them
//   coarse       [query_count]
//   reaches      [query_count]
//   groups       of row_count rows, at most KERNELS_COARSE_GROUPS of them
//   wanted       a bit for each row of each group, the lowest for the first: rows without one are no hits; or NULL
//   hits         room for query_count * row_count
//
// Returns how many hits there are.
size_t kernels_coarse_hits(const int8_t *restrict codes, const kernels_coarse_query *restrict coarse,
                           const kernels_coarse_reach *restrict reaches, size_t query_count,
                           const uint8_t *restrict groups, const uint16_t *restrict wanted, size_t row_count,
                           size_t dimension, kernels_coarse_hit *restrict hits);
size_t kernels_coarse_hits_on(kernels_isa isa, const int8_t *restrict codes,
                              const kernels_coarse_query *restrict coarse,
                              const kernels_coarse_reach *restrict reaches, size_t query_count,
                              const uint8_t *restrict groups, const uint16_t *restrict wanted, size_t row_count,
                              size_t dimension, kernels_coarse_hit *restrict hits);

#endif
