#ifndef KERNELS_TRAINING_H
#define KERNELS_TRAINING_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"

// What head training does between products. A batch is kept by class, not by sample: logits, targets and gradients are
// [classes, samples], so that samples lie side by side in a register and gradients are rows of the next product as they
// are. Counts called `padded` are multiples of TRAINING_LANES, and the memory behind them is there; other counts may
// be anything, 0 too. Pointers need the alignment of their type only; buffers do not overlap. Sums of floats are
// made in a fixed order, so that a result depends on arguments and instruction set alone.
enum { TRAINING_LANES = 16 };

// sum[c] += sum over rows of (x[r,c] - shift[c]) and squares[c] += sum over rows of its square, in double. Rows lie
// without gaps. With a shift from the matrix itself, a constant column adds exactly zero to both. One NaN or infinity
// in a column leaves sum or squares of that column not finite; finite input never does.
void training_moments(const float *x, size_t rows, size_t columns, const float *shift, double *sum, double *squares);

// x[i] = (x[i] - mean[i]) * scale[i].
void training_standardize(float *x, size_t count, const float *mean, const float *scale);

// Panels of `width` outputs, a multiple of 8, as kernels_matmul.h has them. Their word `k` of output `o` lies at
// (o / width * panel + k) * width + o % width, where `panel` is how many words an output has.

// Standardises vectors [rows, columns], y[r, c] = (x[r][c] - mean[c]) * scale[c], each of which lies where a pointer
// says, and packs them twice as float32:
//
//   padded        rows with those of zeros behind them, a multiple of 8
//   by_sample     outputs are samples, words are columns
//   by_column     outputs are columns, words are samples from `first` on of `panel`; or NULL
// What the last panel of by_column has beyond the columns is left as it is.
void training_pack_vectors(const float *const *x, size_t rows, size_t padded, size_t columns, const float *mean,
                           const float *scale, size_t width, float *by_sample, float *by_column, size_t first,
                           size_t panel);

// Packs columns as outputs: word r of output c is x[r, c]. Rows of x lie `stride` words apart.
void training_pack_columns(const uint32_t *x, size_t stride, size_t rows, size_t columns, size_t width, uint32_t *out,
                           size_t panel);

// The same of bfloat16: word r of output c is x[2 r, c] + 65536 * x[2 r + 1, c], of `words` pairs of rows. Rows lie
// `stride` numbers apart.
void training_pack_pairs(const uint16_t *x, size_t stride, size_t words, size_t columns, size_t width, uint32_t *out,
                         size_t panel);

// out[c, r] = x[r, c] for words of 32 bits: rows of x lie `stride` words apart, those of out `out_stride`.
void training_transpose(const uint32_t *x, size_t stride, size_t rows, size_t columns, uint32_t *out,
                        size_t out_stride);

// The losses of a class, for a logit x with p = 1 / (1 + exp(-x)) and a target t in [0, 1]; s(x) = log(1 + exp(x)).
typedef enum {
  // weight t s(-x) + (1 - t) s(x)
  TRAINING_CROSS_ENTROPY = 0,
  // (a t + (1 - a)(1 - t)) q^g (t s(-x) + (1 - t) s(x)) with q = p + t - 2 p t, a = `alpha`, g = `positive`; an alpha
  // below 0 leaves the first factor out. As torchvision's sigmoid_focal_loss has it (Lin et al., 2017).
  TRAINING_FOCAL = 1,
  // t (1 - p)^g s(-x) - (1 - t) m^h log(1 - m) with m = max(p - margin, 0), g = `positive`, h = `negative`
  // (Ridnik et al., "Asymmetric loss for multi-label classification", 2021, equations 3 to 6).
  TRAINING_ASYMMETRIC = 2
} training_loss_kind;

typedef struct {
  training_loss_kind kind;
  float alpha, positive, negative, margin;
} training_loss;

// Loss and gradient of one class over samples.
//
//   padded     how many samples
//   logits     [padded], to which `bias` is added
//   weight     of positives, for TRAINING_CROSS_ENTROPY
//   targets    [padded]
//   presence   [padded]: 1 for samples that count, 0 for others, whose gradient is 0
//   scale      gradient[i] = scale * presence[i] * dloss/dx
//   sums       sums[0] += the losses of samples that count, sums[1] += the gradients
// Never overflows for finite logits; a NaN among those that count makes the sums NaN.
void training_loss_row(const training_loss *loss, size_t padded, const float *logits, float bias, float weight,
                       const float *targets, const float *presence, float scale, float *gradient, double *sums);

