#include "kernels_attention.h"

#include <math.h>
#include <string.h>

#include "matmul.h"

// A head's memory: panels of keys (outputs are tokens, inputs the width), then of values (outputs are the width,
// inputs the tokens).

static size_t rounded_up(size_t count, size_t to) { return (count + to - 1) / to * to; }

static size_t key_bytes(kernels_isa isa, kernels_number number, size_t tokens, size_t width) {
  return kernels_panel_bytes(isa, number, width, tokens);
}

// Scores of a query: whole panels of keys, and so whole words of weights.
static size_t score_count(const matmul_set *set, size_t tokens) { return rounded_up(tokens, set->columns); }

size_t kernels_head_bytes(kernels_isa isa, kernels_number number, size_t tokens, size_t width) {
  return key_bytes(isa, number, tokens, width) + kernels_panel_bytes(isa, number, tokens, width);
}

size_t kernels_attend_bytes(kernels_isa isa, kernels_number number, size_t tokens, size_t width) {
  const matmul_set *set = matmul_set_of(isa);
  const size_t scores = score_count(set, tokens), sums = rounded_up(width, set->columns);
  return set->rows * (4 * scores + (number == KERNELS_BF16 ? 2 * scores : 0) + 4 * sums +
                      kernels_row_bytes(number, width));
}

void kernels_pack_head(kernels_isa isa, kernels_number number, const void *keys, const void *values, size_t stride,
                       size_t tokens, size_t width, void *head) {
  const size_t columns = matmul_set_of(isa)->columns, per_word = kernels_numbers_per_word(number);
  const size_t size = 4 / per_word, words = kernels_row_bytes(number, width) / 4;
  memset(head, 0, kernels_head_bytes(isa, number, tokens, width));
  // A key fills a column: word w of it lies in row w of its panel.
  for (size_t token = 0; token < tokens; token++) {
    const char *key = (const char *)keys + token * stride;
    char *column = (char *)head + 4 * (token / columns * columns * words + token % columns);
    size_t w = 0;
    for (; (w + 1) * per_word <= width; w++) memcpy(column + 4 * w * columns, key + 4 * w, 4);
    if (w < words) memcpy(column + 4 * w * columns, key + 4 * w, width * size - 4 * w);
  }
  // The values of `per_word` tokens are interleaved.
  char *panels = (char *)head + key_bytes(isa, number, tokens, width);
  const size_t token_words = kernels_row_bytes(number, tokens) / 4;
  for (size_t start = 0; start < width; start += columns, panels += 4 * columns * token_words) {
    const size_t count = width - start < columns ? width - start : columns;
    for (size_t token = 0; token < tokens; token++) {
      const char *value = (const char *)values + token * stride + start * size;
      char *row = panels + 4 * (token / per_word * columns) + token % per_word * size;
      if (number == KERNELS_F32) {
        memcpy(row, value, 4 * count);
      } else {
        for (size_t i = 0; i < count; i++) memcpy(row + 4 * i, value + 2 * i, 2);
      }
    }
  }
}

void kernels_attend(kernels_isa isa, kernels_number number, const void *queries, size_t stride, size_t rows,
                    const void *head, size_t tokens, size_t width, void *scratch, void *out, size_t out_stride) {
  const matmul_set *set = matmul_set_of(isa);
  const size_t columns = set->columns, words = kernels_row_bytes(number, width) / 4;
  const size_t scores = score_count(set, tokens), sums = rounded_up(width, columns);
  const size_t token_words = kernels_row_bytes(number, tokens) / 4, size = 4 / kernels_numbers_per_word(number);
  const float factor = 1 / sqrtf((float)width);
  float *strip = scratch;
  float *gathered = strip + set->rows * scores;
  uint32_t *query = (uint32_t *)(gathered + set->rows * sums);
  void *weights = number == KERNELS_BF16 ? (void *)(query + set->rows * words) : (void *)strip;
  const size_t weight_stride = scores * size;
  const uint32_t *keys = head;
  const uint32_t *values = (const uint32_t *)((const char *)head + key_bytes(isa, number, tokens, width));
  const size_t tiles = tile_count(rows, set->rows);
  for (size_t tile = 0; tile < tiles; tile++) {
    const size_t start = tile_start(rows, tiles, tile), count = tile_start(rows, tiles, tile + 1) - start;
    // A row of queries may end inside a word that belongs to the next head.
    memset(query, 0, 4 * count * words);
    for (size_t r = 0; r < count; r++) {
      memcpy(query + r * words, (const char *)queries + (start + r) * stride, width * size);
    }
    for (size_t column = 0; column < scores; column += columns) {
      set->tile[number](count, query, words, keys + column * words, words, (uint32_t *)strip + column, scores);
    }
    float reciprocals[MATMUL_MAX_ROWS];
    set->weigh(count, strip, scores, tokens, scores, factor, number, weights, weight_stride, reciprocals);
    for (size_t column = 0; column < sums; column += columns) {
      set->tile[number](count, weights, weight_stride / 4, values + column * token_words, token_words,
                        (uint32_t *)gathered + column, sums);
    }
    set->scale(count, gathered, sums, reciprocals, width, number, (char *)out + start * out_stride, out_stride);
  }
}
