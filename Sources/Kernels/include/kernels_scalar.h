#ifndef KERNELS_SCALAR_H
#define KERNELS_SCALAR_H

#include <stddef.h>
#include <stdint.h>

// The numbers that stored vectors are made of: IEEE 754 binary32, binary16, and the upper half of a binary32.
typedef enum { KERNELS_FLOAT32 = 1, KERNELS_FLOAT16 = 2, KERNELS_BFLOAT16 = 3 } kernels_scalar;

// The longest vectors that kernels of stored vectors take where they say so: they keep one on the stack.
enum { KERNELS_MOST_NUMBERS = 16384 };

// Bytes of a number: 4 or 2.
size_t kernels_scalar_size(kernels_scalar scalar);

// The stored numbers as float32, exactly; subnormal ones too. They must be finite.
//
//   stored  [count]; no alignment is asked for
//   values  [count]; must not overlap the stored ones
void kernels_widen(kernels_scalar scalar, const void *restrict stored, size_t count, float *restrict values);

// The nearest numbers of the type, of two that are as near the one whose last bit is 0. Below the smallest normal number
// they are subnormal. Every value must be smaller than what kernels_first_beyond looks for.
//
//   values  [count]
//   stored  [count]; no alignment is asked for; must not overlap the values
void kernels_narrow(kernels_scalar scalar, const float *restrict values, size_t count, void *restrict stored);

// The position of the first value that the type cannot hold, because it is NaN or infinite or would be rounded to
// infinity: in float16 of 65,520 and more, in bfloat16 of 255.5 * 2^120 and more. `count` when there is none.
size_t kernels_first_beyond(kernels_scalar scalar, const float *values, size_t count);

#endif
