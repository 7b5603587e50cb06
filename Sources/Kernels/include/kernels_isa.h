#ifndef KERNELS_ISA_H
#define KERNELS_ISA_H

// The instruction sets that kernels are written for, weakest first. Every kernel has a portable version,
// which is the reference that the others are tested against.
typedef enum { KERNELS_PORTABLE = 0, KERNELS_AVX2 = 1 } kernels_isa;

// The best set that this machine runs. CELLVEC_ISA=portable|avx2 in the environment lowers it; a name that
// the machine cannot run, or an unknown one, is ignored. Decided once a process.
kernels_isa kernels_active_isa(void);

// "portable" or "avx2".
const char *kernels_isa_name(kernels_isa isa);

#endif
