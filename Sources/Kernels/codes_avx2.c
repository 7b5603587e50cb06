#if defined(__x86_64__)

#include <immintrin.h>

#define SCAN scan_codes_avx2
#define SCAN_GROUP scan_group_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define BYTES_OF_A_REGISTER 32
#define LOOK_UP(tables, places) _mm256_shuffle_epi8((__m256i)(tables), (__m256i)(places))
#define REACHED(bounds, least) _mm256_movemask_ps(_mm256_cmp_ps((__m256)(bounds), _mm256_set1_ps(least), _CMP_GE_OQ))

#include "codes_body.h"

#define ROTATE random_rotation_avx2
#include "rotation_body.h"

#endif
