// The bodies of the transformer kernels: plain C over eight lanes, which the compiler turns into the vector
// instructions of whatever function they are inlined into (transformer.c). Formulas and bounds stand in
// kernels_transformer.h.

#ifndef TRANSFORMER_ROWS_H
#define TRANSFORMER_ROWS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8 };

INLINE float sum_of_lanes(const float *lane) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

INLINE float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

INLINE uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Polynomials by Horner's rule, for scalars and vectors: M(a, b, c) = a * b + c, `zero` has the type.
#define MULTIPLY_THEN_ADD(a, b, c) ((a) * (b) + (c))
#define POLYNOMIAL_5(M, zero, x, a, b, c, d, e) \
  M(M(M(M(zero + a, x, zero + b), x, zero + c), x, zero + d), x, zero + e)
#define POLYNOMIAL_9(M, zero, x, a, b, c, d, e, f, g, h, i) \
  POLYNOMIAL_5(M, zero, x, POLYNOMIAL_5(M, zero, x, a, b, c, d, e), f, g, h, i)

#define EXPONENTIAL_POLYNOMIAL(M, zero, r) \
  POLYNOMIAL_5(M, zero, r, 1.3814613e-3f, 8.36871e-3f, 4.166839e-2f, 1.6666521e-1f, 4.9999994e-1f)
// 2^r, |r| <= 1/2, with a relative error of 7.5e-8, and of 7.5e-5 for weights that are rounded to bfloat16.
#define POWER_POLYNOMIAL(M, zero, r)                                                                  \
  M(POLYNOMIAL_5(M, zero, r, 1.3276471e-3f, 9.675541e-3f, 5.550713e-2f, 2.402212e-1f, 6.9314694e-1f), r, \
    zero + 1.0000001f)
#define QUICK_POWER_POLYNOMIAL(M, zero, r) \
  M(M(M(zero + 5.517167e-2f, r, zero + 2.4261113e-1f), r, zero + 6.9326097e-1f), r, zero + 9.9992806e-1f)
#define GELU_POLYNOMIAL(M, zero, t)                                                                               \
  POLYNOMIAL_9(M, zero, t, 3.8270984e-2f, -1.6864343e-1f, 2.2757778e-1f, -7.5265236e-2f, 1.4167547e-1f, 9.505122e-2f, \
               1.2182586e-1f, 1.19501e-1f, 6.382904e-6f)
// gelu(v) = v (1/2 + a P(a^2)), a being v held within +-4.4, without division or exponential: for results that are
// rounded to bfloat16. Error at most 5e-5 for |v| <= 12, 4e-6 |v| beyond (tools/fixtures/gelu.py).
#define QUICK_GELU_POLYNOMIAL(M, zero, s)                                                                          \
  POLYNOMIAL_9(M, zero, s, 3.5727452e-11f, -3.756724e-9f, 1.7417398e-7f, -4.72646e-6f, 8.4309366e-5f, -1.0550895e-3f, \
               9.643343e-3f, -6.607692e-2f, 3.9876187e-1f)

// The same, held within +-4, for results that are brought to 8 bits. Error at most 1.9e-4 for |v| <= 12
// (tools/fixtures/gelu.py).
#define ROUGH_GELU_POLYNOMIAL(M, zero, s)                                                                              \
  M(M(POLYNOMIAL_5(M, zero, s, 2.2782926e-08f, -1.5986778e-06f, 4.7957008e-05f, -0.0008140298f, 0.008772457f), s,      \
      zero + -0.06457326f), s, zero + 0.39788345f)

// e^x for -87 <= x <= 88, relative error below 3e-7; NaN for NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r + r^2 P(r), P fitted to a relative error of 3.1e-9.
INLINE float exponential(float x) {
  // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits: no conversion, which would be
  // undefined for NaN.
  const float shift = 12582912.0f;
  float shifted = x * 1.44269504f + shift;
  float n = shifted - shift;
  float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = EXPONENTIAL_POLYNOMIAL(MULTIPLY_THEN_ADD, 0.0f, r);
  float power_of_two = bits_to_float((float_to_bits(shifted) << 23) + 0x3F800000u);
  return (p * (r * r) + r + 1.0f) * power_of_two;
}

// gelu(v) = max(v, 0) - |v| Q(|v|), Q(a) = erfc(a / sqrt 2) / 2 = exp(-a^2 / 2) R(t), t = 1 / (1 + 0.3 a).
// R is fitted to a relative error of 5.7e-8 on 0 <= a <= 13 (tools/fixtures/gelu.py); beyond, the second term
// is below 1e-36 and a is held at 13. Both terms are smooth where v passes 0, so small results keep their
// relative accuracy.
INLINE float gelu(float v) {
  float a = fabsf(v);
  a = a > 13.0f ? 13.0f : a;
  float t = 1.0f / (1.0f + 0.3f * a);
  float r = GELU_POLYNOMIAL(MULTIPLY_THEN_ADD, 0.0f, t);
  float positive = v < 0.0f ? 0.0f : v;
  return positive - a * exponential(-0.5f * a * a) * r;
}

// To bfloat16, to nearest even; a NaN becomes a quiet one.
INLINE uint16_t round_bf16(float value) {
  uint32_t bits = float_to_bits(value);
  uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16) | 0x40u : rounded);
}

