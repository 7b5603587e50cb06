// Shared by the instruction sets of kernels_cosine; not part of the module's interface.
#ifndef DISTANCE_H
#define DISTANCE_H

#include <math.h>

#include "kernels_distance.h"
#include "scalar.h"

enum {
  // Partial sums of a dot product.
  LANES = 16,
  // Rows are taken in strips, whose norms wait on the stack for the queries that follow the first. 48 rows of 768
  // dimensions stay in a 512 KiB second-level cache.
  STRIP_ROWS = 48
};

// As kernels_cosine, of one scalar type.
typedef void cosine(const float *restrict queries, size_t query_count, const void *restrict rows,
                    const uint32_t *restrict slots, size_t row_count, size_t dimension,
                    float *restrict similarities);

// As kernels_cosine_of_rows.
typedef void cosine_of_rows(kernels_scalar scalar, const float *restrict query, const void *const *restrict rows,
                            size_t row_count, size_t dimension, float *restrict similarities);

// As kernels_scale_to_unit.
typedef double scale_to_unit(size_t count, const float *restrict vector, float *restrict unit);

scale_to_unit scale_to_unit_portable;
// By scalar type.
extern cosine *const cosine_portable[5];
cosine_of_rows cosine_of_rows_portable;
#if defined(__x86_64__)
extern cosine *const cosine_avx2[5];
extern cosine *const cosine_avx512[5];
cosine_of_rows cosine_of_rows_avx2, cosine_of_rows_avx512;
scale_to_unit scale_to_unit_avx2, scale_to_unit_avx512;
#endif

// One similarity by sums in double.
float cosine_in_double(kernels_scalar scalar, const float *query, const void *row, size_t dimension);

#define DISTANCE_INLINE __attribute__((always_inline)) static inline

// Some rows of a scan: `height` of each of some equal parts that the rows are cut into, the streams, or the rest that
// their count leaves, as one stream.
typedef struct {
  // [streams, height]
  const void *rows[STRIP_ROWS];
  size_t streams, height;
  // Where the similarities of a stream lie: of the first, and how far apart those of two streams are.
  size_t position, distance;
} strip;

// Points at the rows of the strip that comes after `done` rows.
DISTANCE_INLINE void cosine_strip(const kernels_scalar scalar, const void *rows, const uint32_t *slots, size_t done,
                                  size_t row_count, const size_t streams, size_t dimension, strip *strip) {
  const size_t part = row_count / streams, most = STRIP_ROWS / streams;
  if (done < part * streams) {
    const size_t left = part - done / streams;
    strip->streams = streams;
    strip->height = left < most ? left : most;
    strip->position = done / streams;
  } else {
    strip->streams = 1;
    strip->height = row_count - done;
    strip->position = done;
  }
  strip->distance = part;
  const size_t size = vector_bytes(scalar, dimension);
  for (size_t s = 0; s < strip->streams; s++) {
    for (size_t r = 0; r < strip->height; r++) {
      const size_t row = strip->position + s * part + r;
      strip->rows[s * strip->height + r] = (const char *)rows + (slots ? slots[row] : row) * size;
    }
  }
}

DISTANCE_INLINE float cosine_clamp(float similarity) {
  similarity = similarity > 1 ? 1 : similarity;
  return similarity < -1 ? -1 : similarity;
}

// Turns the dots of one strip into similarities; repeats the sums in double where a squared norm has lost its relative
// precision or its range.
//
//   norms2        [streams, height]
//   dots          [query_count, STRIP_ROWS]; not what it was on return
//   similarities  [query_count, row_count]
DISTANCE_INLINE void cosine_finish(const kernels_scalar scalar, const float *restrict queries, size_t query_count,
                                   const strip *strip, const float *restrict norms2, size_t dimension,
                                   float *restrict dots, float *restrict similarities, size_t row_count) {
  const size_t count = strip->streams * strip->height;
  float norms[STRIP_ROWS];
  unsigned outside = 0;
  for (size_t r = 0; r < count; r++) {
    norms[r] = sqrtf(norms2[r]);
    outside |= !(norms2[r] >= 0x1p-100f) | !(norms2[r] <= 0x1p120f);
  }
  for (size_t q = 0; q < query_count; q++) {
    float *of_query = dots + q * STRIP_ROWS;
    // Adding zero turns -0 into +0.
    for (size_t r = 0; r < count; r++) of_query[r] = cosine_clamp(of_query[r] / norms[r]) + 0.0f;
    for (size_t r = 0; outside && r < count; r++) {
      if (norms2[r] >= 0x1p-100f && norms2[r] <= 0x1p120f) continue;
      of_query[r] = cosine_in_double(scalar, queries + q * dimension, strip->rows[r], dimension);
    }
    float *target = similarities + q * row_count + strip->position;
    for (size_t s = 0; s < strip->streams; s++) {
      memcpy(target + s * strip->distance, of_query + s * strip->height, strip->height * sizeof(float));
    }
  }
}

#endif
