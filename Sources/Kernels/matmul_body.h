// The body of a matmul_set, compiled once for each instruction set by the files matmul_*.c, which define
//
//   SET           the name of the matmul_set
//   TARGET        the target attribute of its functions
//   LANES_OF_A_REGISTER, ROWS   floats in a register; rows of a tile, so that ROWS x 2 sums fit the registers
//   FUSED         whether multiply-add is one instruction
//   DOT_BF16, DOT_I8   optional: sum + dot of two words in each lane, by one instruction
//   PAIRS_I16     optional: products of 16-bit integers, two summed to one of 32 bits, by one instruction
//   BF16_ROWS, I8_ROWS   optional: fewer rows at a time, for dots of several instructions, which need registers
//   ROUND_BF16    optional: floats to bfloat16, by one instruction
//   MATRIX_BF16, MATRIX_I8, MATRIX_ROWS   optional: tiles of the file's own, defined behind the body, and their rows

#include <math.h>
#include <string.h>

#include "matmul.h"
#include "transformer_rows.h"

#define TARGET_INLINE TARGET __attribute__((always_inline)) static inline

enum { COLUMNS = 2 * LANES_OF_A_REGISTER };

typedef float floats __attribute__((vector_size(4 * LANES_OF_A_REGISTER)));
typedef int32_t ints __attribute__((vector_size(4 * LANES_OF_A_REGISTER)));
typedef uint32_t words_in_memory __attribute__((vector_size(4 * LANES_OF_A_REGISTER), aligned(4), may_alias));
typedef uint16_t halves __attribute__((vector_size(2 * LANES_OF_A_REGISTER)));
typedef int16_t shorts __attribute__((vector_size(4 * LANES_OF_A_REGISTER)));
typedef uint32_t words __attribute__((vector_size(4 * LANES_OF_A_REGISTER)));
typedef uint8_t bytes __attribute__((vector_size(LANES_OF_A_REGISTER)));

#if FUSED
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

TARGET_INLINE words dot_f32(words sum, words a, words b) {
  return (words)MULTIPLY_ADD((floats)a, (floats)b, (floats)sum);
}

#ifndef DOT_BF16
TARGET_INLINE words dot_bf16(words sum, words a, words b) {
  const words high = (words){} + 0xFFFF0000u;
  floats s = MULTIPLY_ADD((floats)(a & high), (floats)(b & high), (floats)sum);
  return (words)MULTIPLY_ADD((floats)(a << 16), (floats)(b << 16), s);
}
#define DOT_BF16 dot_bf16
#endif

#if !defined(DOT_I8) && defined(PAIRS_I16)
// Bytes 0 and 2 of a word, then 1 and 3. Exact, which products of bytes are not: those saturate.
TARGET_INLINE words dot_i8(words sum, words a, words b) {
  const words even = PAIRS_I16(a & 0x00FF00FFu, (shorts)b << 8 >> 8);
  const words odd = PAIRS_I16((a >> 8) & 0x00FF00FFu, (shorts)b >> 8);
  return sum + even + odd;
}
#define DOT_I8 dot_i8
#elif !defined(DOT_I8)
TARGET_INLINE words dot_i8(words sum, words a, words b) {
  ints s = (ints)sum;
#pragma clang loop unroll(full)
  for (int shift = 0; shift < 32; shift += 8) {
    s += (ints)((a >> shift) & 255) * ((ints)(b << (24 - shift)) >> 24);
  }
  return (words)s;
}
#define DOT_I8 dot_i8
#endif

