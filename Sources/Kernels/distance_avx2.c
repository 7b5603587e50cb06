#if defined(__x86_64__)

#define SET cosine_avx2
#define OF_ROWS cosine_of_rows_avx2
#define TARGET __attribute__((target("avx2,fma,f16c")))
// Sixteen lanes are two of the sixteen registers: 3 x 2 sums take twelve of them.
#define LANES_OF_A_REGISTER 8
#define TILE_QUERIES 3
#define TILE_ROWS 2
#define STREAMS 2

#include "distance_body.h"
#include "unit_body.h"

TARGET double scale_to_unit_avx2(size_t count, const float *restrict vector, float *restrict unit) {
  return scale_numbers(count, vector, unit);
}

#endif
