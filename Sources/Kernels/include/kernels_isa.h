#ifndef KERNELS_ISA_H
#define KERNELS_ISA_H

// The instruction sets that kernels are written for, weakest first. Every kernel has a portable version,
// which is the reference that the others are tested against; a kernel without a version of its own for a set
// runs that of the best set below. AVX512 is F, BW, DQ and VL; the next add VNNI, then BF16.
typedef enum {
  KERNELS_PORTABLE = 0,
  KERNELS_AVX2 = 1,
  KERNELS_AVX512 = 2,
  KERNELS_AVX512_VNNI = 3,
  KERNELS_AVX512_BF16 = 4
} kernels_isa;

// The best set that this machine runs. CELLVEC_ISA=portable|avx2|avx512|avx512-vnni|avx512-bf16 in the
// environment lowers it; a name that the machine cannot run, or an unknown one, is ignored. Decided once a process.
kernels_isa kernels_active_isa(void);

// As CELLVEC_ISA names it.
const char *kernels_isa_name(kernels_isa isa);

#endif
