#if defined(__x86_64__)

#include <immintrin.h>

#define SET matmul_avx512_vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))
#define LANES_OF_A_REGISTER 16
#define ROWS 12
#define FUSED 1
#define DOT_I8(sum, a, b) ((words)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))

#include "matmul_body.h"

#endif
