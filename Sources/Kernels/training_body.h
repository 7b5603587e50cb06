// The body of the training kernels, compiled by training.c for each instruction set. It defines
//
//   TARGET        the target attribute of the functions
//   NAMED(name)   the name of a function for this set
//   LANES_OF_A_REGISTER   floats in a register, a divisor of TRAINING_LANES
//   FUSED         whether multiply-add is one instruction

#define TARGET_INLINE TARGET __attribute__((always_inline)) static inline
// A function of its own: inlined, it would take registers from what stands beside it.
#define PART_OF_A_LOSS TARGET __attribute__((noinline)) static void

#if FUSED
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

#define WIDTH LANES_OF_A_REGISTER
#define floats NAMED(training_floats)
#define ints NAMED(training_ints)
#define words NAMED(training_words)

typedef float floats __attribute__((vector_size(4 * WIDTH)));
typedef int32_t ints __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t words __attribute__((vector_size(4 * WIDTH)));

TARGET_INLINE floats NAMED(load)(const float *x) {
  floats values;
  memcpy(&values, x, sizeof values);
  return values;
}

TARGET_INLINE void NAMED(store)(float *x, floats values) { memcpy(x, &values, sizeof values); }

TARGET_INLINE floats NAMED(chosen)(ints condition, floats yes, floats no) {
  return (floats)((condition & (ints)yes) | (~condition & (ints)no));
}

TARGET_INLINE floats NAMED(larger)(floats a, floats b) { return NAMED(chosen)(a > b, a, b); }

TARGET_INLINE float NAMED(sum)(floats values) {
  float total = 0;
  for (size_t lane = 0; lane < WIDTH; lane++) total += values[lane];
  return total;
}

// e^x for x <= 87, relative error below 3e-7; below -87 as for -87.
TARGET_INLINE floats NAMED(exponentials)(floats x) {
  x = NAMED(chosen)(x < -87.0f, (floats){} - 87.0f, x);
  const floats shifted = MULTIPLY_ADD(x, (floats){} + 1.44269504f, (floats){} + 12582912.0f);
  const floats n = shifted - 12582912.0f;
  const floats r = MULTIPLY_ADD(n, (floats){} + 2.12194440e-4f, MULTIPLY_ADD(n, (floats){} - 0.693359375f, x));
  const floats p = EXPONENTIAL_POLYNOMIAL(MULTIPLY_ADD, (floats){}, r);
  return MULTIPLY_ADD(p, r * r, r + 1.0f) * (floats)(((words)shifted << 23) + 0x3F800000u);
}

// log x for normal x > 0, absolute error below 2e-7 or 2e-7 of the result. x = 2^n m with m in [sqrt 1/2, sqrt 2), and
// log m = 2 artanh z, z = (m - 1) / (m + 1), by the first terms of its series: the next is below 4e-9.
TARGET_INLINE floats NAMED(logarithms)(floats x) {
  const words bits = (words)x - 0x3F3504F3u;
  const floats n = __builtin_convertvector((ints)bits >> 23, floats);
  const floats m = (floats)((bits & 0x7FFFFFu) + 0x3F3504F3u);
  const floats z = (m - 1.0f) / (m + 1.0f);
  const floats s = z * z;
  floats p = MULTIPLY_ADD((floats){} + 2.0f / 9, s, (floats){} + 2.0f / 7);
  p = MULTIPLY_ADD(p, s, (floats){} + 2.0f / 5);
  p = MULTIPLY_ADD(p, s, (floats){} + 2.0f / 3);
  p = MULTIPLY_ADD(p, s, (floats){} + 2.0f);
  return MULTIPLY_ADD(n, (floats){} + 0.693147181f, p * z);
}

// x^exponent for 0 <= x <= 1, x below 1e-30 as 1e-30; 1 for an exponent of 0. In place.
PART_OF_A_LOSS NAMED(powers)(float *x, size_t padded, float exponent) {
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats held = NAMED(larger)(NAMED(load)(x + i), (floats){} + 1e-30f);
    NAMED(store)(x + i, NAMED(logarithms)(held) * exponent);
  }
  for (size_t i = 0; i < padded; i += WIDTH) NAMED(store)(x + i, NAMED(exponentials)(NAMED(load)(x + i)));
}

PART_OF_A_LOSS NAMED(find_chances)(size_t padded, const float *logits, float bias, training_part *part) {
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats x = NAMED(load)(logits + i) + bias;
    NAMED(store)(part->x + i, x);
    NAMED(store)(part->n + i, NAMED(exponentials)((floats)((words)x | 0x80000000u)));
  }
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats tail = NAMED(logarithms)(1.0f + NAMED(load)(part->n + i));
    NAMED(store)(part->minus_log_n + i, NAMED(larger)(NAMED(load)(part->x + i), (floats){}) + tail);
  }
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats x = NAMED(load)(part->x + i), small = NAMED(load)(part->n + i);
    const floats inverse = 1.0f / (1.0f + small), other = small * inverse;
    NAMED(store)(part->p + i, NAMED(chosen)(x >= 0.0f, inverse, other));
    NAMED(store)(part->n + i, NAMED(chosen)(x >= 0.0f, other, inverse));
  }
}

