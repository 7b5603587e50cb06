#ifndef KERNELS_SCALAR_H
#define KERNELS_SCALAR_H

#include <stddef.h>
#include <stdint.h>

// The numbers that stored vectors are made of: IEEE 754 binary32, binary16, the upper half of a binary32, and whole
// numbers of 8 bits with a scale for the vector.
//
// A vector of KERNELS_INT8 is d whole numbers c, |c| <= 127, and behind them the scale s, a binary32. It says the numbers
// c s. The last 7 bits of s are 0, so that each of these is a binary32: nothing is rounded when it is read. Zero vectors
// have a scale of 0, others one of 2^-126 at least. Where only the direction of a vector counts, kernels read the whole
// numbers and leave the scale where it is.
typedef enum { KERNELS_FLOAT32 = 1, KERNELS_FLOAT16 = 2, KERNELS_BFLOAT16 = 3, KERNELS_INT8 = 4 } kernels_scalar;

// The longest vectors that kernels of stored vectors take where they say so: they keep one on the stack.
enum { KERNELS_MOST_NUMBERS = 16384 };

// Bytes of a stored vector of so many numbers.
size_t kernels_vector_bytes(kernels_scalar scalar, size_t dimension);

// The numbers of a stored vector as float32, exactly; subnormal ones too. They must be finite.
//
//   stored  a vector; no alignment is asked for
//   values  [dimension]; must not overlap the vector
void kernels_widen(kernels_scalar scalar, const void *restrict stored, size_t dimension, float *restrict values);

// The nearest numbers of the type, of two that are as near the one whose last bit is 0. Below the smallest normal number
// they are subnormal. Every value must be smaller than what kernels_first_beyond looks for.
//
// Of KERNELS_INT8, s is the quotient of the vector's largest magnitude and 127 without the last 7 bits, or 2^-126 where
// that is more, and c the quotient of a number and s, both rounded as float32, then to the nearest whole number, halves to
// the even one. The numbers that a stored vector says are stored as the same bytes again. Of a vector without a
// magnitude of 127 * 2^-126 fewer bits are kept; without one above 2^-127 it becomes a zero vector.
//
//   values  [vector_count, dimension]
//   stored  vector_count vectors; no alignment is asked for; must not overlap the values
void kernels_narrow(kernels_scalar scalar, const float *restrict values, size_t vector_count, size_t dimension,
                    void *restrict stored);

// The position of the first value that the type cannot hold, because it is NaN or infinite or would be rounded to
// infinity: in float16 of 65,520 and more, in bfloat16 of 255.5 * 2^120 and more, in int8 none. `count` when there is none.
size_t kernels_first_beyond(kernels_scalar scalar, const float *values, size_t count);

#endif
