#ifndef MATMUL_H
#define MATMUL_H

#include "kernels_matmul.h"

// What an instruction set brings to products. Sums are written raw: float32, or int32 for I8.
typedef struct {
  // Outputs of a panel, and by number the most rows whose sums fit the registers.
  size_t columns;
  size_t rows[3];
  // sums[r, c] = the dot of row r of x with column c of a panel, over `words` words; r < rows. Rows of x and of
  // sums lie `stride` and `sums_stride` words apart. `ahead` may be NULL.
  void (*tile[3])(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel, size_t words, uint32_t *sums,
                  size_t sums_stride, kernels_ahead *ahead);
  // Ends a tile: turns the sums [rows, columns] of the outputs first, first + 1, ... into results.
  void (*finish)(const kernels_product *product, const uint32_t *sums, size_t rows, const kernels_step *steps,
                 size_t first, kernels_ending ending, kernels_number result, void *out, size_t out_stride);
  // p[r, c] = exp(factor * (s[r, c] - largest of row r)) for c < tokens, about 0 up to `padded`, a multiple of columns:
  // in place, or as bfloat16 to `out`, whose rows lie `out_stride` bytes apart; reciprocals[r] = 1 / sum of the row.
  void (*weigh)(size_t rows, float *scores, size_t stride, size_t tokens, size_t padded, float factor,
                kernels_number number, void *out, size_t out_stride, float *reciprocals);
  // out[r, c] = sums[r, c] * factors[r] for c < columns.
  void (*scale)(size_t rows, const float *sums, size_t sums_stride, const float *factors, size_t columns,
                kernels_number result, void *out, size_t out_stride);
  void (*round)(size_t count, const float *x, uint16_t *out);
  // One row of kernels_quantize.
  kernels_step (*quantize)(kernels_number number, size_t width, const void *x, uint8_t *out);
  // The layer norm of one row.
  void (*norm)(const float *gamma, const float *beta, float epsilon, size_t width, const float *x, float *out);
} matmul_set;

extern const matmul_set matmul_portable;
#if defined(__x86_64__)
extern const matmul_set matmul_avx2, matmul_avx512, matmul_avx512_vnni, matmul_avx512_bf16, matmul_amx;
#endif

const matmul_set *matmul_set_of(kernels_isa isa);

// Asks for the next lines: of each piece those at its start and at every 64 bytes behind it.
static inline void ask_ahead(kernels_ahead *ahead) {
  for (size_t lines = ahead->lines; lines > 0 && ahead->count > 0; lines--) {
    __builtin_prefetch((const char *)ahead->pieces->start + ahead->offset, 0, 2);
    ahead->offset += 64;
    if (ahead->offset < ahead->pieces->bytes) continue;
    ahead->offset = 0;
    ahead->pieces++;
    ahead->count--;
  }
}

// The most rows of any set's tile, and the most columns.
enum { MATMUL_MAX_ROWS = 32, MATMUL_MAX_COLUMNS = 32 };

// Rows of tile number `tile` when `rows` rows are cut into as few tiles of at most `most` rows as can be, of equal
// size up to one: a short last tile would read its panel for nothing.
static inline size_t tile_count(size_t rows, size_t most) { return (rows + most - 1) / most; }
static inline size_t tile_start(size_t rows, size_t tiles, size_t tile) { return rows * tile / tiles; }

#endif
