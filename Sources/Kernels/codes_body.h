// The body of the scan of codes, compiled by the files codes_*.c for instruction sets that look sixteen entries up in a
// register. They define
//
//   SCAN, SCAN_GROUP           the names of the functions
//   TARGET                     the target attribute of the functions
//   BYTES_OF_A_REGISTER        32 or 64
//   LOOK_UP(tables, places)    the entries of a table in each 16 bytes, by the places in the same 16 bytes
//   REACHED(bounds, least)     a bit for each float of a register that is at least `least`, which no NaN is

#include "codes.h"

enum { FLOATS = BYTES_OF_A_REGISTER / 4, PARTS = KERNELS_GROUP_CODES / FLOATS };

#define TARGET_INLINE TARGET __attribute__((always_inline)) static inline

typedef uint8_t bytes __attribute__((vector_size(BYTES_OF_A_REGISTER)));
typedef uint8_t bytes_in_memory __attribute__((vector_size(BYTES_OF_A_REGISTER), aligned(1), may_alias));
typedef uint16_t words __attribute__((vector_size(BYTES_OF_A_REGISTER)));
typedef uint16_t sixteen_words __attribute__((vector_size(32)));
typedef uint16_t eight_words __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(4 * FLOATS)));
typedef float floats_in_memory __attribute__((vector_size(4 * FLOATS), aligned(4), may_alias));

// Sums over the registers' parts of 16 bytes.
TARGET_INLINE eight_words folded(words sums) {
#if BYTES_OF_A_REGISTER == 64
  const sixteen_words half = __builtin_shufflevector(sums, sums, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) +
                             __builtin_shufflevector(sums, sums, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                                     29, 30, 31);
#else
  const sixteen_words half = sums;
#endif
  return __builtin_shufflevector(half, half, 0, 1, 2, 3, 4, 5, 6, 7) +
         __builtin_shufflevector(half, half, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Adds to the sums of 16 codes what whole words and their upper bytes have summed up: even bytes are those of the first
// eight codes, odd ones of the others.
TARGET_INLINE void add_sums(words whole, words odd, floats *totals) {
  const eight_words first = folded(whole - (odd << 8)), last = folded(odd);
#if BYTES_OF_A_REGISTER == 64
  const sixteen_words both = __builtin_shufflevector(first, last, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  totals[0] += __builtin_convertvector(both, floats);
#else
  totals[0] += __builtin_convertvector(first, floats);
  totals[1] += __builtin_convertvector(last, floats);
#endif
}

// Asks for a line at `ahead`, where it is not NULL, for each line that it reads.
TARGET_INLINE void sums_of_group(const uint8_t *group, const uint8_t *tables, size_t columns, const uint8_t *ahead,
                                 floats totals[PARTS]) {
  for (size_t part = 0; part < PARTS; part++) totals[part] = (floats){0};
  for (size_t column = 0; column < columns;) {
    const size_t stop = columns - column < LOOKUPS_PER_SUM ? columns : column + LOOKUPS_PER_SUM;
    words low = {0}, low_odd = {0}, high = {0}, high_odd = {0};
    for (; column < stop; column += BYTES_OF_A_REGISTER / 16) {
      if (ahead) __builtin_prefetch(ahead + column * 16, 0, 2);
      const bytes codes = *(const bytes_in_memory *)(group + column * 16);
      const bytes table = *(const bytes_in_memory *)(tables + column * 16);
      const words lower = (words)LOOK_UP(table, codes & 15), upper = (words)LOOK_UP(table, codes >> 4);
      low += lower;
      low_odd += lower >> 8;
      high += upper;
      high_odd += upper >> 8;
    }
    add_sums(low, low_odd, totals);
    add_sums(high, high_odd, totals + PARTS / 2);
  }
}

// The bounds of a group's codes, and a bit for each that is at least `least`.
TARGET_INLINE uint32_t bounds_of_group(const uint8_t *group, size_t width, const floats totals[PARTS], float scale,
                                       float offset, float base, float least, float *bounds) {
  const float *added = group_sums(group, width), *factors = group_factors(group, width);
  uint32_t reached = 0;
  for (size_t part = 0; part < PARTS; part++) {
    const floats along = totals[part] * scale + offset;
    const floats bound = *(const floats_in_memory *)(factors + part * FLOATS) * along +
                         (*(const floats_in_memory *)(added + part * FLOATS) + base);
    *(floats_in_memory *)(bounds + part * FLOATS) = bound;
    reached |= (uint32_t)REACHED(bound, least) << (part * FLOATS);
  }
  return reached;
}

TARGET uint32_t SCAN_GROUP(const kernels_code_query *query, float base, float least, const uint8_t *group,
                           const uint8_t *ahead, float *bounds) {
  const size_t width = query->width;
  floats totals[PARTS];
  sums_of_group(group, query->tables, width / 4, ahead, totals);
  for (size_t offset = 4 * width; offset < kernels_group_bytes(width); offset += 64) {
    __builtin_prefetch(ahead + offset, 0, 2);
  }
  return bounds_of_group(group, width, totals, query->scale, query->offset, base, least, bounds);
}

TARGET size_t SCAN(const kernels_code_query *query, const kernels_code_search *search, const uint8_t *groups,
                   size_t first, size_t end, kernels_code_hit *hits) {
  const size_t width = query->width, bytes_of_group = kernels_group_bytes(width);
  const float offset = query->offset + search->margin;
  size_t count = 0;
  for (size_t index = first / KERNELS_GROUP_CODES; index * KERNELS_GROUP_CODES < end; index++) {
    const uint8_t *group = groups + index * bytes_of_group;
    floats totals[PARTS];
    sums_of_group(group, query->tables, width / 4, NULL, totals);
    float bounds[KERNELS_GROUP_CODES];
    const uint32_t reached =
        bounds_of_group(group, width, totals, query->scale, offset, search->base, search->least, bounds) &
        slots_of_group(index, first, end);
    if (reached) count += take_hits(bounds, group_rows(group, width), reached, search, hits + count);
  }
  return count;
}
