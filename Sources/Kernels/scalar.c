#include "scalar.h"

size_t kernels_vector_bytes(kernels_scalar scalar, size_t dimension) { return vector_bytes(scalar, dimension); }

static void widen_bytes(const void *restrict stored, size_t dimension, float *restrict values) {
  const int8_t *numbers = stored;
  float scale;
  memcpy(&scale, numbers + dimension, sizeof scale);
  for (size_t i = 0; i < dimension; i++) values[i] = numbers[i] * scale;
}

void kernels_widen(kernels_scalar scalar, const void *restrict stored, size_t dimension, float *restrict values) {
  switch (scalar) {
    case KERNELS_FLOAT32: memcpy(values, stored, dimension * sizeof *values); break;
    case KERNELS_FLOAT16:
      for (size_t i = 0; i < dimension; i++) values[i] = stored_float(KERNELS_FLOAT16, stored, i);
      break;
    case KERNELS_BFLOAT16:
      for (size_t i = 0; i < dimension; i++) values[i] = stored_float(KERNELS_BFLOAT16, stored, i);
      break;
    case KERNELS_INT8: widen_bytes(stored, dimension, values); break;
  }
}

static inline void put_half(void *stored, size_t i, uint16_t half) {
  memcpy((char *)stored + 2 * i, &half, sizeof half);
}

static void narrow_to_bytes(const float *restrict values, size_t dimension, void *restrict stored) {
  int8_t *numbers = stored;
  uint32_t largest = 0;
  for (size_t i = 0; i < dimension; i++) {
    const uint32_t magnitude = bits_of_float(values[i]) & 0x7FFFFFFF;
    largest = magnitude > largest ? magnitude : largest;
  }
  // 17 bits times the 7 of a whole number are the 24 of a float32.
  float scale = float_of_bits(bits_of_float(float_of_bits(largest) / 127) & 0xFFFFFF80);
  if (scale < 0x1p-126f) scale = 0x1p-126f;
  int8_t bits = 0;
  for (size_t i = 0; i < dimension; i++) {
    // The sum is rounded to a whole number, which then is its last bits.
    numbers[i] = (int8_t)(bits_of_float(values[i] / scale + 0x1.8p23f) - 0x4B400000);
    bits |= numbers[i];
  }
  if (!bits) scale = 0;
  memcpy(numbers + dimension, &scale, sizeof scale);
}

void kernels_narrow(kernels_scalar scalar, const float *restrict values, size_t vector_count, size_t dimension,
                    void *restrict stored) {
  const size_t count = vector_count * dimension;
  switch (scalar) {
    case KERNELS_FLOAT32: memcpy(stored, values, count * sizeof *values); break;
    case KERNELS_FLOAT16:
      for (size_t i = 0; i < count; i++) put_half(stored, i, f16_of_float(values[i]));
      break;
    case KERNELS_BFLOAT16:
      for (size_t i = 0; i < count; i++) put_half(stored, i, bf16_of_float(values[i]));
      break;
    case KERNELS_INT8:
      for (size_t vector = 0; vector < vector_count; vector++) {
        narrow_to_bytes(values + vector * dimension, dimension,
                        (char *)stored + vector * vector_bytes(KERNELS_INT8, dimension));
      }
      break;
  }
}

// The bits of the smallest magnitude that a type cannot hold. Those of infinity and NaN are above all of them.
static uint32_t first_bits_beyond(kernels_scalar scalar) {
  switch (scalar) {
    case KERNELS_FLOAT32:
    case KERNELS_INT8: return 0x7F800000;
    case KERNELS_FLOAT16: return 0x477FF000;
    case KERNELS_BFLOAT16: return 0x7F7F8000;
  }
}

size_t kernels_first_beyond(kernels_scalar scalar, const float *values, size_t count) {
  const uint32_t limit = first_bits_beyond(scalar);
  enum { STEP = 1024 };
  for (size_t first = 0; first < count; first += STEP) {
    const size_t end = count - first < STEP ? count : first + STEP;
    // Without a branch, so that several values are looked at together.
    uint32_t found = 0;
    for (size_t i = first; i < end; i++) found |= (bits_of_float(values[i]) & 0x7FFFFFFF) >= limit;
    for (size_t i = first; found && i < end; i++) {
      if ((bits_of_float(values[i]) & 0x7FFFFFFF) >= limit) return i;
    }
  }
  return count;
}
