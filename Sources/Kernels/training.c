#include "kernels_training.h"

#include <math.h>
#include <string.h>

#include "transformer_rows.h"

typedef uint32_t training_octet __attribute__((vector_size(32)));
typedef float training_eight __attribute__((vector_size(32)));

// The finaliser of MurmurHash3 over a Weyl sequence: every bit of the result depends on seed and index.
INLINE uint32_t mixed(uint64_t seed, uint64_t index) {
  uint64_t z = seed + index * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 33)) * UINT64_C(0xFF51AFD7ED558CCD);
  z = (z ^ (z >> 33)) * UINT64_C(0xC4CEB9FE1A85EC53);
  return (uint32_t)(z >> 32);
}

// Samples of a class on their way through a loss: p, n = 1 - p and -log n, without cancellation; then loss and slope.
// Numbers go through memory between short loops, each of which fits the registers of every instruction set.
enum { LOSS_PART = 64 };

typedef struct {
  float x[LOSS_PART], p[LOSS_PART], n[LOSS_PART], minus_log_n[LOSS_PART];
  float a[LOSS_PART], b[LOSS_PART], c[LOSS_PART], d[LOSS_PART];
  float value[LOSS_PART], slope[LOSS_PART];
} training_part;

#define TARGET
#define NAMED(name) name##_portable
#define FUSED 0
#define LANES_OF_A_REGISTER 4
#include "training_body.h"

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
#define NAMED(name) name##_avx2
#define FUSED 1
#define LANES_OF_A_REGISTER 8
#include "training_body.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define NAMED(name) name##_avx512
#define FUSED 1
#define LANES_OF_A_REGISTER 16
#include "training_body.h"

#define CALL(name, ...)                                                            \
  const kernels_isa isa = kernels_active_isa();                                    \
  return isa >= KERNELS_AVX512 ? name##_avx512(__VA_ARGS__)                        \
         : isa >= KERNELS_AVX2 ? name##_avx2(__VA_ARGS__) : name##_portable(__VA_ARGS__)
#else
#define CALL(name, ...) return name##_portable(__VA_ARGS__)
#endif

void training_moments(const float *x, size_t rows, size_t columns, const float *shift, double *sum, double *squares) {
  CALL(moments, x, rows, columns, shift, sum, squares);
}

void training_standardize(float *x, size_t count, const float *mean, const float *scale) {
  CALL(standardize, x, count, mean, scale);
}

void training_transpose(const uint32_t *x, size_t stride, size_t rows, size_t columns, uint32_t *out,
                        size_t out_stride) {
  CALL(transpose, x, stride, rows, columns, out, out_stride);
}

void training_pack_vectors(const float *const *x, size_t rows, size_t padded, size_t columns, const float *mean,
                           const float *scale, size_t width, float *by_sample, float *by_column, size_t first,
                           size_t panel) {
  CALL(pack_vectors, x, rows, padded, columns, mean, scale, width, by_sample, by_column, first, panel);
}

void training_pack_columns(const uint32_t *x, size_t stride, size_t rows, size_t columns, size_t width, uint32_t *out,
                           size_t panel) {
  for (size_t start = 0; start < columns; start += width, out += panel * width) {
    const size_t bytes = (columns - start < width ? columns - start : width) * sizeof *x;
    for (size_t r = 0; r < rows; r++) memcpy(out + r * width, x + r * stride + start, bytes);
  }
}

void training_pack_pairs(const uint16_t *x, size_t stride, size_t words, size_t columns, size_t width, uint32_t *out,
                         size_t panel) {
  CALL(pack_pairs, x, stride, words, columns, width, out, panel);
}

void training_loss_row(const training_loss *loss, size_t padded, const float *logits, float bias, float weight,
                       const float *targets, const float *presence, float scale, float *gradient, double *sums) {
  CALL(loss_row, loss, padded, logits, bias, weight, targets, presence, scale, gradient, sums);
}

void training_rectify(float *x, size_t count, float bias) { CALL(rectify, x, count, bias); }

void training_rectify_drop(float *x, size_t count, float bias, float probability, uint64_t seed) {
  CALL(rectify_drop, x, count, bias, probability, seed);
}

float training_rectify_backward(float *gradient, const float *activation, size_t padded, float scale) {
  CALL(rectify_backward, gradient, activation, padded, scale);
}

void training_count(const float *logits, float bias, const float *targets, const float *presence, size_t count,
                    uint64_t *counts) {
  for (size_t i = 0; i < count; i++) {
    const int there = presence[i] > 0, truth = there && targets[i] > 0, found = there && logits[i] + bias > 0;
    counts[0] += truth && found;
    counts[1] += truth && !found;
    counts[2] += !truth && found;
  }
}

void training_sigmoid(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float small = expf(-fabsf(x[i]));
    x[i] = (x[i] >= 0 ? 1 : small) / (1 + small);
  }
}

training_adamw_factors training_adamw_prepare(training_adamw_step step) {
  return (training_adamw_factors){
      .shrink = (float)(1 - step.rate * step.decay),
      .beta1 = (float)step.beta1,
      .rest1 = (float)(1 - step.beta1),
      .beta2 = (float)step.beta2,
      .rest2 = (float)(1 - step.beta2),
      .rate = (float)(step.rate / (1 - pow(step.beta1, (double)step.step))),
      .correction = (float)(1 / sqrt(1 - pow(step.beta2, (double)step.step))),
      .epsilon = (float)step.epsilon,
  };
}

void training_adamw(const training_adamw_factors *factors, size_t padded, const float *gradient, float *parameter,
                    float *first, float *second) {
  CALL(adamw, factors, padded, gradient, parameter, first, second);
}

float training_adamw_scaled(const training_adamw_factors *factors, size_t padded, const float *gradient,
                            float bias_gradient, const float *ratio, const float *offset, float *parameter,
                            float *first, float *second, float *effective) {
  CALL(adamw_scaled, factors, padded, gradient, bias_gradient, ratio, offset, parameter, first, second, effective);
}

float training_scaled(size_t padded, const float *ratio, const float *offset, const float *parameter,
                      float *effective) {
  CALL(scaled, padded, ratio, offset, parameter, effective);
}
