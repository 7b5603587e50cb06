#if defined(__x86_64__)

#define SET matmul_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES_OF_A_REGISTER 8
#define ROWS 6
#define FUSED 1

#include "matmul_body.h"

#endif
