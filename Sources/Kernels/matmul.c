#include "matmul.h"

#include <math.h>
#include <string.h>

#include "transformer_rows.h"

const matmul_set *matmul_set_of(kernels_isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case KERNELS_AMX: return &matmul_amx;
    case KERNELS_AVX512_BF16: return &matmul_avx512_bf16;
    case KERNELS_AVX512_VNNI: return &matmul_avx512_vnni;
    case KERNELS_AVX512: return &matmul_avx512;
    case KERNELS_AVX2: return &matmul_avx2;
    case KERNELS_PORTABLE: return &matmul_portable;
  }
#else
  (void)isa;
#endif
  return &matmul_portable;
}

size_t kernels_numbers_per_word(kernels_number number) { return (size_t)1 << number; }

static size_t word_count(kernels_number number, size_t inputs) {
  const size_t per_word = kernels_numbers_per_word(number);
  return (inputs + per_word - 1) / per_word;
}

size_t kernels_row_bytes(kernels_number number, size_t inputs) { return 4 * word_count(number, inputs); }

size_t kernels_panel_columns(kernels_isa isa) { return matmul_set_of(isa)->columns; }

size_t kernels_panels(kernels_isa isa, size_t outputs) {
  const size_t columns = kernels_panel_columns(isa);
  return (outputs + columns - 1) / columns;
}

size_t kernels_panel_bytes(kernels_isa isa, kernels_number number, size_t inputs, size_t outputs) {
  return kernels_panels(isa, outputs) * kernels_panel_columns(isa) * kernels_row_bytes(number, inputs);
}

void kernels_pack(kernels_isa isa, kernels_number number, const float *weights, size_t stride, size_t inputs,
                  size_t outputs, const float *scale, void *panels) {
  const size_t columns = kernels_panel_columns(isa), words = word_count(number, inputs);
  memset(panels, 0, kernels_panel_bytes(isa, number, inputs, outputs));
  for (size_t output = 0; output < outputs; output++) {
    const float *row = weights + output * stride;
    char *column = (char *)panels + 4 * (output / columns * columns * words + output % columns);
    const float inverse = scale && scale[output] > 0 ? 1 / scale[output] : 0;
    for (size_t i = 0; i < inputs; i++) {
      const size_t per_word = kernels_numbers_per_word(number);
      char *word = column + i / per_word * columns * 4;
      switch (number) {
        case KERNELS_F32: memcpy(word, row + i, 4); break;
        case KERNELS_BF16: ((uint16_t *)(void *)word)[i % 2] = round_bf16(row[i]); break;
        case KERNELS_I8: ((int8_t *)word)[i % 4] = (int8_t)fmaxf(-127, fminf(127, rintf(row[i] * inverse))); break;
      }
    }
  }
}

// Asks for the part of the next panel that falls to one of so many tiles, while this one is worked on.
static void prefetch(const uint32_t *panel, size_t words, size_t part, size_t parts) {
  const char *end = (const char *)(panel + words * (part + 1) / parts);
  for (const char *line = (const char *)(panel + words * part / parts); line < end; line += 64) {
    __builtin_prefetch(line, 0, 2);
  }
}

static void multiply(kernels_isa isa, const kernels_product *product, const void *x, size_t stride, size_t rows,
                     const kernels_step *steps, kernels_ending ending, kernels_number result, void *out,
                     size_t out_stride, kernels_ahead *ahead) {
  const matmul_set *set = matmul_set_of(isa);
  const size_t columns = set->columns, words = word_count(product->number, product->inputs);
  const size_t tiles = tile_count(rows, set->rows[product->number]), size = 4 / kernels_numbers_per_word(result);
  uint32_t sums[MATMUL_MAX_ROWS * MATMUL_MAX_COLUMNS] __attribute__((aligned(64)));
  float edge[MATMUL_MAX_ROWS * MATMUL_MAX_COLUMNS];
  const size_t panels = kernels_panels(isa, product->outputs);
  for (size_t panel = 0; panel < panels; panel++) {
    const uint32_t *weights = (const uint32_t *)product->panels + panel * columns * words;
    const size_t output = panel * columns;
    const size_t width = product->outputs - output < columns ? product->outputs - output : columns;
    for (size_t tile = 0; tile < tiles; tile++) {
      const size_t start = tile_start(rows, tiles, tile), height = tile_start(rows, tiles, tile + 1) - start;
      if (panel + 1 < panels) prefetch(weights + columns * words, columns * words, tile, tiles);
      set->tile[product->number](height, (const uint32_t *)((const char *)x + start * stride), stride / 4, weights,
                                 words, sums, columns, ahead);
      const kernels_step *own = steps ? steps + start : NULL;
      char *target = (char *)out + start * out_stride + output * size;
      if (width == columns) {
        set->finish(product, sums, height, own, output, ending, result, target, out_stride);
        continue;
      }
      // The last panel has columns that the result has no room for.
      for (size_t r = 0; r < height; r++) memcpy(edge + r * columns, target + r * out_stride, width * size);
      set->finish(product, sums, height, own, output, ending, result, edge, columns * 4);
      for (size_t r = 0; r < height; r++) memcpy(target + r * out_stride, edge + r * columns, width * size);
    }
  }
}

void kernels_matmul(kernels_isa isa, const kernels_product *product, const void *x, size_t stride, size_t rows,
                    const kernels_step *steps, kernels_ending ending, kernels_number result, void *out,
                    size_t out_stride) {
  multiply(isa, product, x, stride, rows, steps, ending, result, out, out_stride, NULL);
}

size_t kernels_matmul_turns(kernels_isa isa, kernels_number number, size_t inputs, size_t outputs, size_t rows) {
  const size_t words = word_count(number, inputs), turns = (words + KERNELS_AHEAD_WORDS - 1) / KERNELS_AHEAD_WORDS;
  return kernels_panels(isa, outputs) * tile_count(rows, matmul_set_of(isa)->rows[number]) * turns;
}

void kernels_matmul_ahead(kernels_isa isa, const kernels_product *product, const void *x, size_t stride, size_t rows,
                          void *out, size_t out_stride, kernels_ahead *ahead) {
  multiply(isa, product, x, stride, rows, NULL, KERNELS_STORE, KERNELS_F32, out, out_stride, ahead);
}

void kernels_begin_ahead(const kernels_ahead *ahead) {
  enum { PAGE = 4096 };
  for (size_t i = 0; i < ahead->count; i++) {
    const char *start = ahead->pieces[i].start, *last = start + ahead->pieces[i].bytes - 1;
    for (const char *place = start; place < last; place += PAGE) __builtin_prefetch(place, 0, 2);
    __builtin_prefetch(last, 0, 2);
  }
}

void kernels_round_bf16(kernels_isa isa, size_t count, const float *x, uint16_t *out) {
  matmul_set_of(isa)->round(count, x, out);
}
