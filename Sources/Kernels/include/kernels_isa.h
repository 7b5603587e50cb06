#ifndef KERNELS_ISA_H
#define KERNELS_ISA_H

#include <stdbool.h>

// The instruction sets that kernels are written for, weakest first. Every kernel has a portable version,
// which is the reference that the others are tested against; a kernel without a version of its own for a set
// runs that of the best set below. AVX512 is F, BW, DQ and VL; the next add VNNI, then BF16,
// then AMX's tiles for bfloat16 and 8 bits.
typedef enum {
  KERNELS_PORTABLE = 0,
  KERNELS_AVX2 = 1,
  KERNELS_AVX512 = 2,
  KERNELS_AVX512_VNNI = 3,
  KERNELS_AVX512_BF16 = 4,
  KERNELS_AMX = 5
} kernels_isa;

// The best set that this machine runs.
kernels_isa kernels_best_isa(void);

// The set that kernels run on: the best, or the one that CELLVEC_ISA in the environment names. Decided once a process.
kernels_isa kernels_active_isa(void);

// What CELLVEC_ISA says where that is no name, or the name of a set that this machine does not run; else NULL. Such a
// value changes nothing: whoever has a user to talk to must refuse it. An empty one counts as none.
const char *kernels_refused_isa(void);

// Whether products of bfloat16 take less time than those of float32: by tiles they do, and on AMD's processors, which
// multiply twice as many a clock. Intel's start one VDPBF16PS where they start two multiply-adds of float32: nothing is
// won and rounding costs, so that an embedding by it took 1.6 times as long.
bool kernels_bf16_pays(void);

// As CELLVEC_ISA names it: portable, avx2, avx512, avx512-vnni, avx512-bf16, amx.
const char *kernels_isa_name(kernels_isa isa);

// Whether `name` is that of a set up to `best`, which is then written to `isa`.
bool kernels_find_isa(const char *name, kernels_isa best, kernels_isa *isa);

#endif
