#include "column.h"

void f64_between_portable(const double *restrict x, size_t count, double least, double greatest,
                          uint64_t *restrict bits) {
  for (size_t first = 0; first < count; first += 64) {
    const size_t end = count - first < 64 ? count - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < end; i++) {
      word |= (uint64_t)(least <= x[first + i] && x[first + i] <= greatest) << i;
    }
    bits[first / 64] = word;
  }
}

void kernels_f64_between_on(kernels_isa isa, const double *restrict x, size_t count, double least,
                            double greatest, uint64_t *restrict bits) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) {
    f64_between_avx2(x, count, least, greatest, bits);
    return;
  }
#endif
  f64_between_portable(x, count, least, greatest, bits);
}

void kernels_f64_between(const double *restrict x, size_t count, double least, double greatest,
                         uint64_t *restrict bits) {
  kernels_f64_between_on(kernels_active_isa(), x, count, least, greatest, bits);
}
