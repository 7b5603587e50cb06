#if defined(__x86_64__)

#define SET cosine_avx512
#define OF_ROWS cosine_of_rows_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")))
#define LANES_OF_A_REGISTER 16
#define TILE_QUERIES 3
#define TILE_ROWS 4
#define STREAMS 4

#include "distance_body.h"
#include "unit_body.h"

TARGET double scale_to_unit_avx512(size_t count, const float *restrict vector, float *restrict unit) {
  return scale_numbers(count, vector, unit);
}

#endif
