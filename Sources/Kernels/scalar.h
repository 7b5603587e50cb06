// One number of each stored type; not part of the module's interface.
#ifndef SCALAR_H
#define SCALAR_H

#include <string.h>

#include "kernels_scalar.h"

static inline float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float_of_bf16(uint16_t stored) { return float_of_bits((uint32_t)stored << 16); }

static inline uint16_t bf16_of_float(float value) {
  const uint32_t bits = bits_of_float(value);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

// The product mends the exponent, whose bias is 15 and not 127. It is exact, also where a subnormal becomes normal.
static inline float float_of_f16(uint16_t stored) {
  const float magnitude = float_of_bits((uint32_t)(stored & 0x7FFF) << 13) * 0x1p112f;
  return float_of_bits(bits_of_float(magnitude) | (uint32_t)(stored & 0x8000) << 16);
}

static inline uint16_t f16_of_float(float value) {
  const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7FFFFFFF;
  const uint32_t normal = (magnitude - (112u << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  // Numbers from 1/2 to 1 are multiples of 2^-24, as subnormals of float16 are: the sum rounds as they must be rounded.
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3F000000;
  return (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)(magnitude < 0x38800000 ? subnormal : normal);
}

static inline size_t vector_bytes(kernels_scalar scalar, size_t dimension) {
  if (scalar == KERNELS_INT8) return dimension + sizeof(float);
  return dimension * (scalar == KERNELS_FLOAT32 ? 4 : 2);
}

// Number i of a vector that points where the stored one does: of KERNELS_INT8, the number without the scale.
static inline float stored_float(kernels_scalar scalar, const void *stored, size_t i) {
  if (scalar == KERNELS_FLOAT32) return ((const float *)stored)[i];
  if (scalar == KERNELS_INT8) return ((const int8_t *)stored)[i];
  uint16_t half;
  memcpy(&half, (const char *)stored + 2 * i, sizeof half);
  return scalar == KERNELS_FLOAT16 ? float_of_f16(half) : float_of_bf16(half);
}

#endif
