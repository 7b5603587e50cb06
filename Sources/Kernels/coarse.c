#define TARGET

#include "coarse_body.h"

size_t kernels_coarse_width(size_t dimension) { return (dimension + 3) / 4 * 4; }

size_t kernels_coarse_group_bytes(size_t dimension) {
  return COARSE_ROWS * (kernels_coarse_width(dimension) + 2 * sizeof(float));
}

size_t kernels_coarse_group_count(size_t row_count) { return (row_count + COARSE_ROWS - 1) / COARSE_ROWS; }

size_t kernels_coarse_query_bytes(size_t query_count, size_t dimension) {
  return (query_count + TILE - 1) / TILE * TILE * kernels_coarse_width(dimension);
}

void coarsen_portable(kernels_scalar scalar, const void *restrict rows,
                      size_t row_count, size_t dimension, uint8_t *restrict groups) {
  coarsen_rows(scalar, rows, row_count, dimension, groups);
}

void kernels_coarsen_on(kernels_isa isa, kernels_scalar scalar, const void *restrict rows,
                        size_t row_count, size_t dimension, uint8_t *restrict groups) {
  coarsen *set = coarsen_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = coarsen_avx2;
  if (isa >= KERNELS_AVX512) set = coarsen_avx512;
#endif
  set(scalar, rows, row_count, dimension, groups);
}

void kernels_coarsen(kernels_scalar scalar, const void *restrict rows,
                     size_t row_count, size_t dimension, uint8_t *restrict groups) {
  kernels_coarsen_on(kernels_active_isa(), scalar, rows, row_count, dimension, groups);
}

void coarsen_queries_portable(const float *restrict queries, size_t query_count, size_t dimension,
                              int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  coarsen_some_queries(queries, query_count, dimension, codes, coarse);
}

void kernels_coarsen_queries_on(kernels_isa isa, const float *restrict queries, size_t query_count,
                                size_t dimension, int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  coarsen_queries *set = coarsen_queries_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) set = coarsen_queries_avx2;
  if (isa >= KERNELS_AVX512) set = coarsen_queries_avx512;
#endif
  set(queries, query_count, dimension, codes, coarse);
}

void kernels_coarsen_queries(const float *restrict queries, size_t query_count, size_t dimension,
                             int8_t *restrict codes, kernels_coarse_query *restrict coarse) {
  kernels_coarsen_queries_on(kernels_active_isa(), queries, query_count, dimension, codes, coarse);
}

kernels_coarse_reach kernels_coarse_reach_of(const kernels_coarse_query *query, float least, size_t dimension) {
  // Twice the error that kernels_cosine states: it is that of a query which was rounded to unit length.
  const double error = 2 * (3 * (double)dimension / 32 + 11) * 0x1p-24;
  const double cosine = (double)least - error;
  if (!(cosine > -0.8) || !(query->length > 0) || !(query->sine < 0.6f)) {
    return (kernels_coarse_reach){.along = -ALWAYS, .across = 1};
  }
  // Of t + f, by the theorems of addition: t is below acos(-0.8) and f below asin(0.6), whose sum is pi.
  const double cos_t = cosine < 1 ? cosine : 1, sin_t = sqrt((1 - cos_t) * (1 + cos_t));
  const double sin_f = (double)query->sine, cos_f = sqrt((1 - sin_f) * (1 + sin_f));
  const double along = cos_t * cos_f - sin_t * sin_f, across = sin_t * cos_f + cos_t * sin_f;
  // A row's angle comes on top of it, and beyond pi the cosine rises again. That angle is below 0.5: of 16,384 numbers of
  // which one is 127, the others lose at most half of one each.
  const double cos_of_most = -0.8775825618903728;  // of pi - 0.5
  if (along < cos_of_most) return (kernels_coarse_reach){.along = -ALWAYS, .across = 1};
  // A dozen roundings of factors, products and sums, each of at most 2^-24 of |k| |c|, which is below 1.2 times `along`.
  const double rounding = 0x1p-19;
  return (kernels_coarse_reach){.along = (float)(query->length * (along - rounding)),
                                .across = (float)(query->length * across)};
}