// The sums of one tile stay in registers: `rows` is a constant wherever this is inlined. The loop over words must
// not be unrolled: the compiler then runs out of registers and spills sums (tools/check-kernels looks).
#define TILE(name, DOT, most)                                                                                  \
  TARGET_INLINE void name##_rows(const size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel,   \
                                 size_t count, uint32_t *sums, size_t sums_stride, kernels_ahead *ahead) {     \
    words sum[ROWS][2];                                                                                        \
    _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) {                                     \
      sum[r][0] = (words){};                                                                                   \
      sum[r][1] = (words){};                                                                                   \
    }                                                                                                          \
    const size_t most_words = ahead ? KERNELS_AHEAD_WORDS : count;                                             \
    for (size_t k = 0; k < count;) {                                                                           \
      if (ahead) ask_ahead(ahead);                                                                             \
      const size_t end = count - k < most_words ? count : k + most_words;                                      \
      _Pragma("clang loop unroll(disable)") for (; k < end; k++, panel += COLUMNS) {                           \
        const words left = *(const words_in_memory *)panel;                                                    \
        const words right = *(const words_in_memory *)(panel + LANES_OF_A_REGISTER);                           \
        _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) {                                 \
          const words a = (words){} + x[r * stride + k];                                                       \
          sum[r][0] = DOT(sum[r][0], a, left);                                                                 \
          sum[r][1] = DOT(sum[r][1], a, right);                                                                \
        }                                                                                                      \
      }                                                                                                        \
    }                                                                                                          \
    _Pragma("clang loop unroll(full)") for (size_t r = 0; r < rows; r++) {                                     \
      *(words_in_memory *)(sums + r * sums_stride) = sum[r][0];                                                \
      *(words_in_memory *)(sums + r * sums_stride + LANES_OF_A_REGISTER) = sum[r][1];                          \
    }                                                                                                          \
  }                                                                                                            \
  TARGET static void name(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel, size_t count,  \
                          uint32_t *sums, size_t sums_stride, kernels_ahead *ahead) {                          \
    if (most < ROWS) {                                                                                         \
      for (; rows > most; rows -= most, x += most * stride, sums += most * sums_stride) {                      \
        name##_rows(most, x, stride, panel, count, sums, sums_stride, ahead);                                  \
      }                                                                                                        \
    }                                                                                                          \
    switch (rows) {                                                                                            \
      CASES(name)                                                                                              \
    }                                                                                                          \
  }

#define CASE(name, n)                                                  \
  case n:                                                              \
    name##_rows(n, x, stride, panel, count, sums, sums_stride, ahead); \
    return;
#if ROWS == 4
#define CASES(name) CASE(name, 1) CASE(name, 2) CASE(name, 3) CASE(name, 4)
#elif ROWS == 6
#define CASES(name) CASE(name, 1) CASE(name, 2) CASE(name, 3) CASE(name, 4) CASE(name, 5) CASE(name, 6)
#else
#define CASES(name)                                                                                \
  CASE(name, 1) CASE(name, 2) CASE(name, 3) CASE(name, 4) CASE(name, 5) CASE(name, 6) CASE(name, 7) \
  CASE(name, 8) CASE(name, 9) CASE(name, 10) CASE(name, 11) CASE(name, 12)
#endif

#ifndef BF16_ROWS
#define BF16_ROWS ROWS
#endif
#ifndef I8_ROWS
#define I8_ROWS ROWS
#endif

TILE(tile_f32, dot_f32, ROWS)
TILE(tile_bf16, DOT_BF16, BF16_ROWS)
TILE(tile_i8, DOT_I8, I8_ROWS)

// Select without a branch: yes where the condition holds.
TARGET_INLINE floats chosen(ints condition, floats yes, floats no) {
  return (floats)((condition & (ints)yes) | (~condition & (ints)no));
}

TARGET_INLINE floats load(const void *values) { return (floats)*(const words_in_memory *)values; }
TARGET_INLINE void store(void *target, floats values) { *(words_in_memory *)target = (words)values; }

#ifndef ROUND_BF16
// To nearest even, in the low half of each lane; NaN as round_bf16 has it.
TARGET_INLINE void store_bf16(void *target, floats values) {
  const words bits = (words)values;
  const words rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const words quiet = (bits >> 16) | 0x40u;
  const words is_number = (words)(values == values);
  const halves result = __builtin_convertvector((rounded & is_number) | (quiet & ~is_number), halves);
  memcpy(target, &result, sizeof result);
}
#else
TARGET_INLINE void store_bf16(void *target, floats values) {
  const halves result = (halves)ROUND_BF16(values);
  memcpy(target, &result, sizeof result);
}
#endif

// The vectors of exponential, gelu and quick_gelu.
TARGET_INLINE floats exponentials(floats x) {
  const floats shifted = MULTIPLY_ADD(x, (floats){} + 1.44269504f, (floats){} + 12582912.0f);
  const floats n = shifted - 12582912.0f;
  const floats r = MULTIPLY_ADD(n, (floats){} + 2.12194440e-4f, MULTIPLY_ADD(n, (floats){} - 0.693359375f, x));
  const floats p = EXPONENTIAL_POLYNOMIAL(MULTIPLY_ADD, (floats){}, r);
  return MULTIPLY_ADD(p, r * r, r + 1.0f) * (floats)(((words)shifted << 23) + 0x3F800000u);
}

