#if defined(__x86_64__)

#include <immintrin.h>

#define SET matmul_amx
#define TARGET                                                                                                    \
  __attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2," \
                        "fma")))
#define LANES_OF_A_REGISTER 16
#define ROWS 12
#define FUSED 1
#define DOT_I8(sum, a, b) ((words)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#define DOT_BF16(sum, a, b) ((words)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#define ROUND_BF16(values) _mm512_cvtneps_pbh((__m512)(values))
#define MATRIX_ROWS 32
#define MATRIX_BF16 matrix_bf16
#define MATRIX_I8 matrix_i8

#include "matmul_body.h"

// A panel is what the processor's tiles want: a row of one holds a word of each of 16 outputs. The tiles 0 to 3 hold the
// sums of up to 32 rows with 32 outputs, 4 and 5 the rows, 6 and 7 the outputs of a panel.
enum { TILE_ROWS = 16, TILE_WORDS = 16, ROW_BYTES = 64 };

typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_shapes;

TARGET_INLINE void shape_tiles(size_t upper, size_t lower) {
  tile_shapes shapes = {.palette = 1};
  const size_t rows[8] = {upper, upper, lower, lower, upper, lower, TILE_WORDS, TILE_WORDS};
  for (size_t tile = 0; tile < 8; tile++) {
    shapes.rows[tile] = (uint8_t)rows[tile];
    shapes.row_bytes[tile] = rows[tile] ? ROW_BYTES : 0;
  }
  _tile_loadconfig(&shapes);
}

// The sums over whole blocks of TILE_WORDS words; `rows` up to MATRIX_ROWS.
#define MATRIX(name, MULTIPLY)                                                                               \
  TARGET static void name##_blocks(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel,     \
                                   size_t blocks, uint32_t *sums, size_t sums_stride,                        \
                                   kernels_ahead *ahead) {                                                   \
    const size_t upper = rows < TILE_ROWS ? rows : TILE_ROWS, lower = rows - upper;                          \
    const uint32_t *below = x + upper * stride;                                                              \
    uint32_t *sums_below = sums + upper * sums_stride;                                                       \
    shape_tiles(upper, lower);                                                                               \
    _tile_zero(0);                                                                                           \
    _tile_zero(1);                                                                                           \
    if (lower) {                                                                                             \
      _tile_zero(2);                                                                                         \
      _tile_zero(3);                                                                                         \
    }                                                                                                        \
    for (size_t block = 0; block < blocks; block++, panel += TILE_WORDS * COLUMNS) {                         \
      if (ahead) ask_ahead(ahead);                                                                           \
      _tile_loadd(6, panel, 4 * COLUMNS);                                                                    \
      _tile_loadd(7, panel + LANES_OF_A_REGISTER, 4 * COLUMNS);                                              \
      _tile_loadd(4, x + block * TILE_WORDS, 4 * stride);                                                    \
      MULTIPLY(0, 4, 6);                                                                                     \
      MULTIPLY(1, 4, 7);                                                                                     \
      if (lower) {                                                                                           \
        _tile_loadd(5, below + block * TILE_WORDS, 4 * stride);                                              \
        MULTIPLY(2, 5, 6);                                                                                   \
        MULTIPLY(3, 5, 7);                                                                                   \
      }                                                                                                      \
    }                                                                                                        \
    _tile_stored(0, sums, 4 * sums_stride);                                                                  \
    _tile_stored(1, sums + LANES_OF_A_REGISTER, 4 * sums_stride);                                            \
    if (lower) {                                                                                             \
      _tile_stored(2, sums_below, 4 * sums_stride);                                                          \
      _tile_stored(3, sums_below + LANES_OF_A_REGISTER, 4 * sums_stride);                                    \
    }                                                                                                        \
    _tile_release();                                                                                         \
  }

MATRIX(matrix_bf16, _tile_dpbf16ps)
MATRIX(matrix_i8, _tile_dpbusd)

#define ADD_FLOATS(a, b) ((a) + (b))
#define ADD_INTS(a, b) ((floats)((words)(a) + (words)(b)))

// Words that fill no block are multiplied as elsewhere, and added to those sums.
#define MATRIX_TILE(name, tile, ADD)                                                                           \
  TARGET static void name(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel, size_t count,  \
                          uint32_t *sums, size_t sums_stride, kernels_ahead *ahead) {                          \
    const size_t blocks = count / TILE_WORDS, whole = blocks * TILE_WORDS;                                     \
    if (blocks) name##_blocks(rows, x, stride, panel, blocks, sums, sums_stride, ahead);                       \
    if (blocks && whole == count) return;                                                                      \
    uint32_t rest[ROWS * COLUMNS];                                                                             \
    for (size_t start = 0; start < rows; start += ROWS) {                                                      \
      const size_t some = rows - start < ROWS ? rows - start : ROWS;                                           \
      tile(some, x + start * stride + whole, stride, panel + whole * COLUMNS, count - whole, rest, COLUMNS,    \
           NULL);                                                                                              \
      for (size_t i = 0; i < some * COLUMNS; i += LANES_OF_A_REGISTER) {                                       \
        uint32_t *target = sums + (start + i / COLUMNS) * sums_stride + i % COLUMNS;                           \
        store(target, blocks ? ADD(load(target), load(rest + i)) : load(rest + i));                            \
      }                                                                                                        \
    }                                                                                                          \
  }

MATRIX_TILE(matrix_bf16, tile_bf16, ADD_FLOATS)
MATRIX_TILE(matrix_i8, tile_i8, ADD_INTS)

#endif
