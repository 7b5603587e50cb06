#include "kernels_training.h"

#include <math.h>

void training_moments(const float *restrict x, size_t rows, size_t columns, const float *restrict shift,
                      double *restrict sum, double *restrict squares) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    for (size_t c = 0; c < columns; c++) {
      double shifted = (double)x[c] - (double)shift[c];
      sum[c] += shifted;
      squares[c] += shifted * shifted;
    }
  }
}

void training_standardize(float *restrict x, size_t rows, size_t columns, const float *restrict mean,
                          const float *restrict scale) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    for (size_t c = 0; c < columns; c++) x[c] = (x[c] - mean[c]) * scale[c];
  }
}

void training_fill_rows(float *restrict x, size_t rows, size_t columns, const float *restrict row) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    for (size_t c = 0; c < columns; c++) x[c] = row[c];
  }
}

void training_column_sums(const float *restrict x, size_t rows, size_t columns, float *restrict sum) {
  for (size_t c = 0; c < columns; c++) sum[c] = 0;
  for (size_t r = 0; r < rows; r++, x += columns) {
    for (size_t c = 0; c < columns; c++) sum[c] += x[c];
  }
}

void training_relu(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : 0;
}

// The finaliser of MurmurHash3 over a Weyl sequence: every bit of the result depends on seed and index.
static inline uint32_t mixed(uint64_t seed, uint64_t index) {
  uint64_t z = seed + index * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 33)) * UINT64_C(0xFF51AFD7ED558CCD);
  z = (z ^ (z >> 33)) * UINT64_C(0xC4CEB9FE1A85EC53);
  return (uint32_t)(z >> 32);
}

void training_relu_dropout(float *x, size_t count, float probability, uint64_t seed) {
  const uint32_t threshold = (uint32_t)((double)probability * 4294967296.0);
  const float scale = 1 / (1 - probability);
  for (size_t i = 0; i < count; i++) {
    float kept = mixed(seed, i) < threshold ? 0 : x[i] * scale;
    x[i] = kept > 0 ? kept : 0;
  }
}

void training_relu_backward(float *restrict gradient, const float *restrict activation, size_t count,
                            float scale) {
  for (size_t i = 0; i < count; i++) gradient[i] = activation[i] > 0 ? gradient[i] * scale : 0;
}

double training_binary_cross_entropy(const float *restrict logits, const float *restrict targets, size_t count,
                                     float scale, float *restrict gradient) {
  double loss = 0;
  for (size_t i = 0; i < count; i++) {
    float x = logits[i];
    float small = expf(-fabsf(x));
    float sigmoid = (x >= 0 ? 1 : small) / (1 + small);
    gradient[i] = (sigmoid - targets[i]) * scale;
    loss += (double)((x > 0 ? x : 0) - x * targets[i] + log1pf(small));
  }
  return loss;
}

void training_sigmoid(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float small = expf(-fabsf(x[i]));
    x[i] = (x[i] >= 0 ? 1 : small) / (1 + small);
  }
}

void training_adamw(float *restrict parameter, const float *restrict gradient, float *restrict first,
                    float *restrict second, size_t count, training_adamw_step step) {
  const float shrink = (float)(1 - step.rate * step.decay);
  const float beta1 = (float)step.beta1, rest1 = (float)(1 - step.beta1);
  const float beta2 = (float)step.beta2, rest2 = (float)(1 - step.beta2);
  const float rate = (float)(step.rate / (1 - pow(step.beta1, (double)step.step)));
  const float correction = (float)(1 / sqrt(1 - pow(step.beta2, (double)step.step)));
  const float epsilon = (float)step.epsilon;
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i];
    float m = beta1 * first[i] + rest1 * g;
    float v = beta2 * second[i] + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = parameter[i] * shrink - rate * m / (sqrtf(v) * correction + epsilon);
  }
}
