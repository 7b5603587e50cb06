// How vectors become coarse: included by the files that define TARGET, the target attribute of an instruction set. All
// of them compute the same: sixteen sums side by side, and no multiply-add that is rounded once.

#include <math.h>
#include <string.h>

#include "coarse.h"
#include "lanes.h"

#pragma STDC FP_CONTRACT OFF

#define COARSE_INLINE TARGET __attribute__((always_inline)) static inline

enum { COARSE_LANES = 16 };

typedef int32_t coarse_words __attribute__((vector_size(64)));
typedef int8_t coarse_bytes __attribute__((vector_size(16)));

// The largest of sixteen numbers.
COARSE_INLINE float largest_lane(const sixteen_floats *lanes) {
  const eight_floats eights =
      __builtin_elementwise_max(__builtin_shufflevector(*lanes, *lanes, 0, 1, 2, 3, 4, 5, 6, 7),
                                __builtin_shufflevector(*lanes, *lanes, 8, 9, 10, 11, 12, 13, 14, 15));
  const four_floats fours = __builtin_elementwise_max(__builtin_shufflevector(eights, eights, 0, 1, 2, 3),
                                                      __builtin_shufflevector(eights, eights, 4, 5, 6, 7));
  const float even = fours[0] > fours[2] ? fours[0] : fours[2], odd = fours[1] > fours[3] ? fours[1] : fours[3];
  return even > odd ? even : odd;
}

typedef struct {
  // |c|, the sine of the largest angle between it and the vector, and the sum of its numbers.
  float length, sine;
  int32_t sum;
} coarse_shape;

// Makes one vector coarse: number i + j of it, j < 4, goes to codes[i / 4 * step + j], plus `offset`.
//
//   values  [dimension], and zeros up to a multiple of 16
COARSE_INLINE coarse_shape coarsen_vector(const float *values, size_t dimension, int32_t offset, uint8_t *codes,
                                          size_t step) {
  const size_t quads = (dimension + 3) / 4;
  sixteen_floats most = {};
  for (size_t i = 0; i < dimension; i += COARSE_LANES) {
    const sixteen_floats x = *(const sixteen_floats_in_memory *)(values + i);
    most = __builtin_elementwise_max(most, __builtin_elementwise_abs(x));
  }
  const float largest = largest_lane(&most);
  // The quotient overflows for vectors too short to be scaled.
  const int is_scaled = largest >= 0x1p-118f;
  const float scale = is_scaled ? 127 / largest : 0;
  // To add and subtract this rounds to whole numbers, which then are the last bits.
  const float rounder = 0x1.8p23f;
  sixteen_floats lengths = {}, rests = {};
  coarse_words products = {}, sums = {};
  for (size_t i = 0; i < dimension; i += COARSE_LANES) {
    const sixteen_floats y = *(const sixteen_floats_in_memory *)(values + i) * scale;
    const sixteen_floats shifted = y + rounder;
    const sixteen_floats rest = y - (shifted - rounder);
    const coarse_words c = (coarse_words)shifted - 0x4B400000;
    const sixteen_floats square = y * y, rest_square = rest * rest;
    lengths = lengths + square;
    rests = rests + rest_square;
    products += c * c;
    sums += c;
    const coarse_bytes bytes = __builtin_convertvector(c + offset, coarse_bytes);
    const size_t first = i / 4, count = quads - first < 4 ? quads - first : 4;
    if (count == 4) {
      memcpy(codes + first * step, &bytes, 4);
      memcpy(codes + (first + 1) * step, (const char *)&bytes + 4, 4);
      memcpy(codes + (first + 2) * step, (const char *)&bytes + 8, 4);
      memcpy(codes + (first + 3) * step, (const char *)&bytes + 12, 4);
    } else {
      for (size_t quad = 0; quad < count; quad++) {
        memcpy(codes + (first + quad) * step, (const char *)&bytes + 4 * quad, 4);
      }
    }
  }
  coarse_shape shape = {.length = sqrtf((float)__builtin_reduce_add(products)), .sum = __builtin_reduce_add(sums)};
  if (is_scaled) {
    // The first factor is for the rounding of the sums, the last term for that of y.
    shape.sine = sqrtf(sum_of_lanes(&rests) / sum_of_lanes(&lengths)) * (1 + 0x1p-12f) + 0x1p-20f;
  } else if (largest > 0) {
    shape.sine = ALWAYS;
  }
  return shape;
}

// The numbers of a vector with a row's direction as float32, with zeros up to a multiple of 16: where they lie, or in
// `values`.
COARSE_INLINE const float *numbers_of_row(kernels_scalar scalar, const void *row, size_t dimension, float *values) {
  if (scalar == KERNELS_FLOAT32 && dimension % COARSE_LANES == 0) return row;
  if (scalar == KERNELS_INT8) {
    for (size_t i = 0; i < dimension; i++) values[i] = ((const int8_t *)row)[i];
  } else {
    kernels_widen(scalar, row, dimension, values);
  }
  memset(values + dimension, 0, COARSE_LANES * sizeof(float));
  return values;
}

COARSE_INLINE void coarsen_rows(kernels_scalar scalar, const void *restrict rows,
                                size_t row_count, size_t dimension, uint8_t *restrict groups) {
  const size_t width = kernels_coarse_width(dimension), bytes = kernels_coarse_group_bytes(dimension);
  const size_t row_bytes = kernels_vector_bytes(scalar, dimension);
  float values[KERNELS_MOST_NUMBERS + COARSE_LANES];
  for (size_t row = 0; row < row_count; row++) {
    const size_t lane = row % COARSE_ROWS;
    uint8_t *group = groups + row / COARSE_ROWS * bytes;
    float *along = (float *)(void *)(group + width * COARSE_ROWS), *across = along + COARSE_ROWS;
    if (lane == 0 && row_count - row < COARSE_ROWS) {
      memset(group, 128, width * COARSE_ROWS);
      memset(along, 0, 2 * COARSE_ROWS * sizeof(float));
    }
    const void *stored = (const char *)rows + row * row_bytes;
    const float *numbers = numbers_of_row(scalar, stored, dimension, values);
    const coarse_shape shape = coarsen_vector(numbers, dimension, 128, group + 4 * lane, 4 * COARSE_ROWS);
    const float sine2 = shape.sine * shape.sine;
    const int is_usual = shape.sine < 1;
    along[lane] = is_usual ? shape.length * sqrtf(1 - sine2) : 0;
    across[lane] = is_usual ? shape.length * shape.sine : ALWAYS;
  }
}

COARSE_INLINE void coarsen_some_queries(const float *restrict queries, size_t query_count, size_t dimension,
                                        int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  const size_t width = kernels_coarse_width(dimension);
  memset(codes, 0, kernels_coarse_query_bytes(query_count, dimension));
  float values[KERNELS_MOST_NUMBERS + COARSE_LANES];
  for (size_t query = 0; query < query_count; query++) {
    const float *numbers = numbers_of_row(KERNELS_FLOAT32, queries + query * dimension, dimension, values);
    uint8_t *tile = (uint8_t *)codes + query / TILE * TILE * width;
    const coarse_shape shape = coarsen_vector(numbers, dimension, 0, tile + 4 * (query % TILE), 4 * TILE);
    coarse[query] = (kernels_coarse_query){.length = shape.length, .sine = shape.sine, .start = -128 * shape.sum};
  }
}
