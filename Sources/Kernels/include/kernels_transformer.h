#ifndef KERNELS_TRANSFORMER_H
#define KERNELS_TRANSFORMER_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"

// What a transformer computes between its matrix products, on float32 rows.
//
// Matrices are [rows, width], row-major and dense. Any counts are accepted, zero included. No alignment is
// asked of any pointer, nothing is allocated, and nothing but `out`, or `x` without one, is written. Every row is
// computed alone: its result does not depend on how many rows are passed at once. Sums along a row run over eight
// float32 partial sums, lane l taking the terms l, l + 8, l + 16, ...; so the portable and the AVX2 version
// differ only in that the latter fuses multiply and add. A NaN in a row stays in its results.
//
// `..._on` runs the kernel on a given instruction set, for tests and measurements; `isa` must be one that
// the machine runs.

// out = (x - mean) / sqrt(variance + epsilon) * gamma + beta, with the biased variance about the row's own
// mean. `out` may be `x`. A constant row gives beta; so does a row of zeros.
// Error against double: at most 2e-6 * max|gamma| at unit variance and |mean| <= 10.
void kernels_layer_norm(const float *gamma, const float *beta, float epsilon, size_t rows, size_t width,
                        const float *x, float *out);
void kernels_layer_norm_on(kernels_isa isa, const float *gamma, const float *beta, float epsilon, size_t rows,
                           size_t width, const float *x, float *out);

// x = exp(x - max) / sum of exp(x - max), in place. Values more than 87 below the row's largest weigh e^-87.
// A row whose largest value is infinite gives NaN. Error against double: at most 5e-7 relative to the value.
void kernels_softmax(size_t rows, size_t width, float *x);
void kernels_softmax_on(kernels_isa isa, size_t rows, size_t width, float *x);

// out[i, j] = the dot of a[i] with x[j]: [count, width] dense with [rows, width], whose rows lie `stride` floats apart.
// Rows of `out` lie `out_stride` floats apart.
void kernels_dots(size_t count, const float *a, size_t rows, const float *x, size_t stride, size_t width, float *out,
                  size_t out_stride);
void kernels_dots_on(kernels_isa isa, size_t count, const float *a, size_t rows, const float *x, size_t stride,
                     size_t width, float *out, size_t out_stride);

// out[i] = sum over j of weights[i, j] * x[j], added in order of j: [count, rows] with [rows, width]. No rows give zeros.
void kernels_weighted_sums(size_t count, const float *weights, size_t rows, size_t width, const float *x, float *out);
void kernels_weighted_sums_on(kernels_isa isa, size_t count, const float *weights, size_t rows, size_t width,
                              const float *x, float *out);

// The gate of SwiGLU, in place on rows of 2 * width: the first half becomes silu(v) * w, v and w being the row's
// halves with the bias [2 * width] added; the second half is left with no meaning. silu(v) = v / (1 + e^-v); below
// -87 it is held at its value there, -1e-36. Error of silu against double: at most 6e-7 relative to the value.
void kernels_silu_gate(const float *bias, size_t rows, size_t width, float *x);
void kernels_silu_gate_on(kernels_isa isa, const float *bias, size_t rows, size_t width, float *x);

// The gate of SubCell's attention pooling: as kernels_silu_gate, with tanh(v) * gelu(w). Error of tanh against
// double: at most 3e-7.
void kernels_tanh_gelu_gate(const float *bias, size_t rows, size_t width, float *x);
void kernels_tanh_gelu_gate_on(kernels_isa isa, const float *bias, size_t rows, size_t width, float *x);

// Rotary position embedding, in place on the first heads * width values of rows that lie `stride` values apart:
// with h = width / 2, a head's pairs (x[i], x[i + h]) become (x[i] c - x[i + h] s, x[i + h] c + x[i] s), where
// c = turns[i] and s = turns[i + h] come from the row of `turns` [rows, width], the same for all heads. `width` is
// even. Error against double: at most 2e-7 * (|x[i]| + |x[i + h]|) for |c|, |s| <= 1.
void kernels_rotate(const float *turns, size_t rows, size_t heads, size_t width, size_t stride, float *x);
void kernels_rotate_on(kernels_isa isa, const float *turns, size_t rows, size_t heads, size_t width, size_t stride,
                       float *x);

// Lets this thread treat denormal numbers as zero, in operands and results, which spares vanishing
// activations a microcode assist; returns the state to hand to kernels_restore_denormals.
uint32_t kernels_flush_denormals(void);
void kernels_restore_denormals(uint32_t state);

#endif
