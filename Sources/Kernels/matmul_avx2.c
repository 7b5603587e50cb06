#if defined(__x86_64__)

#include <immintrin.h>

#define SET matmul_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES_OF_A_REGISTER 8
#define ROWS 6
#define FUSED 1
#define BF16_ROWS 3
#define I8_ROWS 3
#define PAIRS_I16(a, b) ((words)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))

#include "matmul_body.h"

#endif
