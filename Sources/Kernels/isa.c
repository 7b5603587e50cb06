#include "kernels_isa.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[] = {[KERNELS_PORTABLE] = "portable",
                                    [KERNELS_AVX2] = "avx2",
                                    [KERNELS_AVX512] = "avx512",
                                    [KERNELS_AVX512_VNNI] = "avx512-vnni",
                                    [KERNELS_AVX512_BF16] = "avx512-bf16",
                                    [KERNELS_AMX] = "amx"};

static kernels_isa active = KERNELS_PORTABLE;
static const char *refused = NULL;

const char *kernels_isa_name(kernels_isa isa) { return names[isa]; }

kernels_isa kernels_active_isa(void) { return active; }

const char *kernels_refused_isa(void) { return refused; }

bool kernels_find_isa(const char *name, kernels_isa best, kernels_isa *isa) {
  for (int candidate = KERNELS_PORTABLE; candidate <= (int)best; candidate++) {
    if (strcmp(name, names[candidate]) == 0) {
      *isa = (kernels_isa)candidate;
      return true;
    }
  }
  return false;
}

#if defined(__x86_64__)
// Linux lends the tiles' state, 8 KiB a thread, to processes that ask for it, once for all threads.
static bool may_use_tiles(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#endif

kernels_isa kernels_best_isa(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) {
    return KERNELS_PORTABLE;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return KERNELS_AVX2;
  }
  if (!__builtin_cpu_supports("avx512vnni")) return KERNELS_AVX512;
  if (!__builtin_cpu_supports("avx512bf16")) return KERNELS_AVX512_VNNI;
  return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
                 __builtin_cpu_supports("amx-int8") && may_use_tiles()
             ? KERNELS_AMX
             : KERNELS_AVX512_BF16;
#else
  return KERNELS_PORTABLE;
#endif
}

bool kernels_bf16_pays(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return active >= KERNELS_AMX || (active == KERNELS_AVX512_BF16 && !__builtin_cpu_is("intel"));
#else
  return false;
#endif
}

// Runs before main: no kernel is called earlier, and no lock is needed later.
__attribute__((constructor)) static void decide(void) {
  active = kernels_best_isa();
  const char *asked = getenv("CELLVEC_ISA");
  if (asked && *asked && !kernels_find_isa(asked, active, &active)) refused = asked;
}
