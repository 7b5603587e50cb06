// The body of the exact scan, compiled by the files distance_*.c for instruction sets that fuse multiply and add and
// widen float16. They define
//
//   SET                    the name of the table of functions by scalar type
//   OF_ROWS                the name of the function of rows that lie anywhere
//   TARGET                 the target attribute of the functions
//   LANES_OF_A_REGISTER    floats in a register: 8 or 16
//   TILE_QUERIES, TILE_ROWS   queries and rows whose sums stay in registers together
//   STREAMS                rows that come from memory side by side

#include <stdbool.h>

#include "distance.h"

enum { MOST_ROWS = TILE_ROWS > STREAMS ? TILE_ROWS : STREAMS };

enum { WIDTH = LANES_OF_A_REGISTER, PARTS = LANES / WIDTH };

#define TARGET_INLINE TARGET DISTANCE_INLINE
#define UNROLLED _Pragma("clang loop unroll(full)")

typedef float floats __attribute__((vector_size(4 * WIDTH)));
typedef float floats_in_memory __attribute__((vector_size(4 * WIDTH), aligned(1), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t words_in_memory __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef uint16_t halves __attribute__((vector_size(2 * WIDTH)));
typedef uint16_t halves_in_memory __attribute__((vector_size(2 * WIDTH), aligned(1), may_alias));
typedef _Float16 f16s __attribute__((vector_size(2 * WIDTH)));
typedef int8_t bytes __attribute__((vector_size(WIDTH)));
typedef int8_t bytes_in_memory __attribute__((vector_size(WIDTH), aligned(1), may_alias));

// The numbers of a row from number i on, as stored_float has them.
TARGET_INLINE floats numbers(const kernels_scalar scalar, const void *row, size_t i) {
  if (scalar == KERNELS_FLOAT32) return *(const floats_in_memory *)((const float *)row + i);
  if (scalar == KERNELS_INT8) {
    const bytes stored = *(const bytes_in_memory *)((const int8_t *)row + i);
    return __builtin_convertvector(stored, floats);
  }
  const halves stored = *(const halves_in_memory *)((const uint16_t *)row + i);
  if (scalar == KERNELS_FLOAT16) return __builtin_convertvector((f16s)stored, floats);
  return (floats)(__builtin_convertvector(stored, words) << 16);
}

// What a dimension that is no multiple of LANES leaves: the last numbers of a row in the last lanes, zeros before them.
// The dimension is at least LANES.
TARGET_INLINE floats last_numbers(const kernels_scalar scalar, const void *row, size_t dimension, const size_t part) {
  static const uint32_t masks[2 * LANES] = {[LANES... 2 * LANES - 1] = 0xFFFFFFFF};
  const uint32_t *mask = masks + dimension % LANES + part * WIDTH;
  // Without this the compiler reads the mask before the loop over rows, and keeps it on the stack.
  __asm__("" : "+r"(mask));
  return (floats)((words)numbers(scalar, row, dimension - LANES + part * WIDTH) & *(const words_in_memory *)mask);
}

TARGET_INLINE float sum_of_lanes(const floats sums[PARTS]) {
  typedef float eight __attribute__((vector_size(32)));
  typedef float four __attribute__((vector_size(16)));
#if LANES_OF_A_REGISTER == 16
  const eight eights = __builtin_shufflevector(sums[0], sums[0], 0, 1, 2, 3, 4, 5, 6, 7) +
                       __builtin_shufflevector(sums[0], sums[0], 8, 9, 10, 11, 12, 13, 14, 15);
#else
  const eight eights = sums[0] + sums[1];
#endif
  const four fours = __builtin_shufflevector(eights, eights, 0, 1, 2, 3) +
                     __builtin_shufflevector(eights, eights, 4, 5, 6, 7);
  return (fours[0] + fours[2]) + (fours[1] + fours[3]);
}

// The dots of a few queries with a few rows; the counts are constants wherever this is inlined. Each pair has sums of
// its own, so that the result does not depend on the tile around it.
//
//   queries  [query_count, dimension]
//   rows     [row_count, step] pointers, of which the first of each `step` is taken
//   dots     [query_count, stride, step]
//   norms2   [row_count, step], or NULL when they are known already
TARGET_INLINE void tile(const kernels_scalar scalar, const size_t query_count, const size_t row_count,
                        const float *queries, const void *const *pointers, size_t step, size_t dimension, float *dots,
                        size_t stride, float *norms2) {
  const void *rows[MOST_ROWS];
  UNROLLED for (size_t r = 0; r < row_count; r++) rows[r] = pointers[r * step];
  floats dot_sums[TILE_QUERIES][MOST_ROWS][PARTS] = {}, norm_sums[MOST_ROWS][PARTS] = {};
  // A register after the other, which leaves the rest of them for sums.
#define ADD(of_row, of_query)                                                                               \
  UNROLLED for (size_t part = 0; part < PARTS; part++) {                                                    \
    floats row[MOST_ROWS];                                                                                  \
    UNROLLED for (size_t r = 0; r < row_count; r++) {                                                       \
      row[r] = of_row;                                                                                      \
      if (norms2) norm_sums[r][part] = __builtin_elementwise_fma(row[r], row[r], norm_sums[r][part]);       \
    }                                                                                                       \
    UNROLLED for (size_t q = 0; q < query_count; q++) {                                                     \
      const floats query = of_query;                                                                        \
      UNROLLED for (size_t r = 0; r < row_count; r++) {                                                     \
        dot_sums[q][r][part] = __builtin_elementwise_fma(query, row[r], dot_sums[q][r][part]);              \
      }                                                                                                     \
    }                                                                                                       \
  }
  size_t i = 0;
  // Unrolled it would need more registers than there are.
#pragma clang loop unroll(disable)
  for (; i + LANES <= dimension; i += LANES) {
    ADD(numbers(scalar, rows[r], i + part * WIDTH),
        numbers(KERNELS_FLOAT32, queries + q * dimension, i + part * WIDTH))
  }
  if (i < dimension) {
    ADD(last_numbers(scalar, rows[r], dimension, part),
        last_numbers(KERNELS_FLOAT32, queries + q * dimension, dimension, part))
  }
#undef ADD
  UNROLLED for (size_t r = 0; r < row_count; r++) {
    if (norms2) norms2[r * step] = sum_of_lanes(norm_sums[r]);
    UNROLLED for (size_t q = 0; q < query_count; q++) dots[q * stride + r * step] = sum_of_lanes(dot_sums[q][r]);
  }
}

// Bytes ahead of a stream of which one line is asked for, and how many bytes there are to each such line.
enum { AHEAD = 16384, AHEAD_STEP = 1536 };

// One query and the norms: this is where a row comes from memory. The processor fetches ahead by itself what is read in
// order, up to the end of a page of 4 KiB: streams that lie pages apart keep memory busy when one of them begins a page.
// Rows beside each other as streams halve the speed. A line here and there, some pages ahead, has the pages' addresses
// looked up in time; to ask for every line costs more than it gives (bench/scan/run). It is asked into the outer caches
// only: in the first-level cache it costs more than it gives, a tenth of the speed (bench/scan/search).
TARGET_INLINE void dots_and_norms(const kernels_scalar scalar, const float *query, const strip *rows,
                                  bool are_in_order, size_t dimension, float *dots, float *norms2) {
  const size_t row_bytes = vector_bytes(scalar, dimension);
  const size_t every = row_bytes < AHEAD_STEP ? AHEAD_STEP / row_bytes : 1;
  for (size_t r = 0; r < rows->height; r++) {
    if (are_in_order && r % every == 0) {
      for (size_t s = 0; s < rows->streams; s++) {
        __builtin_prefetch((const char *)rows->rows[s * rows->height + r] + AHEAD, 0, 1);
      }
    }
    if (rows->streams == 1) {
      tile(scalar, 1, 1, query, rows->rows + r, 0, dimension, dots + r, 0, norms2 + r);
    } else {
      tile(scalar, 1, STREAMS, query, rows->rows + r, rows->height, dimension, dots + r, 0, norms2 + r);
    }
  }
}

// Up to TILE_QUERIES queries; the strip is in the cache.
TARGET_INLINE void dots_of(const kernels_scalar scalar, const size_t query_count, const float *queries,
                           const strip *rows, size_t dimension, float *dots) {
  const size_t count = rows->height * rows->streams;
  size_t r = 0;
  for (; r + TILE_ROWS <= count; r += TILE_ROWS) {
    tile(scalar, query_count, TILE_ROWS, queries, rows->rows + r, 1, dimension, dots + r, STRIP_ROWS, NULL);
  }
  for (; r < count; r++) {
    tile(scalar, query_count, 1, queries, rows->rows + r, 1, dimension, dots + r, STRIP_ROWS, NULL);
  }
}

TARGET_INLINE void cosine_of(const kernels_scalar scalar, const float *queries, size_t query_count,
                             const void *rows, const uint32_t *slots, size_t row_count, size_t dimension,
                             float *similarities) {
  if (query_count == 0) return;
  if (dimension < LANES) {
    // A lane has one product, or none: to fuse changes nothing.
    cosine_portable[scalar](queries, query_count, rows, slots, row_count, dimension, similarities);
    return;
  }
  strip strip;
  float dots[TILE_QUERIES][STRIP_ROWS], norms2[STRIP_ROWS];
  for (size_t first = 0; first < row_count; first += strip.height * strip.streams) {
    cosine_strip(scalar, rows, slots, first, row_count, STREAMS, dimension, &strip);
    dots_and_norms(scalar, queries, &strip, slots == NULL, dimension, dots[0], norms2);
    cosine_finish(scalar, queries, 1, &strip, norms2, dimension, dots[0], similarities, row_count);
    for (size_t q = 1; q < query_count;) {
      const float *next = queries + q * dimension;
      size_t count = 1;
      if (query_count - q >= TILE_QUERIES) {
        count = TILE_QUERIES;
        dots_of(scalar, TILE_QUERIES, next, &strip, dimension, dots[0]);
      } else {
        dots_of(scalar, 1, next, &strip, dimension, dots[0]);
      }
      cosine_finish(scalar, next, count, &strip, norms2, dimension, dots[0], similarities + q * row_count, row_count);
      q += count;
    }
  }
}

TARGET static void cosine_f32(const float *restrict queries, size_t query_count, const void *restrict rows,
                              const uint32_t *restrict slots, size_t row_count, size_t dimension,
                              float *restrict similarities) {
  cosine_of(KERNELS_FLOAT32, queries, query_count, rows, slots, row_count, dimension, similarities);
}

TARGET static void cosine_f16(const float *restrict queries, size_t query_count, const void *restrict rows,
                              const uint32_t *restrict slots, size_t row_count, size_t dimension,
                              float *restrict similarities) {
  cosine_of(KERNELS_FLOAT16, queries, query_count, rows, slots, row_count, dimension, similarities);
}

TARGET static void cosine_bf16(const float *restrict queries, size_t query_count, const void *restrict rows,
                               const uint32_t *restrict slots, size_t row_count, size_t dimension,
                               float *restrict similarities) {
  cosine_of(KERNELS_BFLOAT16, queries, query_count, rows, slots, row_count, dimension, similarities);
}

TARGET static void cosine_i8(const float *restrict queries, size_t query_count, const void *restrict rows,
                             const uint32_t *restrict slots, size_t row_count, size_t dimension,
                             float *restrict similarities) {
  cosine_of(KERNELS_INT8, queries, query_count, rows, slots, row_count, dimension, similarities);
}

cosine *const SET[5] = {[KERNELS_FLOAT32] = cosine_f32,
                        [KERNELS_FLOAT16] = cosine_f16,
                        [KERNELS_BFLOAT16] = cosine_bf16,
                        [KERNELS_INT8] = cosine_i8};

// Some rows at a time, which come from memory side by side.
TARGET_INLINE void cosine_of_pointers(const kernels_scalar scalar, const float *query, const void *const *rows,
                                      size_t row_count, size_t dimension, float *similarities) {
  strip strip = {.streams = 1};
  float dots[STRIP_ROWS], norms2[STRIP_ROWS];
  for (; strip.position < row_count; strip.position += strip.height) {
    const size_t left = row_count - strip.position;
    strip.height = left < STRIP_ROWS ? left : STRIP_ROWS;
    memcpy(strip.rows, rows + strip.position, strip.height * sizeof *rows);
    size_t r = 0;
    for (; r + STREAMS <= strip.height; r += STREAMS) {
      tile(scalar, 1, STREAMS, query, strip.rows + r, 1, dimension, dots + r, 0, norms2 + r);
    }
    for (; r < strip.height; r++) {
      tile(scalar, 1, 1, query, strip.rows + r, 1, dimension, dots + r, 0, norms2 + r);
    }
    cosine_finish(scalar, query, 1, &strip, norms2, dimension, dots, similarities, row_count);
  }
}

TARGET void OF_ROWS(kernels_scalar scalar, const float *restrict query, const void *const *restrict rows,
                    size_t row_count, size_t dimension, float *restrict similarities) {
  if (dimension < LANES) return cosine_of_rows_portable(scalar, query, rows, row_count, dimension, similarities);
  switch (scalar) {
    case KERNELS_FLOAT32:
      return cosine_of_pointers(KERNELS_FLOAT32, query, rows, row_count, dimension, similarities);
    case KERNELS_FLOAT16:
      return cosine_of_pointers(KERNELS_FLOAT16, query, rows, row_count, dimension, similarities);
    case KERNELS_BFLOAT16:
      return cosine_of_pointers(KERNELS_BFLOAT16, query, rows, row_count, dimension, similarities);
    case KERNELS_INT8:
      return cosine_of_pointers(KERNELS_INT8, query, rows, row_count, dimension, similarities);
  }
}
