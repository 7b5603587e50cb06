#if defined(__x86_64__)

#define SET matmul_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define LANES_OF_A_REGISTER 16
#define ROWS 12
#define FUSED 1

#include "matmul_body.h"

#endif
