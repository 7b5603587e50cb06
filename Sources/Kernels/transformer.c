#include "kernels_transformer.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "transformer_rows.h"

// Compiles one body of transformer_rows.h twice: for the baseline of the platform, and for AVX2 with fused
// multiply-add. `parameters` and `arguments` are in parentheses.
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#else
#define AVX2
#endif

#define UNPACK(...) __VA_ARGS__
#define KERNEL(name, body, parameters, arguments)                                                              \
  static void name##_portable(UNPACK parameters) { body arguments; }                                           \
  AVX2 static void name##_avx2(UNPACK parameters) { body arguments; }                                          \
  void name##_on(kernels_isa isa, UNPACK parameters) {                                                         \
    if (isa >= KERNELS_AVX2) {                                                                                 \
      name##_avx2 arguments;                                                                                   \
    } else {                                                                                                   \
      name##_portable arguments;                                                                               \
    }                                                                                                          \
  }                                                                                                            \
  void name(UNPACK parameters) { name##_on(kernels_active_isa(), UNPACK arguments); }

KERNEL(kernels_layer_norm, layer_norm,
       (const float *gamma, const float *beta, float epsilon, size_t rows, size_t width, const float *x, float *out),
       (gamma, beta, epsilon, rows, width, x, out))

KERNEL(kernels_softmax, softmax, (size_t rows, size_t width, float *x), (rows, width, x))

KERNEL(kernels_dots, dots,
       (size_t count, const float *a, size_t rows, const float *x, size_t stride, size_t width, float *out,
        size_t out_stride),
       (count, a, rows, x, stride, width, out, out_stride))

KERNEL(kernels_weighted_sums, weighted_sums,
       (size_t count, const float *weights, size_t rows, size_t width, const float *x, float *out),
       (count, weights, rows, width, x, out))

KERNEL(kernels_silu_gate, silu_gate, (const float *bias, size_t rows, size_t width, float *x), (bias, rows, width, x))

KERNEL(kernels_tanh_gelu_gate, tanh_gelu_gate, (const float *bias, size_t rows, size_t width, float *x),
       (bias, rows, width, x))

KERNEL(kernels_rotate, rotate,
       (const float *turns, size_t rows, size_t heads, size_t width, size_t stride, float *x),
       (turns, rows, heads, width, stride, x))

#if defined(__x86_64__)
// Bits 15 (flush to zero) and 6 (denormals are zero) of MXCSR.
uint32_t kernels_flush_denormals(void) {
  uint32_t state = _mm_getcsr();
  _mm_setcsr(state | 0x8040);
  return state;
}

void kernels_restore_denormals(uint32_t state) { _mm_setcsr(state); }
#else
uint32_t kernels_flush_denormals(void) { return 0; }

void kernels_restore_denormals(uint32_t state) { (void)state; }
#endif