PART_OF_A_LOSS NAMED(cross_entropy)(size_t padded, float weight, const float *targets, training_part *part) {
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats t = NAMED(load)(targets + i), rest = 1.0f - t, minus_log_n = NAMED(load)(part->minus_log_n + i);
    const floats minus_log_p = minus_log_n - NAMED(load)(part->x + i);
    NAMED(store)(part->value + i, t * minus_log_p * weight + rest * minus_log_n);
    NAMED(store)(part->slope + i, rest * NAMED(load)(part->p + i) - t * NAMED(load)(part->n + i) * weight);
  }
}

PART_OF_A_LOSS NAMED(focal)(size_t padded, const training_loss *loss, const float *targets, training_part *part) {
  // A miss q = p + t - 2 p t, then its powers.
  float *power = part->a, *lower = part->b;
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats t = NAMED(load)(targets + i);
    const floats q = t * NAMED(load)(part->n + i) + (1.0f - t) * NAMED(load)(part->p + i);
    NAMED(store)(power + i, q);
    NAMED(store)(lower + i, q);
  }
  NAMED(powers)(power, padded, loss->positive);
  NAMED(powers)(lower, padded, loss->positive - 1);
  const float of_positive = loss->alpha < 0 ? 1 : loss->alpha, of_negative = loss->alpha < 0 ? 1 : 1 - loss->alpha;
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats t = NAMED(load)(targets + i), p = NAMED(load)(part->p + i), n = NAMED(load)(part->n + i);
    const floats entropy = NAMED(load)(part->minus_log_n + i) - t * NAMED(load)(part->x + i);
    const floats alpha = t * of_positive + (1.0f - t) * of_negative, high = NAMED(load)(power + i);
    const floats turn = entropy * NAMED(load)(lower + i) * loss->positive * (1.0f - 2.0f * t) * p * n;
    NAMED(store)(part->value + i, alpha * high * entropy);
    NAMED(store)(part->slope + i, alpha * (high * (p - t) + turn));
  }
}

PART_OF_A_LOSS NAMED(asymmetric)(size_t padded, const training_loss *loss, const float *targets, training_part *part) {
  float *power = part->a, *high = part->b, *low = part->c, *log_rest = part->d, *slope = part->slope;
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats n = NAMED(load)(part->n + i), beyond = NAMED(load)(part->p + i) - loss->margin;
    const floats m = NAMED(larger)(beyond, (floats){});
    const floats rest = NAMED(chosen)(beyond > 0.0f, n + loss->margin, (floats){} + 1.0f);
    NAMED(store)(power + i, n);
    NAMED(store)(high + i, m);
    NAMED(store)(low + i, m);
    NAMED(store)(log_rest + i, NAMED(larger)(rest, (floats){} + 1e-8f));
  }
  for (size_t i = 0; i < padded; i += WIDTH) {
    // The slope of -log (1 - m), which is needed below, takes the place of 1 - m.
    const floats rest = NAMED(load)(log_rest + i);
    NAMED(store)(part->slope + i, 1.0f / rest);
    NAMED(store)(log_rest + i, NAMED(logarithms)(rest));
  }
  NAMED(powers)(power, padded, loss->positive);
  NAMED(powers)(high, padded, loss->negative);
  NAMED(powers)(low, padded, loss->negative - 1);
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats p = NAMED(load)(part->p + i), n = NAMED(load)(part->n + i), logs = NAMED(load)(log_rest + i);
    const floats rising = NAMED(load)(high + i) * NAMED(load)(slope + i) - NAMED(load)(low + i) * loss->negative * logs;
    NAMED(store)(part->slope + i, NAMED(chosen)(p > loss->margin, p * n * rising, (floats){}));
    NAMED(store)(high + i, NAMED(load)(high + i) * logs);
  }
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats t = NAMED(load)(targets + i), p = NAMED(load)(part->p + i), n = NAMED(load)(part->n + i);
    const floats minus_log_p = NAMED(load)(part->minus_log_n + i) - NAMED(load)(part->x + i);
    const floats weight = t * NAMED(load)(power + i);
    NAMED(store)(part->value + i, weight * minus_log_p - (1.0f - t) * NAMED(load)(high + i));
    const floats falling = weight * (n + p * minus_log_p * loss->positive);
    NAMED(store)(part->slope + i, (1.0f - t) * NAMED(load)(slope + i) - falling);
  }
}