// 2^x for -126 < x <= 0: 2^n (1 + ...) with n the nearest whole number, which 1.5 * 2^23 leaves in the low bits.
TARGET_INLINE floats powers_of_two(kernels_number number, floats x) {
  const floats shifted = x + 12582912.0f;
  const floats r = x - (shifted - 12582912.0f);
  const floats p = number == KERNELS_BF16 ? QUICK_POWER_POLYNOMIAL(MULTIPLY_ADD, (floats){}, r)
                                          : POWER_POLYNOMIAL(MULTIPLY_ADD, (floats){}, r);
  return (floats)((words)p + ((words)shifted << 23));
}

TARGET_INLINE floats gelus(floats v) {
  floats a = (floats)((words)v & 0x7FFFFFFFu);
  a = chosen(a > 13.0f, (floats){} + 13.0f, a);
  const floats t = 1.0f / MULTIPLY_ADD(a, (floats){} + 0.3f, (floats){} + 1.0f);
  const floats r = GELU_POLYNOMIAL(MULTIPLY_ADD, (floats){}, t);
  return chosen(v < 0.0f, (floats){}, v) - a * exponentials(-0.5f * a * a) * r;
}

TARGET_INLINE floats quick_gelus(floats v) {
  floats a = chosen(v > 4.4f, (floats){} + 4.4f, v);
  a = chosen(a < -4.4f, (floats){} - 4.4f, a);
  const floats p = QUICK_GELU_POLYNOMIAL(MULTIPLY_ADD, (floats){}, a * a);
  return v * MULTIPLY_ADD(a, p, (floats){} + 0.5f);
}

TARGET_INLINE floats rough_gelus(floats v) {
  floats a = chosen(v > 4.0f, (floats){} + 4.0f, v);
  a = chosen(a < -4.0f, (floats){} - 4.0f, a);
  return v * MULTIPLY_ADD(a, ROUGH_GELU_POLYNOMIAL(MULTIPLY_ADD, (floats){}, a * a), (floats){} + 0.5f);
}

// A tile's end where all is known but the numbers. `out` has room for whole panels.
TARGET_INLINE void finish_tile(const int is_i8, const kernels_ending ending, const kernels_number result,
                               const kernels_product *product, const uint32_t *sums, size_t rows,
                               const kernels_step *steps, size_t first, void *out, size_t out_stride) {
  _Pragma("clang loop unroll(full)") for (size_t half = 0; half < 2; half++) {
    const size_t at = half * LANES_OF_A_REGISTER;
    const floats bias = product->bias ? load(product->bias + first + at) : (floats){};
    const floats scale = is_i8 ? load(product->scale + first + at) : (floats){};
    const ints weights = is_i8 ? (ints)load(product->sums + first + at) : (ints){};
    const int is_scaled = is_i8 && ending == KERNELS_GELU && product->factors;
    const floats factor = is_scaled ? load(product->factors + first + at) : (floats){} + 1.0f;
    for (size_t r = 0; r < rows; r++) {
      floats p = load(sums + r * COLUMNS + at);
      if (is_i8) {
        const ints whole = (ints)p - weights * steps[r].zero;
        p = MULTIPLY_ADD(__builtin_convertvector(whole, floats), scale * steps[r].scale, bias);
      } else {
        p += bias;
      }
      char *target = (char *)out + r * out_stride;
      if (ending == KERNELS_GELU) p = result == KERNELS_F32 ? gelus(p) : is_i8 ? rough_gelus(p) : quick_gelus(p);
      if (is_i8 && ending == KERNELS_GELU) p *= factor;
      if (ending == KERNELS_RESIDUAL) p += load(target + 4 * at);
      if (result == KERNELS_F32)
        store(target + 4 * at, p);
      else
        store_bf16(target + 2 * at, p);
    }
  }
}

TARGET_INLINE void finish_sums(const int is_i8, const kernels_product *product, const uint32_t *sums, size_t rows,
                               const kernels_step *steps, size_t first, kernels_ending ending,
                               kernels_number result, void *out, size_t out_stride) {
#define END(ending, result) \
  finish_tile(is_i8, ending, result, product, sums, rows, steps, first, out, out_stride)
  if (ending == KERNELS_RESIDUAL)
    END(KERNELS_RESIDUAL, KERNELS_F32);
  else if (ending == KERNELS_GELU && result == KERNELS_F32)
    END(KERNELS_GELU, KERNELS_F32);
  else if (ending == KERNELS_GELU)
    END(KERNELS_GELU, KERNELS_BF16);
  else if (result == KERNELS_F32)
    END(KERNELS_STORE, KERNELS_F32);
  else
    END(KERNELS_STORE, KERNELS_BF16);
}

