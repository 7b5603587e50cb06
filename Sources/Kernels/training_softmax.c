// The loss of heads that choose one class of several. A block of samples goes through all classes at once, TRAINING_LANES
// samples side by side, which the compiler turns into vector instructions.

#include <math.h>

#include "kernels_training.h"
#include "transformer_rows.h"

// e^x for x <= 0; below -87 as for -87. NaN stays.
INLINE float tail(float x) { return exponential(x < -87.0f ? -87.0f : x); }

// Leaves exp(x - largest) in `gradient`, and for each sample the largest logit and the sum of these.
INLINE void find_tails(size_t classes, size_t stride, const float *logits, const float *biases, float *gradient,
                       float *largest, float *total) {
  for (size_t l = 0; l < TRAINING_LANES; l++) largest[l] = logits[l] + biases[0];
  for (size_t c = 1; c < classes; c++) {
    const float *x = logits + c * stride;
    for (size_t l = 0; l < TRAINING_LANES; l++) {
      const float value = x[l] + biases[c];
      largest[l] = value > largest[l] ? value : largest[l];
    }
  }
  for (size_t l = 0; l < TRAINING_LANES; l++) total[l] = 0;
  for (size_t c = 0; c < classes; c++) {
    const float *x = logits + c * stride;
    float *out = gradient + c * stride;
    for (size_t l = 0; l < TRAINING_LANES; l++) {
      out[l] = tail(x[l] + biases[c] - largest[l]);
      total[l] += out[l];
    }
  }
}

INLINE void softmax_block(const training_softmax_classes *of, const float *logits, const float *targets,
                          const float *presence, float scale, float *gradient, double *loss_sum, double *bias_sums) {
  float largest[TRAINING_LANES], total[TRAINING_LANES], weight[TRAINING_LANES] = {0}, fit[TRAINING_LANES] = {0};
  float share[TRAINING_LANES];
  const size_t stride = of->stride;
  find_tails(of->count, stride, logits, of->biases, gradient, largest, total);
  const float kept = 1 - of->smoothing, spread = of->smoothing / (float)of->count;
  for (size_t c = 0; c < of->count; c++) {
    const float *x = logits + c * stride, *t = targets + c * stride;
    for (size_t l = 0; l < TRAINING_LANES; l++) {
      const float wanted = (kept * t[l] + spread) * of->weights[c];
      weight[l] += wanted;
      fit[l] += wanted * (x[l] + of->biases[c] - largest[l]);
    }
  }
  for (size_t l = 0; l < TRAINING_LANES; l++) {
    // A sample that does not count adds 0 even where its logits are no numbers.
    if (presence[l] > 0) *loss_sum += (double)(weight[l] * logf(total[l]) - fit[l]);
    share[l] = weight[l] / total[l];
  }
  for (size_t c = 0; c < of->count; c++) {
    const float *t = targets + c * stride;
    float *out = gradient + c * stride;
    float sum = 0;
    for (size_t l = 0; l < TRAINING_LANES; l++) {
      const float wanted = (kept * t[l] + spread) * of->weights[c];
      const float step = (out[l] * share[l] - wanted) * scale;
      out[l] = presence[l] > 0 ? step : 0;
    }
    for (size_t l = 0; l < TRAINING_LANES; l++) sum += out[l];
    bias_sums[c] += (double)sum;
  }
}

#define BODY                                                                                                       \
  for (size_t start = 0; start < padded; start += TRAINING_LANES)                                                  \
    softmax_block(of, logits + start, targets + start, presence + start, scale, gradient + start, loss_sum, bias_sums)

static void softmax_loss_portable(const training_softmax_classes *of, size_t padded, const float *logits,
                                  const float *targets, const float *presence, float scale, float *gradient,
                                  double *loss_sum, double *bias_sums) {
  BODY;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void softmax_loss_avx2(const training_softmax_classes *of, size_t padded,
                                                                  const float *logits, const float *targets,
                                                                  const float *presence, float scale, float *gradient,
                                                                  double *loss_sum, double *bias_sums) {
  BODY;
}
#endif

void training_softmax_loss(const training_softmax_classes *of, size_t padded, const float *logits,
                           const float *targets, const float *presence, float scale, float *gradient,
                           double *loss_sum, double *bias_sums) {
  for (size_t c = 0; c < of->count; c++) bias_sums[c] = 0;
  *loss_sum = 0;
#if defined(__x86_64__)
  if (kernels_active_isa() >= KERNELS_AVX2) {
    softmax_loss_avx2(of, padded, logits, targets, presence, scale, gradient, loss_sum, bias_sums);
    return;
  }
#endif
  softmax_loss_portable(of, padded, logits, targets, presence, scale, gradient, loss_sum, bias_sums);
}

void training_count_likeliest(const training_softmax_classes *of, size_t count, const float *logits,
                              const float *targets, const float *presence, uint64_t *counts) {
  for (size_t i = 0; i < count; i++) {
    if (!(presence[i] > 0)) continue;
    size_t best = 0;
    for (size_t c = 1; c < of->count; c++) {
      if (logits[c * of->stride + i] + of->biases[c] > logits[best * of->stride + i] + of->biases[best]) best = c;
    }
    for (size_t c = 0; c < of->count; c++) {
      const int truth = targets[c * of->stride + i] > 0, found = c == best;
      counts[3 * c] += truth && found;
      counts[3 * c + 1] += truth && !found;
      counts[3 * c + 2] += !truth && found;
    }
  }
}

void training_softmax(float *x, size_t rows, size_t classes) {
  for (size_t r = 0; r < rows; r++, x += classes) {
    float largest = x[0], total = 0;
    for (size_t c = 1; c < classes; c++) largest = x[c] > largest ? x[c] : largest;
    for (size_t c = 0; c < classes; c++) total += x[c] = expf(x[c] - largest);
    for (size_t c = 0; c < classes; c++) x[c] /= total;
  }
}
