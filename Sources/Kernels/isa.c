#include "kernels_isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {[KERNELS_PORTABLE] = "portable",
                                    [KERNELS_AVX2] = "avx2",
                                    [KERNELS_AVX512] = "avx512",
                                    [KERNELS_AVX512_VNNI] = "avx512-vnni",
                                    [KERNELS_AVX512_BF16] = "avx512-bf16"};

static kernels_isa active = KERNELS_PORTABLE;

const char *kernels_isa_name(kernels_isa isa) { return names[isa]; }

kernels_isa kernels_active_isa(void) { return active; }

static kernels_isa best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return KERNELS_PORTABLE;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return KERNELS_AVX2;
  }
  if (!__builtin_cpu_supports("avx512vnni")) return KERNELS_AVX512;
  return __builtin_cpu_supports("avx512bf16") ? KERNELS_AVX512_BF16 : KERNELS_AVX512_VNNI;
#else
  return KERNELS_PORTABLE;
#endif
}

// Runs before main: no kernel is called earlier, and no lock is needed later.
__attribute__((constructor)) static void decide(void) {
  active = best();
  const char *asked = getenv("CELLVEC_ISA");
  for (int isa = KERNELS_PORTABLE; asked && isa < (int)active; isa++) {
    if (strcmp(asked, names[isa]) == 0) active = (kernels_isa)isa;
  }
}
