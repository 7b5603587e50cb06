// The loss of heads that choose one class of several. A block of samples goes through all classes at once, LANES samples
// side by side in the compiler's vector types.

#include <float.h>
#include <math.h>

#include "kernels_training.h"
#include "transformer_rows.h"

typedef float octet __attribute__((vector_size(4 * LANES)));
typedef int32_t octet_of_ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t octet_of_words __attribute__((vector_size(4 * LANES)));

// Vectors are handed on by address: as arguments they would ask for registers that not every set has.
INLINE void load(octet *to, const float *from) { memcpy(to, from, sizeof *to); }
INLINE void store(float *to, const octet *from) { memcpy(to, from, sizeof *from); }

INLINE void choose(octet *to, const octet_of_ints *condition, const octet *yes, const octet *no) {
  *to = (octet)((*condition & (octet_of_ints)*yes) | (~*condition & (octet_of_ints)*no));
}

// e^x for x <= 0, as `exponential`; below -87 as for -87. NaN stays.
INLINE void find_tails(octet *x) {
  const octet lowest = (octet){} - 87.0f;
  const octet_of_ints lower = *x < lowest;
  octet held;
  choose(&held, &lower, &lowest, x);
  const octet shifted = held * 1.44269504f + 12582912.0f;
  const octet n = shifted - 12582912.0f;
  const octet r = (held - n * 0.693359375f) - n * -2.12194440e-4f;
  const octet p = EXPONENTIAL_POLYNOMIAL(MULTIPLY_THEN_ADD, (octet){}, r);
  *x = (p * (r * r) + r + 1.0f) * (octet)(((octet_of_words)shifted << 23) + 0x3F800000u);
}

// Samples of a block on their way through the loss: the largest logit, the sum of exp(logit - largest), the sums over classes
// of what is wanted of them, and of that times logit - largest.
typedef struct {
  float largest[LANES], total[LANES], weight[LANES], fit[LANES];
} softmax_lanes;

// Leaves exp(logit - largest) in `gradient`.
INLINE void tails_of_block(const training_softmax_classes *of, const float *logits, float *gradient,
                           softmax_lanes *lanes) {
  octet largest, total = {};
  load(&largest, logits);
  largest += of->biases[0];
  for (size_t c = 1; c < of->count; c++) {
    octet x;
    load(&x, logits + c * of->stride);
    x += of->biases[c];
    const octet_of_ints larger = x > largest;
    choose(&largest, &larger, &x, &largest);
  }
  for (size_t c = 0; c < of->count; c++) {
    octet x;
    load(&x, logits + c * of->stride);
    x = x + of->biases[c] - largest;
    find_tails(&x);
    total += x;
    store(gradient + c * of->stride, &x);
  }
  store(lanes->largest, &largest);
  store(lanes->total, &total);
}

INLINE void wishes_of_block(const training_softmax_classes *of, const float *logits, const float *targets,
                            softmax_lanes *lanes) {
  const float kept = 1 - of->smoothing, spread = of->smoothing / (float)of->count;
  const octet lowest = (octet){} - FLT_MAX;
  octet largest, weight = {}, fit = {};
  load(&largest, lanes->largest);
  for (size_t c = 0; c < of->count; c++) {
    octet x, t;
    load(&x, logits + c * of->stride);
    load(&t, targets + c * of->stride);
    const octet wanted = (kept * t + spread) * of->weights[c];
    octet difference = x + of->biases[c] - largest;
    // Infinity times a class that is not wanted would be no number.
    const octet_of_ints lower = difference < lowest;
    choose(&difference, &lower, &lowest, &difference);
    weight += wanted;
    fit += wanted * difference;
  }
  store(lanes->weight, &weight);
  store(lanes->fit, &fit);
}

