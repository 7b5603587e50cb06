// Sixteen floats side by side, for the bodies that are compiled for an instruction set: they define TARGET, its target
// attribute.

#ifndef LANES_H
#define LANES_H

typedef float sixteen_floats __attribute__((vector_size(64)));
typedef float sixteen_floats_in_memory __attribute__((vector_size(64), aligned(4), may_alias));
typedef float eight_floats __attribute__((vector_size(32)));
typedef float four_floats __attribute__((vector_size(16)));

// Numbers that lie 8 apart are added, then those 4, 2 and 1 apart.
TARGET __attribute__((always_inline)) static inline float sum_of_lanes(const sixteen_floats *lanes) {
  const eight_floats eights = __builtin_shufflevector(*lanes, *lanes, 0, 1, 2, 3, 4, 5, 6, 7) +
                              __builtin_shufflevector(*lanes, *lanes, 8, 9, 10, 11, 12, 13, 14, 15);
  const four_floats fours = __builtin_shufflevector(eights, eights, 0, 1, 2, 3) +
                            __builtin_shufflevector(eights, eights, 4, 5, 6, 7);
  return (fours[0] + fours[2]) + (fours[1] + fours[3]);
}

#endif