void coarse_mark_portable(const int8_t *codes, const kernels_coarse_query *coarse, const kernels_coarse_reach *reaches,
                          size_t query_count, const uint8_t *groups, size_t group_count, size_t dimension,
                          coarse_marks *marks) {
  const size_t width = kernels_coarse_width(dimension), bytes = kernels_coarse_group_bytes(dimension);
  for (size_t g = 0; g < group_count; g++) {
    const uint8_t *group = groups + g * bytes;
    const float *along = coarse_along(group, width), *across = coarse_across(group, width);
    for (size_t q = 0; q < query_count; q++) {
      int32_t dots[COARSE_ROWS];
      for (size_t row = 0; row < COARSE_ROWS; row++) dots[row] = coarse[q].start;
      for (size_t quad = 0; quad < width / 4; quad++) {
        const int8_t *four = codes + (quad * TILE + q) * 4;
        for (size_t row = 0; row < COARSE_ROWS; row++) {
          const uint8_t *of_row = group + (quad * COARSE_ROWS + row) * 4;
          dots[row] += of_row[0] * four[0] + of_row[1] * four[1] + of_row[2] * four[2] + of_row[3] * four[3];
        }
      }
      uint16_t mark = 0;
      for (size_t row = 0; row < COARSE_ROWS; row++) {
        const float least = reaches[q].along * along[row] - reaches[q].across * across[row];
        mark |= (uint16_t)(((float)dots[row] >= least) << row);
      }
      marks->rows[q][g] = mark;
    }
  }
}

size_t kernels_coarse_hits_on(kernels_isa isa, const int8_t *restrict codes,
                              const kernels_coarse_query *restrict coarse,
                              const kernels_coarse_reach *restrict reaches, size_t query_count,
                              const uint8_t *restrict groups, const uint16_t *restrict wanted, size_t row_count,
                              size_t dimension, kernels_coarse_hit *restrict hits) {
  coarse_mark *mark = coarse_mark_portable;
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) mark = coarse_mark_avx2;
  if (isa >= KERNELS_AVX512_VNNI) mark = coarse_mark_avx512_vnni;
#endif
  const size_t group_count = kernels_coarse_group_count(row_count);
  const uint16_t last = (uint16_t)(0xFFFFu >> (COARSE_ROWS * group_count - row_count));
  coarse_marks marks;
  size_t count = 0;
  for (size_t first = 0; first < query_count; first += TILE) {
    const size_t height = query_count - first < TILE ? query_count - first : TILE;
    mark(codes + first * kernels_coarse_width(dimension), coarse + first, reaches + first, height, groups, group_count,
         dimension, &marks);
    for (size_t q = 0; q < height; q++) {
      for (size_t g = 0; g < group_count; g++) {
        unsigned rows = marks.rows[q][g];
        if (!rows) continue;
        if (g == group_count - 1) rows &= last;
        if (wanted) rows &= wanted[g];
        for (; rows; rows &= rows - 1) {
          const uint32_t row = (uint32_t)(g * COARSE_ROWS + (size_t)__builtin_ctz(rows));
          hits[count++] = (kernels_coarse_hit){.query = (uint32_t)(first + q), .row = row};
        }
      }
    }
  }
  return count;
}

size_t kernels_coarse_hits(const int8_t *restrict codes, const kernels_coarse_query *restrict coarse,
                           const kernels_coarse_reach *restrict reaches, size_t query_count,
                           const uint8_t *restrict groups, const uint16_t *restrict wanted, size_t row_count,
                           size_t dimension, kernels_coarse_hit *restrict hits) {
  return kernels_coarse_hits_on(kernels_active_isa(), codes, coarse, reaches, query_count, groups, wanted, row_count,
                                dimension, hits);
}
