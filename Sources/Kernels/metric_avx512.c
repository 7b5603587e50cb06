#if defined(__x86_64__)

#define NAME distances_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))
#define MULTIPLY_ADD(a, b, sum) __builtin_elementwise_fma(a, b, sum)

#include "metric_body.h"

#endif