INLINE void steps_of_block(const training_softmax_classes *of, const float *targets, const float *presence, float scale,
                           float *gradient, double *bias_sums, const softmax_lanes *lanes) {
  const float kept = 1 - of->smoothing, spread = of->smoothing / (float)of->count;
  octet there, total, share;
  load(&there, presence);
  load(&total, lanes->total);
  load(&share, lanes->weight);
  share /= total;
  const octet none = {};
  const octet_of_ints counts = there > none;
  for (size_t c = 0; c < of->count; c++) {
    octet e, t;
    load(&e, gradient + c * of->stride);
    load(&t, targets + c * of->stride);
    octet step = (e * share - (kept * t + spread) * of->weights[c]) * scale;
    choose(&step, &counts, &step, &none);
    store(gradient + c * of->stride, &step);
    float sum = 0;
    for (size_t l = 0; l < LANES; l++) sum += step[l];
    bias_sums[c] += (double)sum;
  }
}

// A sample that does not count adds 0 even where its logits are no numbers.
static double losses_of_block(const softmax_lanes *lanes, const float *presence) {
  double sum = 0;
  for (size_t l = 0; l < LANES; l++) {
    if (presence[l] > 0) sum += (double)lanes->weight[l] * log((double)lanes->total[l]) - (double)lanes->fit[l];
  }
  return sum;
}

// Functions of their own: inlined into one, each would take registers from the others.
#define FOR_SET(TARGET, SET)                                                                                         \
  TARGET __attribute__((noinline)) static void tails_##SET(const training_softmax_classes *of, const float *logits,  \
                                                           float *gradient, softmax_lanes *lanes) {                  \
    tails_of_block(of, logits, gradient, lanes);                                                                     \
  }                                                                                                                  \
  TARGET __attribute__((noinline)) static void wishes_##SET(const training_softmax_classes *of, const float *logits, \
                                                            const float *targets, softmax_lanes *lanes) {            \
    wishes_of_block(of, logits, targets, lanes);                                                                     \
  }                                                                                                                  \
  TARGET __attribute__((noinline)) static void steps_##SET(                                                          \
      const training_softmax_classes *of, const float *targets, const float *presence, float scale, float *gradient, \
      double *bias_sums, const softmax_lanes *lanes) {                                                               \
    steps_of_block(of, targets, presence, scale, gradient, bias_sums, lanes);                                        \
  }

FOR_SET(, portable)
#if defined(__x86_64__)
FOR_SET(__attribute__((target("avx2,fma"))), avx2)
#define WITH_SET(part, ...)                              \
  if (has_avx2) part##_avx2(__VA_ARGS__);                 \
  else part##_portable(__VA_ARGS__)
#else
#define WITH_SET(part, ...) part##_portable(__VA_ARGS__)
#endif

void training_softmax_loss_on(kernels_isa isa, const training_softmax_classes *of, size_t padded,
                              const float *logits, const float *targets, const float *presence, float scale,
                              float *gradient, double *loss_sum, double *bias_sums) {
  const int has_avx2 = isa >= KERNELS_AVX2;
  (void)has_avx2;
  for (size_t c = 0; c < of->count; c++) bias_sums[c] = 0;
  *loss_sum = 0;
  for (size_t start = 0; start < padded; start += LANES) {
    softmax_lanes lanes;
    WITH_SET(tails, of, logits + start, gradient + start, &lanes);
    WITH_SET(wishes, of, logits + start, targets + start, &lanes);
    WITH_SET(steps, of, targets + start, presence + start, scale, gradient + start, bias_sums, &lanes);
    *loss_sum += losses_of_block(&lanes, presence + start);
  }
}

void training_softmax_loss(const training_softmax_classes *of, size_t padded, const float *logits,
                           const float *targets, const float *presence, float scale, float *gradient,
                           double *loss_sum, double *bias_sums) {
  training_softmax_loss_on(kernels_active_isa(), of, padded, logits, targets, presence, scale, gradient, loss_sum,
                           bias_sums);
}

void training_count_likeliest(const training_softmax_classes *of, size_t count, const float *logits,
                              const float *targets, const float *presence, uint64_t *counts) {
  for (size_t i = 0; i < count; i++) {
    if (!(presence[i] > 0)) continue;
    size_t best = 0;
    int answers = 1;
    for (size_t c = 0; c < of->count; c++) {
      const float x = logits[c * of->stride + i] + of->biases[c];
      if (isnan(x)) answers = 0;
      if (x > logits[best * of->stride + i] + of->biases[best]) best = c;
    }
    for (size_t c = 0; c < of->count; c++) {
      const int truth = targets[c * of->stride + i] > 0, found = answers && c == best;
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
