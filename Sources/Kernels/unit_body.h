// How a vector is scaled to unit length: included by the files that define TARGET, the target attribute of an
// instruction set. All of them compute the same, bit for bit: sixteen sums side by side.
#ifndef UNIT_BODY_H
#define UNIT_BODY_H

#include "distance.h"

// As kernels_scale_to_unit.
TARGET DISTANCE_INLINE double scale_numbers(size_t count, const float *restrict vector, float *restrict unit) {
  double sums[LANES] = {0}, norm2 = 0;
  const size_t whole = count / LANES * LANES;
  // A product of two floats is exact in double: to fuse changes nothing.
  for (size_t i = 0; i < whole; i += LANES) {
    for (size_t lane = 0; lane < LANES; lane++) sums[lane] += (double)vector[i + lane] * vector[i + lane];
  }
  for (size_t i = whole; i < count; i++) sums[i - whole] += (double)vector[i] * vector[i];
  for (size_t lane = 0; lane < LANES; lane++) norm2 += sums[lane];
  const double scale = norm2 > 0 ? 1 / sqrt(norm2) : 0;
  for (size_t i = 0; i < count; i++) unit[i] = (float)(vector[i] * scale);
  return norm2;
}

#endif
