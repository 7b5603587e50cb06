#include "kernels_isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {[KERNELS_PORTABLE] = "portable", [KERNELS_AVX2] = "avx2"};

static kernels_isa active = KERNELS_PORTABLE;

const char *kernels_isa_name(kernels_isa isa) { return names[isa]; }

kernels_isa kernels_active_isa(void) { return active; }

// Runs before main: no kernel is called earlier, and no lock is needed later.
__attribute__((constructor)) static void decide(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) active = KERNELS_AVX2;
#endif
  const char *asked = getenv("CELLVEC_ISA");
  for (int isa = KERNELS_PORTABLE; asked && isa < (int)active; isa++) {
    if (strcmp(asked, names[isa]) == 0) active = (kernels_isa)isa;
  }
}
