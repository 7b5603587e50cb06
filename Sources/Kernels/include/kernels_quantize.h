#ifndef KERNELS_QUANTIZE_H
#define KERNELS_QUANTIZE_H

#include "kernels_matmul.h"

// Rows of activations in 8 bits, for products of KERNELS_I8. A row has its own step, so that its least and largest
// value are met, and 0 is a whole number of steps:
//
//   x[i] = (out[i] - steps[row].zero) * steps[row].scale, within half a step
//
// The last word of a row is filled up with the number that stands for 0. A row of zeros, or of less than 1e-30, is one
// of zeros with a step of 1; a row that is not finite gives a step of NaN. Rows lie `stride` and `out_stride` bytes
// apart; a row's result does not depend on the others. Instruction sets may differ by one where a value lies half-way
// between two steps.

// Quantises rows of KERNELS_F32 or KERNELS_BF16.
void kernels_quantize(kernels_isa isa, kernels_number number, size_t rows, size_t width, const void *x, size_t stride,
                      uint8_t *out, size_t out_stride, kernels_step *steps);

// Quantises the layer norm of float32 rows, as kernels_layer_norm defines it. `scratch` has room for `width` floats.
void kernels_layer_norm_quantized(kernels_isa isa, const float *gamma, const float *beta, float epsilon, size_t rows,
                                  size_t width, const float *x, size_t stride, float *scratch, uint8_t *out,
                                  size_t out_stride, kernels_step *steps);

#endif