// Only e^-|v| is taken, which cannot overflow; -|v| e^-|v| / (1 + e^-|v|) is the same for negative v.
INLINE float silu(float v) {
  float a = fabsf(v);
  a = a > 87.0f ? 87.0f : a;
  float e = exponential(-a);
  return (v < 0.0f ? -a * e : v) / (1.0f + e);
}

// (1 - e^-2|v|) / (1 + e^-2|v|), with the sign of v; 1 in float32 from |v| = 9 on.
INLINE float hyperbolic_tangent(float v) {
  float a = fabsf(v);
  a = a > 40.0f ? 40.0f : a;
  float e = exponential(-2.0f * a);
  float t = (1.0f - e) / (1.0f + e);
  return v < 0.0f ? -t : t;
}

INLINE void layer_norm(const float *gamma, const float *beta, float epsilon, size_t rows, size_t width, const float *x,
                       float *out) {
  const size_t whole = width - width % LANES;
  for (size_t row = 0; row < rows; row++, x += width, out += width) {
    float lane[LANES] = {0};
    for (size_t i = 0; i < whole; i += LANES)
      for (size_t l = 0; l < LANES; l++) lane[l] += x[i + l];
    for (size_t i = whole; i < width; i++) lane[i - whole] += x[i];
    const float mean = sum_of_lanes(lane) / (float)width;

    float square[LANES] = {0};
    for (size_t i = 0; i < whole; i += LANES)
      for (size_t l = 0; l < LANES; l++) square[l] += (x[i + l] - mean) * (x[i + l] - mean);
    for (size_t i = whole; i < width; i++) square[i - whole] += (x[i] - mean) * (x[i] - mean);
    const float factor = 1.0f / sqrtf(sum_of_lanes(square) / (float)width + epsilon);

    for (size_t i = 0; i < width; i++) out[i] = (x[i] - mean) * factor * gamma[i] + beta[i];
  }
}

INLINE void softmax(size_t rows, size_t width, float *x) {
  if (width == 0) return;
  const size_t whole = width - width % LANES;
  for (size_t row = 0; row < rows; row++, x += width) {
    float largest[LANES];
    for (size_t l = 0; l < LANES; l++) largest[l] = x[0];
    for (size_t i = 0; i < whole; i += LANES)
      for (size_t l = 0; l < LANES; l++) largest[l] = x[i + l] > largest[l] ? x[i + l] : largest[l];
    for (size_t i = whole; i < width; i++) largest[0] = x[i] > largest[0] ? x[i] : largest[0];
    float max = largest[0];
    for (size_t l = 1; l < LANES; l++) max = largest[l] > max ? largest[l] : max;

    for (size_t i = 0; i < width; i++) {
      float below = x[i] - max;
      x[i] = exponential(below < -87.0f ? -87.0f : below);
    }

    float lane[LANES] = {0};
    for (size_t i = 0; i < whole; i += LANES)
      for (size_t l = 0; l < LANES; l++) lane[l] += x[i + l];
    for (size_t i = whole; i < width; i++) lane[i - whole] += x[i];
    const float factor = 1.0f / sum_of_lanes(lane);
    for (size_t i = 0; i < width; i++) x[i] *= factor;
  }
}

INLINE void dots(size_t count, const float *a, size_t rows, const float *x, size_t stride, size_t width, float *out,
                 size_t out_stride) {
  const size_t whole = width - width % LANES;
  for (size_t i = 0; i < count; i++, a += width, out += out_stride) {
    for (size_t j = 0; j < rows; j++) {
      const float *row = x + j * stride;
      float lane[LANES] = {0};
      for (size_t k = 0; k < whole; k += LANES)
        for (size_t l = 0; l < LANES; l++) lane[l] += a[k + l] * row[k + l];
      for (size_t k = whole; k < width; k++) lane[k - whole] += a[k] * row[k];
      out[j] = sum_of_lanes(lane);
    }
  }
}

INLINE void weighted_sums(size_t count, const float *weights, size_t rows, size_t width, const float *restrict x,
                          float *restrict out) {
  for (size_t i = 0; i < count * width; i++) out[i] = 0;
  for (size_t j = 0; j < rows; j++, x += width) {
    for (size_t i = 0; i < count; i++) {
      const float weight = weights[i * rows + j];
      float *restrict sums = out + i * width;
      for (size_t k = 0; k < width; k++) sums[k] += weight * x[k];
    }
  }
}

INLINE void silu_gate(const float *bias, size_t rows, size_t width, float *x) {
  for (size_t row = 0; row < rows; row++, x += 2 * width)
    for (size_t i = 0; i < width; i++) x[i] = silu(x[i] + bias[i]) * (x[width + i] + bias[width + i]);
}

INLINE void tanh_gelu_gate(const float *bias, size_t rows, size_t width, float *x) {
  for (size_t row = 0; row < rows; row++, x += 2 * width)
    for (size_t i = 0; i < width; i++)
      x[i] = hyperbolic_tangent(x[i] + bias[i]) * gelu(x[width + i] + bias[width + i]);
}

INLINE void rotate(const float *turns, size_t rows, size_t heads, size_t width, size_t stride, float *x) {
  const size_t half = width / 2;
  for (size_t row = 0; row < rows; row++, x += stride, turns += width) {
    for (size_t head = 0; head < heads; head++) {
      float *low = x + head * width;
      float *high = low + half;
      for (size_t i = 0; i < half; i++) {
        float a = low[i];
        float b = high[i];
        low[i] = a * turns[i] - b * turns[half + i];
        high[i] = b * turns[i] + a * turns[half + i];
      }
    }
  }
}

#endif