// x[i] = max(x[i] + bias, 0); NaN becomes 0.
void training_rectify(float *x, size_t count, float bias);

// The same, then zeroes element i where hash(seed, i) falls below `probability` and multiplies the others by
// 1 / (1 - probability). The pattern depends on seed and i alone. 0 <= probability < 1.
void training_rectify_drop(float *x, size_t count, float bias, float probability, uint64_t seed);

// gradient[i] = activation[i] > 0 ? gradient[i] * scale : 0, the backward pass of both with
// scale = 1 / (1 - probability): an element that was dropped and one that was negative are both 0. Returns the sum.
float training_rectify_backward(float *gradient, const float *activation, size_t padded, float scale);

// How many of `count` samples that count (presence > 0) are positive (target > 0) and have a logit + bias above 0, are
// only the former, and only the latter: added to counts[0], counts[1], counts[2].
void training_count(const float *logits, float bias, const float *targets, const float *presence, size_t count,
                    uint64_t *counts);

// x[i] = 1 / (1 + exp(-x[i])); within [0, 1] for all x but NaN, which stays NaN.
void training_sigmoid(float *x, size_t count);

// The classes of a loss on one class a sample: softmax over their logits.
typedef struct {
  size_t count;          // at least 1
  size_t stride;         // from the numbers of a class to those of the next; at least the samples, padded
  const float *biases;   // [count], added to logits
  const float *weights;  // [count]
  float smoothing;       // e: the target q is (1 - e) t + e / count
} training_softmax_classes;

// Loss and gradient of samples, sum over classes of -weight q log p with p = softmax(logit + bias): PyTorch's
// CrossEntropyLoss with `weight` and `label_smoothing`, before its reduction.
//
//   logits, targets, gradient   [count, stride], of which `padded` samples are looked at
//   presence   [padded]: 1 for samples that count, 0 for others, whose gradient is 0
//   scale      gradient = scale * presence * dloss/dx
//   loss_sum, bias_sums   become the losses of samples that count, and [count] the gradients, summed over samples
// A class whose logit + bias lies more than FLT_MAX below the largest counts as that far below. Finite logits + biases
// give no NaN; a NaN or +infinity among those that count makes loss and sums NaN. The result depends on arguments and on
// whether the machine has AVX2.
void training_softmax_loss(const training_softmax_classes *of, size_t padded, const float *logits,
                           const float *targets, const float *presence, float scale, float *gradient,
                           double *loss_sum, double *bias_sums);

// The same on an instruction set that the machine has.
void training_softmax_loss_on(kernels_isa isa, const training_softmax_classes *of, size_t padded,
                              const float *logits, const float *targets, const float *presence, float scale,
                              float *gradient, double *loss_sum, double *bias_sums);

// As training_count, for the likeliest class of each sample, of equal ones the first: counts is [count, 3]. A sample with
// a NaN has no likeliest class.
void training_count_likeliest(const training_softmax_classes *of, size_t count, const float *logits,
                              const float *targets, const float *presence, uint64_t *counts);

// x[r, c] = exp(x[r, c]) / sum over c of exp(x[r, c]), without overflow; a row with a NaN or an infinity becomes NaN.
void training_softmax(float *x, size_t rows, size_t classes);

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

typedef struct {
  float shrink, beta1, rest1, beta2, rest2, rate, correction, epsilon;
} training_adamw_factors;

training_adamw_factors training_adamw_prepare(training_adamw_step step);

void training_adamw(const training_adamw_factors *factors, size_t padded, const float *gradient, float *parameter,
                    float *first, float *second);

// A step on weights that act on inputs x, while the product was made of inputs y with x = ratio y + offset: the
// gradient is ratio[i] * gradient[i] + bias_gradient * offset[i].
//
//   effective  [padded]: parameter[i] * ratio[i] after the step, which acts on y
// Returns the sum of parameter[i] * offset[i], which belongs to the bias of y.
float training_adamw_scaled(const training_adamw_factors *factors, size_t padded, const float *gradient,
                            float bias_gradient, const float *ratio, const float *offset, float *parameter,
                            float *first, float *second, float *effective);

// The last two lines of the above, without a step.
float training_scaled(size_t padded, const float *ratio, const float *offset, const float *parameter, float *effective);

#endif
