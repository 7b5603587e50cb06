#if defined(__x86_64__)

#define NAME distances_avx2
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define MULTIPLY_ADD(a, b, sum) __builtin_elementwise_fma(a, b, sum)

#include "metric_body.h"

#endif
