#include "matmul.h"

void kernels_quantize(kernels_isa isa, kernels_number number, size_t rows, size_t width, const void *x, size_t stride,
                      uint8_t *out, size_t out_stride, kernels_step *steps) {
  const matmul_set *set = matmul_set_of(isa);
  for (size_t row = 0; row < rows; row++) {
    steps[row] = set->quantize(number, width, (const char *)x + row * stride, out + row * out_stride);
  }
}

void kernels_layer_norm_quantized(kernels_isa isa, const float *gamma, const float *beta, float epsilon, size_t rows,
                                  size_t width, const float *x, size_t stride, float *scratch, uint8_t *out,
                                  size_t out_stride, kernels_step *steps) {
  const matmul_set *set = matmul_set_of(isa);
  for (size_t row = 0; row < rows; row++) {
    set->norm(gamma, beta, epsilon, width, (const float *)(const void *)((const char *)x + row * stride), scratch);
    steps[row] = set->quantize(KERNELS_F32, width, scratch, out + row * out_stride);
  }
}
