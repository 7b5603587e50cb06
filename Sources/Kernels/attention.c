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
  return set->rows[number] * (4 * scores + (number == KERNELS_BF16 ? 2 * scores : 0) + 4 * sums +
                      kernels_row_bytes(number, width));
}

typedef uint32_t four_words __attribute__((vector_size(16)));

// out[j][i] = in[i][j] for words [4, 4]; rows lie `stride` and `out_stride` bytes apart.
static void transpose(const char *in, size_t stride, char *out, size_t out_stride) {
  four_words row[4];
  for (size_t i = 0; i < 4; i++) memcpy(&row[i], in + i * stride, sizeof row[i]);
  const four_words a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const four_words b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const four_words c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const four_words d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const four_words column[4] = {
      __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
      __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (size_t i = 0; i < 4; i++) memcpy(out + i * out_stride, &column[i], sizeof column[i]);
}

// A key fills a column of a panel: word w of it lies in row w.
static void pack_keys(size_t columns, size_t size, const char *keys, size_t stride, size_t tokens, size_t width,
                      char *panels) {
  const size_t words = (width * size + 3) / 4, quads = width * size / 16 * 4;
  for (size_t start = 0; start < tokens; start += columns, keys += columns * stride, panels += 4 * columns * words) {
    const size_t count = tokens - start < columns ? tokens - start : columns;
    if (count < columns || quads < words) memset(panels, 0, 4 * columns * words);
    size_t token = 0;
    for (; token + 4 <= count; token += 4) {
      for (size_t w = 0; w < quads; w += 4) {
        transpose(keys + token * stride + 4 * w, stride, panels + 4 * (w * columns + token), 4 * columns);
      }
    }
    for (size_t i = 0; i < count; i++) {
      for (size_t w = i < token ? quads : 0; w < words; w++) {
        const size_t left = width * size - 4 * w;
        memcpy(panels + 4 * (w * columns + i), keys + i * stride + 4 * w, left < 4 ? left : 4);
      }
    }
  }
}

// Interleaves two rows of bfloat16; NULL is one of zeros.
static void pair(const uint16_t *first, const uint16_t *second, size_t count, uint32_t *out) {
  for (size_t i = 0; i < count; i++) out[i] = first[i] | (second ? (uint32_t)second[i] << 16 : 0);
}

// The values of as many tokens as a word has numbers are interleaved.
static void pack_values(size_t columns, size_t size, const char *values, size_t stride, size_t tokens, size_t width,
                        char *panels) {
  const size_t words = (tokens * size + 3) / 4;
  for (size_t start = 0; start < width; start += columns, values += columns * size, panels += 4 * columns * words) {
    const size_t count = width - start < columns ? width - start : columns;
    if (count < columns) memset(panels, 0, 4 * columns * words);
    for (size_t w = 0; w < words; w++) {
      char *row = panels + 4 * w * columns;
      if (size == 4) {
        memcpy(row, values + w * stride, 4 * count);
        continue;
      }
      const char *value = values + 2 * w * stride;
      pair((const uint16_t *)(const void *)value,
           2 * w + 1 < tokens ? (const uint16_t *)(const void *)(value + stride) : NULL, count,
           (uint32_t *)(void *)row);
    }
  }
}

void kernels_pack_head(kernels_isa isa, kernels_number number, const void *keys, const void *values, size_t stride,
                       size_t tokens, size_t width, void *head) {
  const size_t columns = matmul_set_of(isa)->columns, size = 4 / kernels_numbers_per_word(number);
  pack_keys(columns, size, keys, stride, tokens, width, head);
  pack_values(columns, size, values, stride, tokens, width, (char *)head + key_bytes(isa, number, tokens, width));
}

void kernels_attend(kernels_isa isa, kernels_number number, const void *queries, size_t stride, size_t rows,
                    const void *head, size_t tokens, size_t width, void *scratch, void *out, size_t out_stride) {
  const matmul_set *set = matmul_set_of(isa);
  const size_t columns = set->columns, words = kernels_row_bytes(number, width) / 4;
  const size_t scores = score_count(set, tokens), sums = rounded_up(width, columns);
  const size_t token_words = kernels_row_bytes(number, tokens) / 4, size = 4 / kernels_numbers_per_word(number);
  const size_t most = set->rows[number];
  const float factor = 1 / sqrtf((float)width);
  float *strip = scratch;
  float *gathered = strip + most * scores;
  uint32_t *query = (uint32_t *)(gathered + most * sums);
  void *weights = number == KERNELS_BF16 ? (void *)(query + most * words) : (void *)strip;
  const size_t weight_stride = scores * size;
  const uint32_t *keys = head;
  const uint32_t *values = (const uint32_t *)((const char *)head + key_bytes(isa, number, tokens, width));
  const int are_words = width * size % 4 == 0 && stride % 4 == 0 && (uintptr_t)queries % 4 == 0;
  const size_t tiles = tile_count(rows, most);
  for (size_t tile = 0; tile < tiles; tile++) {
    const size_t start = tile_start(rows, tiles, tile), count = tile_start(rows, tiles, tile + 1) - start;
    const uint32_t *own = (const uint32_t *)(const void *)((const char *)queries + start * stride);
    // A row of queries may end inside a word that belongs to the next head.
    if (!are_words) {
      memset(query, 0, 4 * count * words);
      for (size_t r = 0; r < count; r++) {
        memcpy(query + r * words, (const char *)queries + (start + r) * stride, width * size);
      }
      own = query;
    }
    for (size_t column = 0; column < scores; column += columns) {
      set->tile[number](count, own, are_words ? stride / 4 : words, keys + column * words, words,
                        (uint32_t *)strip + column, scores, NULL);
    }
    float reciprocals[MATMUL_MAX_ROWS];
    set->weigh(count, strip, scores, tokens, scores, factor, number, weights, weight_stride, reciprocals);
    for (size_t column = 0; column < sums; column += columns) {
      set->tile[number](count, weights, weight_stride / 4, values + column * token_words, token_words,
                        (uint32_t *)gathered + column, sums, NULL);
    }
    set->scale(count, gathered, sums, reciprocals, width, number, (char *)out + start * out_stride, out_stride);
  }
}