TARGET static void NAMED(loss_row)(const training_loss *loss, size_t padded, const float *logits, float bias,
                                   float weight, const float *targets, const float *presence, float scale,
                                   float *gradient, double *sums) {
  training_part part;
  for (size_t start = 0; start < padded; start += LOSS_PART) {
    const size_t count = padded - start < LOSS_PART ? padded - start : LOSS_PART;
    NAMED(find_chances)(count, logits + start, bias, &part);
    switch (loss->kind) {
      case TRAINING_CROSS_ENTROPY: NAMED(cross_entropy)(count, weight, targets + start, &part); break;
      case TRAINING_FOCAL: NAMED(focal)(count, loss, targets + start, &part); break;
      case TRAINING_ASYMMETRIC: NAMED(asymmetric)(count, loss, targets + start, &part); break;
    }
    floats loss_sum = {}, gradient_sum = {};
    for (size_t i = 0; i < count; i += WIDTH) {
      // A sample that does not count adds 0 even where its logit is not a number.
      const floats there = NAMED(load)(presence + start + i);
      const floats step = NAMED(chosen)(there > 0.0f, NAMED(load)(part.slope + i) * there * scale, (floats){});
      NAMED(store)(gradient + start + i, step);
      loss_sum += NAMED(chosen)(there > 0.0f, NAMED(load)(part.value + i) * there, (floats){});
      gradient_sum += step;
    }
    sums[0] += (double)NAMED(sum)(loss_sum);
    sums[1] += (double)NAMED(sum)(gradient_sum);
  }
}

TARGET static float NAMED(rectify_backward)(float *gradient, const float *activation, size_t padded, float scale) {
  floats total = {};
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats g =
        NAMED(chosen)(NAMED(load)(activation + i) > 0.0f, NAMED(load)(gradient + i) * scale, (floats){});
    NAMED(store)(gradient + i, g);
    total += g;
  }
  return NAMED(sum)(total);
}

TARGET_INLINE floats NAMED(adamw_lanes)(const training_adamw_factors *f, floats g, float *parameter, float *first,
                                        float *second) {
  const floats m = NAMED(load)(first) * f->beta1 + g * f->rest1;
  const floats v = NAMED(load)(second) * f->beta2 + g * g * f->rest2;
  const floats w = NAMED(load)(parameter) * f->shrink -
                   m * f->rate / (__builtin_elementwise_sqrt(v) * f->correction + f->epsilon);
  NAMED(store)(first, m);
  NAMED(store)(second, v);
  NAMED(store)(parameter, w);
  return w;
}

TARGET static void NAMED(adamw)(const training_adamw_factors *factors, size_t padded, const float *gradient,
                                float *parameter, float *first, float *second) {
  for (size_t i = 0; i < padded; i += WIDTH) {
    NAMED(adamw_lanes)(factors, NAMED(load)(gradient + i), parameter + i, first + i, second + i);
  }
}

TARGET static float NAMED(adamw_scaled)(const training_adamw_factors *factors, size_t padded, const float *gradient,
                                        float bias_gradient, const float *ratio, const float *offset,
                                        float *parameter, float *first, float *second, float *effective) {
  floats total = {};
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats r = NAMED(load)(ratio + i), o = NAMED(load)(offset + i);
    const floats g = NAMED(load)(gradient + i) * r + o * bias_gradient;
    const floats w = NAMED(adamw_lanes)(factors, g, parameter + i, first + i, second + i);
    NAMED(store)(effective + i, w * r);
    total += w * o;
  }
  return NAMED(sum)(total);
}

TARGET static float NAMED(scaled)(size_t padded, const float *ratio, const float *offset, const float *parameter,
                                  float *effective) {
  floats total = {};
  for (size_t i = 0; i < padded; i += WIDTH) {
    const floats w = NAMED(load)(parameter + i);
    NAMED(store)(effective + i, w * NAMED(load)(ratio + i));
    total += w * NAMED(load)(offset + i);
  }
  return NAMED(sum)(total);
}

TARGET static void NAMED(moments)(const float *x, size_t rows, size_t columns, const float *shift, double *sum,
                                  double *squares) {
  for (size_t r = 0; r < rows; r++, x += columns) {
    for (size_t c = 0; c < columns; c++) {
      const double shifted = (double)x[c] - (double)shift[c];
      sum[c] += shifted;
      squares[c] += shifted * shifted;
    }
  }
}

TARGET static void NAMED(standardize)(float *x, size_t count, const float *mean, const float *scale) {
  for (size_t i = 0; i < count; i++) x[i] = (x[i] - mean[i]) * scale[i];
}

TARGET static void NAMED(rectify)(float *x, size_t count, float bias) {
  for (size_t i = 0; i < count; i++) x[i] = x[i] + bias > 0 ? x[i] + bias : 0;
}

