// Rows of 8-bit activations, for a matmul_set: included by matmul_body.h, whose vectors and macros it uses.

TARGET_INLINE floats load_number(const kernels_number number, const void *x, size_t i) {
  if (number == KERNELS_F32) return load((const float *)x + i);
  halves half;
  memcpy(&half, (const uint16_t *)x + i, sizeof half);
  return (floats)(__builtin_convertvector(half, words) << 16);
}

TARGET_INLINE float number_at(const kernels_number number, const void *x, size_t i) {
  if (number == KERNELS_F32) return ((const float *)x)[i];
  return bits_to_float((uint32_t)((const uint16_t *)x)[i] << 16);
}

// The step for values from `least` <= 0 to `most` >= 0.
TARGET_INLINE kernels_step step_of(float least, float most) {
  const float step = most - least > 1e-30f ? (most - least) / 255 : 1;
  return (kernels_step){step, (int32_t)rintf(-least / step)};
}

TARGET_INLINE kernels_step quantize_as(const kernels_number number, size_t width, const void *x, uint8_t *out) {
  const size_t whole = width - width % LANES_OF_A_REGISTER;
  // As whole numbers, the bits of floats above 0 ascend with them, and lie above those of all others. What is not finite
  // is the largest of all.
  const int32_t sign = INT32_MIN, infinity = 0x7F800000;
  ints low = {}, high = {};
  for (size_t i = 0; i < whole; i += LANES_OF_A_REGISTER) {
    const ints value = (ints)load_number(number, x, i);
    low = __builtin_elementwise_max(low, value ^ sign);
    high = __builtin_elementwise_max(high, value);
  }
  int32_t least = __builtin_reduce_max(low), most = __builtin_reduce_max(high);
  for (size_t i = whole; i < width; i++) {
    const int32_t value = (int32_t)float_to_bits(number_at(number, x, i));
    least = (value ^ sign) > least ? value ^ sign : least;
    most = value > most ? value : most;
  }
  const size_t padded = kernels_row_bytes(KERNELS_I8, width);
  if (least >= infinity || most >= infinity) {
    memset(out, 0, padded);
    return (kernels_step){NAN, 0};
  }
  const kernels_step step = step_of(-bits_to_float((uint32_t)least), bits_to_float((uint32_t)most));
  // 1.5 * 2^23 rounds to the nearest whole number and leaves it in the low bits.
  const float inverse = 1 / step.scale, offset = 12582912.0f + (float)step.zero;
  for (size_t i = 0; i < whole; i += LANES_OF_A_REGISTER) {
    const floats shifted = MULTIPLY_ADD(load_number(number, x, i), (floats){} + inverse, (floats){} + offset);
    const ints value = (ints)shifted - 0x4B400000;
    const bytes byte = __builtin_convertvector(
        __builtin_elementwise_min(__builtin_elementwise_max(value, (ints){}), (ints){} + 255), bytes);
    memcpy(out + i, &byte, sizeof byte);
  }
  for (size_t i = whole; i < width; i++) {
    const float value = rintf(number_at(number, x, i) * inverse + (float)step.zero);
    out[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
  }
  memset(out + width, step.zero, padded - width);
  return step;
}

TARGET static kernels_step quantize(kernels_number number, size_t width, const void *x, uint8_t *out) {
  return number == KERNELS_F32 ? quantize_as(KERNELS_F32, width, x, out) : quantize_as(KERNELS_BF16, width, x, out);
}

TARGET_INLINE float sum_of(floats lanes) {
  float lane[LANES_OF_A_REGISTER];
  memcpy(lane, &lanes, sizeof lane);
  _Pragma("clang loop unroll(full)") for (size_t half = LANES_OF_A_REGISTER / 2; half > 0; half /= 2) {
    _Pragma("clang loop unroll(full)") for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
  }
  return lane[0];
}

// One row. Four sums run side by side, because one would wait for itself.
TARGET static void norm(const float *gamma, const float *beta, float epsilon, size_t width, const float *x,
                        float *out) {
  enum { SUMS = 4, STEP = SUMS * LANES_OF_A_REGISTER };
  const size_t whole = width - width % STEP;
  floats lanes[SUMS] = {};
  for (size_t i = 0; i < whole; i += STEP) {
    _Pragma("clang loop unroll(full)") for (size_t s = 0; s < SUMS; s++) {
      lanes[s] += load(x + i + s * LANES_OF_A_REGISTER);
    }
  }
  float sum = sum_of((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
  for (size_t i = whole; i < width; i++) sum += x[i];
  const float mean = sum / (float)width;

  floats squares[SUMS] = {};
  for (size_t i = 0; i < whole; i += STEP) {
    _Pragma("clang loop unroll(full)") for (size_t s = 0; s < SUMS; s++) {
      const floats centered = load(x + i + s * LANES_OF_A_REGISTER) - mean;
      squares[s] = MULTIPLY_ADD(centered, centered, squares[s]);
    }
  }
  float square = sum_of((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (size_t i = whole; i < width; i++) square += (x[i] - mean) * (x[i] - mean);
  const float factor = 1.0f / sqrtf(square / (float)width + epsilon);

  size_t i = 0;
  for (; i + LANES_OF_A_REGISTER <= width; i += LANES_OF_A_REGISTER) {
    store(out + i, MULTIPLY_ADD((load(x + i) - mean) * factor, load(gamma + i), load(beta + i)));
  }
  for (; i < width; i++) out[i] = (x[i] - mean) * factor * gamma[i] + beta[i];
}
