#if defined(__x86_64__)

#include <immintrin.h>

#define SET matmul_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define LANES_OF_A_REGISTER 16
#define ROWS 12
#define FUSED 1
#define PAIRS_I16(a, b) ((words)_mm512_madd_epi16((__m512i)(a), (__m512i)(b)))

#include "matmul_body.h"

#endif