TARGET static void NAMED(rectify_drop)(float *x, size_t count, float bias, float probability, uint64_t seed) {
  const uint32_t threshold = (uint32_t)((double)probability * 4294967296.0);
  const float scale = 1 / (1 - probability);
  for (size_t i = 0; i < count; i++) {
    const float kept = mixed(seed, i) < threshold ? 0 : (x[i] + bias) * scale;
    x[i] = kept > 0 ? kept : 0;
  }
}

TARGET static void NAMED(pack_pairs)(const uint16_t *x, size_t stride, size_t words, size_t columns, size_t width,
                                     uint32_t *out, size_t panel) {
  for (size_t start = 0; start < columns; start += width, out += panel * width) {
    const size_t count = columns - start < width ? columns - start : width;
    for (size_t w = 0; w < words; w++) {
      const uint16_t *low = x + 2 * w * stride + start, *high = low + stride;
      for (size_t i = 0; i < count; i++) out[w * width + i] = low[i] | (uint32_t)high[i] << 16;
    }
  }
}

// Writes eight rows of eight words as columns, by three rounds of exchanges between pairs of rows 1, 2 and 4 apart.
TARGET_INLINE void NAMED(transpose_octets)(training_octet r[8], uint32_t *out, size_t out_stride) {
  training_octet s[8];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i += 4) {
#pragma clang loop unroll(full)
    for (size_t j = i; j < i + 2; j++) {
      r[j] = __builtin_shufflevector(s[j], s[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[j + 2] = __builtin_shufflevector(s[j], s[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 4; i++) {
    s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i++) memcpy(out + i * out_stride, &s[i], sizeof s[i]);
}

TARGET_INLINE void NAMED(transpose_eight)(const uint32_t *x, size_t stride, uint32_t *out, size_t out_stride) {
  training_octet r[8];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 8; i++) memcpy(&r[i], x + i * stride, sizeof r[i]);
  NAMED(transpose_octets)(r, out, out_stride);
}

// Eight columns at a time of all rows of a panel: what is written then lies close together.
TARGET static void NAMED(pack_vectors)(const float *const *x, size_t rows, size_t padded, size_t columns,
                                       const float *mean, const float *scale, size_t width, float *by_sample,
                                       float *by_column, size_t first, size_t panel) {
  for (size_t start = 0; start < padded; start += width) {
    const size_t end = padded - start < width ? padded : start + width;
    float *samples = by_sample + start * columns;
    size_t c = 0;
    for (; c + 8 <= columns; c += 8) {
      training_eight center, factor;
      memcpy(&center, mean + c, sizeof center);
      memcpy(&factor, scale + c, sizeof factor);
      float *column = by_column ? by_column + (c / width * panel + first) * width + c % width : NULL;
      for (size_t r = start; r < end; r += 8) {
        // In the place of a row that lacks stands the mean, which becomes zero.
        const float *spare[8];
        const float *const *from = x + r;
        if (r + 8 > rows) {
          for (size_t i = 0; i < 8; i++) spare[i] = r + i < rows ? x[r + i] : mean;
          from = spare;
        }
        training_octet lines[8];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 8; i++) {
          training_eight y;
          memcpy(&y, from[i] + c, sizeof y);
          lines[i] = (training_octet)((y - center) * factor);
        }
        if (column) {
#pragma clang loop unroll(full)
          for (size_t i = 0; i < 8; i++) memcpy(column + (r + i) * width, &lines[i], sizeof lines[i]);
        }
        NAMED(transpose_octets)(lines, (uint32_t *)(void *)(samples + c * width + r - start), width);
      }
    }
    for (; c < columns; c++) {
      for (size_t r = start; r < end; r++) {
        const float y = r < rows ? (x[r][c] - mean[c]) * scale[c] : 0;
        samples[c * width + r - start] = y;
        if (by_column) by_column[(c / width * panel + first + r) * width + c % width] = y;
      }
    }
  }
}

TARGET static void NAMED(transpose)(const uint32_t *x, size_t stride, size_t rows, size_t columns, uint32_t *out,
                                    size_t out_stride) {
  const size_t whole_rows = rows - rows % 8, whole_columns = columns - columns % 8;
  for (size_t r = 0; r < whole_rows; r += 8) {
    for (size_t c = 0; c < whole_columns; c += 8) {
      NAMED(transpose_eight)(x + r * stride + c, stride, out + c * out_stride + r, out_stride);
    }
  }
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = r < whole_rows ? whole_columns : 0; c < columns; c++) out[c * out_stride + r] = x[r * stride + c];
  }
}

#undef floats
#undef ints
#undef words
#undef TARGET_INLINE
#undef PART_OF_A_LOSS
#undef MULTIPLY_ADD
#undef TARGET
#undef NAMED
#undef FUSED
#undef WIDTH
#undef LANES_OF_A_REGISTER
