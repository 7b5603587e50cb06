// Shared by the instruction sets of kernels_scan_codes and kernels_random_rotation; not part of the module's interface.
#ifndef CODES_H
#define CODES_H

#include "kernels_codes.h"

// So many look-ups of at most 255 fit a sum of 16 bits.
enum { LOOKUPS_PER_SUM = 256 };

typedef size_t scan_codes(const kernels_code_query *query, const kernels_code_search *search, const uint8_t *groups,
                          size_t first, size_t end, kernels_code_hit *hits);

// The bounds [32] of the codes of one group, as kernels_scan_codes has them; returns which of them are at least `least`, a
// bit each. Asks meanwhile for the memory of another group: for all of it at once the processor would wait.
typedef uint32_t scan_group(const kernels_code_query *query, float base, float least, const uint8_t *group,
                            const uint8_t *ahead, float *bounds);

typedef void random_rotation(size_t width, const float *restrict signs, float *restrict x);

scan_codes scan_codes_portable;
scan_group scan_group_portable;
random_rotation random_rotation_portable;
#if defined(__x86_64__)
scan_codes scan_codes_avx2, scan_codes_avx512;
scan_group scan_group_avx2, scan_group_avx512;
random_rotation random_rotation_avx2, random_rotation_avx512;
#endif

static inline const float *group_sums(const uint8_t *group, size_t width) {
  return (const float *)(const void *)(group + 4 * width);
}
static inline const float *group_factors(const uint8_t *group, size_t width) {
  return group_sums(group, width) + KERNELS_GROUP_CODES;
}
static inline const uint32_t *group_rows(const uint8_t *group, size_t width) {
  return (const uint32_t *)(const void *)(group + 4 * width + 8 * KERNELS_GROUP_CODES);
}

// The slots of group number `index` among codes first...end - 1, a bit each.
static inline uint32_t slots_of_group(size_t index, size_t first, size_t end) {
  const size_t start = index * KERNELS_GROUP_CODES;
  const size_t from = first > start ? first - start : 0;
  const size_t to = end - start < KERNELS_GROUP_CODES ? end - start : KERNELS_GROUP_CODES;
  return (uint32_t)(((UINT64_C(1) << to) - 1) & ~((UINT64_C(1) << from) - 1));
}

// Whether a row is looked for.
static inline int is_wanted(uint32_t row, const kernels_code_search *search) {
  return row < search->row_limit && (!search->wanted || (search->wanted[row / 64] >> (row % 64) & 1));
}

// Appends those of `slots`, a bit each, whose rows are looked for. Few reach the least, which is why their rows are
// looked at last.
static inline size_t take_hits(const float *bounds, const uint32_t *rows, uint32_t slots,
                               const kernels_code_search *search, kernels_code_hit *hits) {
  size_t count = 0;
  for (; slots; slots &= slots - 1) {
    const int slot = __builtin_ctz(slots);
    if (is_wanted(rows[slot], search)) hits[count++] = (kernels_code_hit){.bound = bounds[slot], .row = rows[slot]};
  }
  return count;
}

#endif