TARGET static void finish(const kernels_product *product, const uint32_t *sums, size_t rows, const kernels_step *steps,
                          size_t first, kernels_ending ending, kernels_number result, void *out, size_t out_stride) {
  if (product->number == KERNELS_I8)
    finish_sums(1, product, sums, rows, steps, first, ending, result, out, out_stride);
  else
    finish_sums(0, product, sums, rows, steps, first, ending, result, out, out_stride);
}

TARGET_INLINE void weigh_as(const kernels_number number, size_t rows, float *scores, size_t stride, size_t tokens,
                            size_t padded, float factor, void *out, size_t out_stride, float *reciprocals) {
  for (size_t r = 0; r < rows; r++, scores += stride, out = (char *)out + out_stride) {
    // What lies beyond the tokens weighs next to nothing, 2^-125, and stands for values of 0.
    for (size_t i = tokens; i < padded; i++) scores[i] = -INFINITY;
    floats most = load(scores);
    for (size_t i = LANES_OF_A_REGISTER; i < padded; i += LANES_OF_A_REGISTER) {
      const floats next = load(scores + i);
      most = chosen(next > most, next, most);
    }
    float largest = most[0];
    for (size_t l = 1; l < LANES_OF_A_REGISTER; l++) largest = most[l] > largest ? most[l] : largest;

    // A score that is NaN may get any weight: the value that it belongs to is NaN, and so is the sum of values.
    const float to_base_2 = factor * 1.44269504f;
    const floats offset = (floats){} - largest * to_base_2;
    floats sum = {};
    for (size_t i = 0; i < padded; i += LANES_OF_A_REGISTER) {
      const floats below = MULTIPLY_ADD(load(scores + i), (floats){} + to_base_2, offset);
      const floats weight = powers_of_two(number, chosen(below < -125.0f, (floats){} - 125.0f, below));
      sum += weight;
      if (number == KERNELS_F32)
        store(scores + i, weight);
      else
        store_bf16((uint16_t *)out + i, weight);
    }
    float total = 0;
    for (size_t l = 0; l < LANES_OF_A_REGISTER; l++) total += sum[l];
    reciprocals[r] = 1.0f / total;
  }
}

TARGET static void weigh(size_t rows, float *scores, size_t stride, size_t tokens, size_t padded, float factor,
                         kernels_number number, void *out, size_t out_stride, float *reciprocals) {
  if (number == KERNELS_F32)
    weigh_as(KERNELS_F32, rows, scores, stride, tokens, padded, factor, out, out_stride, reciprocals);
  else
    weigh_as(KERNELS_BF16, rows, scores, stride, tokens, padded, factor, out, out_stride, reciprocals);
}

TARGET static void scale(size_t rows, const float *sums, size_t sums_stride, const float *factors, size_t columns,
                         kernels_number result, void *out, size_t out_stride) {
  for (size_t r = 0; r < rows; r++, sums += sums_stride, out = (char *)out + out_stride) {
    const size_t bytes = result == KERNELS_F32 ? 4 : 2;
    size_t c = 0;
    for (; c + LANES_OF_A_REGISTER <= columns; c += LANES_OF_A_REGISTER) {
      const floats scaled = load(sums + c) * factors[r];
      if (result == KERNELS_F32)
        store((char *)out + bytes * c, scaled);
      else
        store_bf16((char *)out + bytes * c, scaled);
    }
    for (; c < columns; c++) {
      const float scaled = sums[c] * factors[r];
      if (result == KERNELS_F32)
        ((float *)out)[c] = scaled;
      else
        ((uint16_t *)out)[c] = round_bf16(scaled);
    }
  }
}

TARGET static void round_all(size_t count, const float *x, uint16_t *out) {
  size_t i = 0;
  for (; i + LANES_OF_A_REGISTER <= count; i += LANES_OF_A_REGISTER) store_bf16(out + i, load(x + i));
  for (; i < count; i++) out[i] = round_bf16(x[i]);
}

#include "quantize_body.h"

#ifdef MATRIX_ROWS
TARGET static void MATRIX_BF16(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel, size_t count,
                               uint32_t *sums, size_t sums_stride, kernels_ahead *ahead);
TARGET static void MATRIX_I8(size_t rows, const uint32_t *x, size_t stride, const uint32_t *panel, size_t count,
                             uint32_t *sums, size_t sums_stride, kernels_ahead *ahead);
#else
#define MATRIX_BF16 tile_bf16
#define MATRIX_I8 tile_i8
#define MATRIX_ROWS ROWS
#endif

const matmul_set SET = {COLUMNS, {ROWS, MATRIX_ROWS, MATRIX_ROWS}, {tile_f32, MATRIX_BF16, MATRIX_I8},
                        finish, weigh, scale, round_all, quantize, norm};
