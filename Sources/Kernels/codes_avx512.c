#if defined(__x86_64__)

#include <immintrin.h>

#define SCAN scan_codes_avx512
#define SCAN_GROUP scan_group_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define BYTES_OF_A_REGISTER 64
#define LOOK_UP(tables, places) _mm512_shuffle_epi8((__m512i)(tables), (__m512i)(places))
#define REACHED(bounds, least) _mm512_cmp_ps_mask((__m512)(bounds), _mm512_set1_ps(least), _CMP_GE_OQ)

#include "codes_body.h"

#define ROTATE random_rotation_avx512
#include "rotation_body.h"

#endif
