#include "scalar.h"

size_t kernels_scalar_size(kernels_scalar scalar) { return scalar == KERNELS_FLOAT32 ? 4 : 2; }

void kernels_widen(kernels_scalar scalar, const void *restrict stored, size_t count, float *restrict values) {
  switch (scalar) {
    case KERNELS_FLOAT32: memcpy(values, stored, count * sizeof *values); break;
    case KERNELS_FLOAT16:
      for (size_t i = 0; i < count; i++) values[i] = stored_float(KERNELS_FLOAT16, stored, i);
      break;
    case KERNELS_BFLOAT16:
      for (size_t i = 0; i < count; i++) values[i] = stored_float(KERNELS_BFLOAT16, stored, i);
      break;
  }
}

static inline void put_half(void *stored, size_t i, uint16_t half) {
  memcpy((char *)stored + 2 * i, &half, sizeof half);
}

void kernels_narrow(kernels_scalar scalar, const float *restrict values, size_t count, void *restrict stored) {
  switch (scalar) {
    case KERNELS_FLOAT32: memcpy(stored, values, count * sizeof *values); break;
    case KERNELS_FLOAT16:
      for (size_t i = 0; i < count; i++) put_half(stored, i, f16_of_float(values[i]));
      break;
    case KERNELS_BFLOAT16:
      for (size_t i = 0; i < count; i++) put_half(stored, i, bf16_of_float(values[i]));
      break;
  }
}

// The bits of the smallest magnitude that a type cannot hold. Those of infinity and NaN are above all of them.
static uint32_t first_bits_beyond(kernels_scalar scalar) {
  switch (scalar) {
    case KERNELS_FLOAT32: return 0x7F800000;
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
