// The random rotation for one instruction set, which defines TARGET, its attribute, and ROTATE, the function's name. Each
// number comes from the same additions and multiplications on all of them.

#include <math.h>

#include "codes.h"

// A product that is added stays one that was rounded.
#pragma STDC FP_CONTRACT OFF

// Numbers of a register, or of as many as it takes.
enum { ROTATED = 16 };

typedef float rotated __attribute__((vector_size(4 * ROTATED)));
typedef float rotated_in_memory __attribute__((vector_size(4 * ROTATED), aligned(4), may_alias));
typedef uint32_t rotated_bits __attribute__((vector_size(4 * ROTATED)));

// Of lanes that are `half` apart the sum and, in the upper lane, the difference.
#define BUTTERFLY(v, half, other, negative)                                                     \
  ((rotated)__builtin_shufflevector(v, v, OF_LANES(other, half)) +                              \
   (rotated)((rotated_bits)(v) ^ (rotated_bits){OF_LANES(negative, half)}))
#define OF_LANES(f, half)                                                                              \
  f(0, half), f(1, half), f(2, half), f(3, half), f(4, half), f(5, half), f(6, half), f(7, half),      \
      f(8, half), f(9, half), f(10, half), f(11, half), f(12, half), f(13, half), f(14, half), f(15, half)
#define OTHER(lane, half) ((lane) ^ (half))
#define SIGN(lane, half) ((lane) & (half) ? 0x80000000 : 0)

#define AT(x) (*(rotated_in_memory *)(void *)(x))

// The Hadamard transform of `count` numbers, scaled. `count` is a power of two from 64 on.
TARGET static inline void hadamard(size_t count, float scale, float *x) {
  for (size_t i = 0; i < count; i += ROTATED) {
    rotated v = AT(x + i);
    v = BUTTERFLY(v, 1, OTHER, SIGN);
    v = BUTTERFLY(v, 2, OTHER, SIGN);
    v = BUTTERFLY(v, 4, OTHER, SIGN);
    AT(x + i) = BUTTERFLY(v, 8, OTHER, SIGN);
  }
  // Two levels at a time, and one that may be left.
  size_t half = ROTATED;
  for (; 4 * half <= count; half *= 4) {
    const float last = 4 * half == count ? scale : 1;
    for (size_t start = 0; start < count; start += 4 * half) {
      for (size_t i = start; i < start + half; i += ROTATED) {
        const rotated a = AT(x + i), b = AT(x + i + half), c = AT(x + i + 2 * half),
                      d = AT(x + i + 3 * half);
        const rotated ab = a + b, cd = c + d, a_b = a - b, c_d = c - d;
        AT(x + i) = (ab + cd) * last;
        AT(x + i + half) = (a_b + c_d) * last;
        AT(x + i + 2 * half) = (ab - cd) * last;
        AT(x + i + 3 * half) = (a_b - c_d) * last;
      }
    }
  }
  for (size_t i = 0; half < count && i < half; i += ROTATED) {
    const rotated a = AT(x + i), b = AT(x + i + half);
    AT(x + i) = (a + b) * scale;
    AT(x + i + half) = (a - b) * scale;
  }
}

TARGET void ROTATE(size_t width, const float *restrict signs, float *restrict x) {
  size_t window = 64;
  while (2 * window <= width) window *= 2;
  const float scale = (float)(1 / sqrt((double)window));
  for (size_t round = 0; round < KERNELS_ROTATION_ROUNDS; round++) {
    const float *restrict of_round = signs + round * width;
    for (size_t i = 0; i < width; i += ROTATED) AT(x + i) *= *(const rotated_in_memory *)(const void *)(of_round + i);
    hadamard(window, scale, x + (round % 2 ? width - window : 0));
  }
}
