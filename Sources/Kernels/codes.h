// Shared by the instruction sets of kernels_scan_codes; not part of the module's interface.
#ifndef CODES_H
#define CODES_H

#include "kernels_codes.h"

// So many look-ups of at most 255 fit a sum of 16 bits.
enum { LOOKUPS_PER_SUM = 256 };

typedef size_t scan_codes(const kernels_code_query *query, const kernels_code_search *search, const uint8_t *groups,
                          size_t first, size_t end, kernels_code_hit *hits);

scan_codes scan_codes_portable;
#if defined(__x86_64__)
scan_codes scan_codes_avx2;
scan_codes scan_codes_avx512;
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

// The slots among `slots` whose rows are looked for.
static inline uint32_t wanted_slots(const uint32_t *rows, uint32_t slots, const kernels_code_search *search) {
  if (!search->wanted) return slots;
  uint32_t found = 0;
  for (uint32_t rest = slots; rest; rest &= rest - 1) {
    const int slot = __builtin_ctz(rest);
    const uint32_t row = rows[slot];
    if (row < search->row_limit && (search->wanted[row / 64] >> (row % 64) & 1)) found |= UINT32_C(1) << slot;
  }
  return found;
}

// Appends the slots whose bound reaches the least.
static inline size_t take_hits(const float *bounds, const uint32_t *rows, uint32_t slots, uint32_t row_limit,
                               kernels_code_hit *hits) {
  size_t count = 0;
  for (; slots; slots &= slots - 1) {
    const int slot = __builtin_ctz(slots);
    if (rows[slot] >= row_limit) continue;
    hits[count++] = (kernels_code_hit){.bound = bounds[slot], .row = rows[slot]};
  }
  return count;
}

#endif
