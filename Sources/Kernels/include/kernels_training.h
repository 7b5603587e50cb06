#ifndef KERNELS_TRAINING_H
#define KERNELS_TRAINING_H

#include <stddef.h>
#include <stdint.h>

// Elementwise passes of head training, everything between two GEMMs. Matrices are row-major, [rows, columns],
// without padding; pointers need the alignment of their type only; every count may be 0; buffers do not
// overlap. NaN and infinity pass through as arithmetic has them. One portable version each: the compiler
// vectorises them, and a step spends its time in the GEMMs and in memory.

// sum[c] += sum over rows of (x[r,c] - shift[c]) and squares[c] += sum over rows of its square, in double.
// With a shift from the matrix itself, a constant column adds exactly zero to both. One NaN or infinity in a
// column leaves sum or squares of that column not finite; finite input never does.
void training_moments(const float *restrict x, size_t rows, size_t columns, const float *restrict shift,
                      double *restrict sum, double *restrict squares);

// x[r,c] = (x[r,c] - mean[c]) * scale[c], in place.
void training_standardize(float *restrict x, size_t rows, size_t columns, const float *restrict mean,
                          const float *restrict scale);

// x[r,c] = row[c].
void training_fill_rows(float *restrict x, size_t rows, size_t columns, const float *restrict row);

// sum[c] = sum over rows of x[r,c], accumulated in float in order of rows.
void training_column_sums(const float *restrict x, size_t rows, size_t columns, float *restrict sum);

// x[i] = max(x[i], 0), in place; NaN becomes 0.
void training_relu(float *x, size_t count);

// Rectifies, then zeroes element i where hash(seed, i) falls below `probability` and multiplies the others by
// 1 / (1 - probability). The pattern depends on seed and i alone. 0 <= probability < 1.
void training_relu_dropout(float *x, size_t count, float probability, uint64_t seed);

// gradient[i] = activation[i] > 0 ? gradient[i] * scale : 0. The backward pass of both functions above, with
// scale = 1 / (1 - probability): an element that was dropped and one that was negative are both 0.
void training_relu_backward(float *restrict gradient, const float *restrict activation, size_t count,
                            float scale);

// Binary cross-entropy on logits: gradient[i] = (sigmoid(x[i]) - target[i]) * scale; returns
// sum over i of max(x,0) - x * target + log(1 + exp(-|x|)), accumulated in double. Never overflows for finite x.
double training_binary_cross_entropy(const float *restrict logits, const float *restrict targets, size_t count,
                                     float scale, float *restrict gradient);

// x[i] = 1 / (1 + exp(-x[i])), in place; within [0, 1] for all x but NaN, which stays NaN.
void training_sigmoid(float *x, size_t count);

// One step of AdamW, as PyTorch spells it:
//   parameter *= 1 - rate * decay
//   first  = beta1 * first + (1 - beta1) * gradient
//   second = beta2 * second + (1 - beta2) * gradient^2
//   parameter -= rate / (1 - beta1^step) * first / (sqrt(second) / sqrt(1 - beta2^step) + epsilon)
// step counts from 1. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, alg. 2.
typedef struct {
  double rate, decay, beta1, beta2, epsilon;
  uint64_t step;
} training_adamw_step;

void training_adamw(float *restrict parameter, const float *restrict gradient, float *restrict first,
                    float *restrict second, size_t count, training_adamw_step step);

#endif
