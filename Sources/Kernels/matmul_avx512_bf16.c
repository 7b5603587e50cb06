#if defined(__x86_64__)

#include <immintrin.h>

#define SET matmul_avx512_bf16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma")))
#define LANES_OF_A_REGISTER 16
#define ROWS 12
#define FUSED 1
#define DOT_I8(sum, a, b) ((words)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b)))
#define DOT_BF16(sum, a, b) ((words)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#define ROUND_BF16(values) _mm512_cvtneps_pbh((__m512)(values))

#include "matmul_body.h"

#endif
