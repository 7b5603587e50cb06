#include "codes.h"

#include <math.h>
#include <string.h>

// Vectors are rotated and encoded by the same additions and multiplications everywhere, so that a code can be compared
// with the one in a database.
#pragma STDC FP_CONTRACT OFF

enum { LANES = 16, BITS = 4, ENTRIES = 16 };

size_t kernels_code_width(size_t dimension) { return (dimension + 63) / 64 * 64; }

float kernels_code_deviation(size_t width) {
  return (float)sqrt((1 - 2 / M_PI) / 4 * (double)width / (double)(width - 1));
}

size_t kernels_group_bytes(size_t width) { return 4 * width + 12 * KERNELS_GROUP_CODES; }

#define TARGET
#define ROTATE random_rotation_portable
#include "rotation_body.h"

void kernels_random_rotation(kernels_isa isa, size_t width, const float *restrict signs, float *restrict x) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX512) return random_rotation_avx512(width, signs, x);
  if (isa >= KERNELS_AVX2) return random_rotation_avx2(width, signs, x);
#else
  (void)isa;
#endif
  random_rotation_portable(width, signs, x);
}

static float sum_of(const float lanes[LANES]) {
  float sum = 0;
  for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
  return sum;
}

// Where in the 16 bytes of a column the four bits of a slot are: in the lower half for the first 16 slots.
static size_t byte_of_slot(size_t slot) { return slot % 16 < 8 ? 2 * (slot % 16) : 2 * (slot % 16 - 8) + 1; }

void kernels_encode(size_t width, const float *restrict vector, const float *restrict centre, uint32_t row,
                    uint8_t *restrict group, size_t slot) {
  float squares[LANES] = {0}, absolutes[LANES] = {0}, centre_dots[LANES] = {0}, code_dots[LANES] = {0};
  for (size_t i = 0; i < width; i += LANES) {
    for (size_t lane = 0; lane < LANES; lane++) {
      const float c = centre[i + lane], r = vector[i + lane] - c;
      squares[lane] += r * r;
      absolutes[lane] += fabsf(r);
      centre_dots[lane] += c * r;
      code_dots[lane] += r > 0 ? c : -c;
    }
  }
  const float square = sum_of(squares), along = 0.5f * sum_of(absolutes);
  const float factor = along > 0 ? square / along : 0;
  ((float *)(void *)(group + 4 * width))[slot] = sum_of(centre_dots) - factor * (0.5f * sum_of(code_dots));
  ((float *)(void *)(group + 4 * width))[KERNELS_GROUP_CODES + slot] = factor;
  ((uint32_t *)(void *)(group + 4 * width))[2 * KERNELS_GROUP_CODES + slot] = row;

  const size_t byte = byte_of_slot(slot);
  for (size_t i = 0; i < width; i += BITS) {
    unsigned bits = 0;
    for (size_t bit = 0; bit < BITS; bit++) bits |= (unsigned)(vector[i + bit] - centre[i + bit] > 0) << bit;
    group[i / BITS * ENTRIES + byte] |= (uint8_t)(slot < 16 ? bits : bits << 4);
  }
}

void kernels_copy_code(size_t width, const uint8_t *restrict from, size_t slot, uint8_t *restrict to, size_t at) {
  const size_t source = byte_of_slot(slot), target = byte_of_slot(at);
  const int down = slot < 16 ? 0 : 4, up = at < 16 ? 0 : 4;
  for (size_t column = 0; column < width / BITS; column++) {
    to[column * ENTRIES + target] |= (uint8_t)((from[column * ENTRIES + source] >> down & 15) << up);
  }
  for (size_t part = 0; part < 3; part++) {
    const size_t start = 4 * width + part * 4 * KERNELS_GROUP_CODES;
    memcpy(to + start + 4 * at, from + start + 4 * slot, 4);
  }
}

kernels_code_query kernels_code_tables(size_t width, const float *restrict query, uint8_t *tables) {
  float widest = 0, sum = 0, least = 0;
  for (size_t i = 0; i < width; i += BITS) {
    float range = 0;
    for (size_t bit = 0; bit < BITS; bit++) {
      const float q = query[i + bit];
      range += fabsf(q);
      sum += q;
      least += q < 0 ? q : 0;
    }
    widest = range > widest ? range : widest;
  }
  const float scale = widest / 255, inverse = scale > 0 ? 255 / widest : 0;
  for (size_t i = 0; i < width; i += BITS) {
    // Entries are counted from the least of the sixteen; half is for rounding.
    float entries[ENTRIES] = {0.5f};
    for (size_t bit = 0; bit < BITS; bit++) entries[0] += query[i + bit] < 0 ? -query[i + bit] * inverse : 0;
    for (size_t bit = 0; bit < BITS; bit++) {
      const float q = query[i + bit] * inverse;
      const size_t known = (size_t)1 << bit;
      for (size_t entry = 0; entry < known; entry++) entries[known + entry] = entries[entry] + q;
    }
    for (size_t entry = 0; entry < ENTRIES; entry++) {
      const int32_t rounded = (int32_t)entries[entry];
      tables[i / BITS * ENTRIES + entry] = (uint8_t)(rounded < 255 ? rounded : 255);
    }
  }
  return (kernels_code_query){.width = width, .tables = tables, .scale = scale, .offset = least - 0.5f * sum};
}

// Writes the bounds of a group's codes, and returns which are at least `least`, a bit each.
static uint32_t bounds_of_group(const kernels_code_query *query, float base, float offset, float least,
                                const uint8_t *group, float *bounds) {
  const size_t width = query->width;
  uint32_t sums[KERNELS_GROUP_CODES] = {0};
  for (size_t column = 0; column < width / BITS; column++) {
    const uint8_t *codes = group + column * ENTRIES, *table = query->tables + column * ENTRIES;
    for (size_t byte = 0; byte < ENTRIES; byte++) {
      const size_t slot = byte / 2 + (byte % 2 ? 8 : 0);
      sums[slot] += table[codes[byte] & 15];
      sums[slot + 16] += table[codes[byte] >> 4];
    }
  }
  const float *added = group_sums(group, width), *factors = group_factors(group, width);
  uint32_t reached = 0;
  for (size_t slot = 0; slot < KERNELS_GROUP_CODES; slot++) {
    const float along = (float)sums[slot] * query->scale + offset;
    bounds[slot] = added[slot] + base + factors[slot] * along;
    // What is damaged is not above the least.
    if (bounds[slot] >= least) reached |= UINT32_C(1) << slot;
  }
  return reached;
}

size_t scan_codes_portable(const kernels_code_query *query, const kernels_code_search *search, const uint8_t *groups,
                           size_t first, size_t end, kernels_code_hit *hits) {
  const size_t width = query->width, bytes = kernels_group_bytes(width);
  size_t count = 0;
  for (size_t index = first / KERNELS_GROUP_CODES; index * KERNELS_GROUP_CODES < end; index++) {
    const uint8_t *group = groups + index * bytes;
    float bounds[KERNELS_GROUP_CODES];
    const uint32_t slots =
        bounds_of_group(query, search->base, query->offset + search->margin, search->least, group, bounds) &
        slots_of_group(index, first, end);
    count += take_hits(bounds, group_rows(group, width), slots, search, hits + count);
  }
  return count;
}

uint32_t scan_group_portable(const kernels_code_query *query, float base, float least, const uint8_t *group,
                             const uint8_t *ahead, float *bounds) {
  kernels_prefetch(ahead, kernels_group_bytes(query->width));
  return bounds_of_group(query, base, query->offset, least, group, bounds);
}

size_t kernels_scan_codes(kernels_isa isa, const kernels_code_query *query, const kernels_code_search *search,
                          const uint8_t *groups, size_t first, size_t end, kernels_code_hit *hits) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX512) return scan_codes_avx512(query, search, groups, first, end, hits);
  if (isa >= KERNELS_AVX2) return scan_codes_avx2(query, search, groups, first, end, hits);
#else
  (void)isa;
#endif
  return scan_codes_portable(query, search, groups, first, end, hits);
}

float kernels_inner_product(size_t width, const float *restrict a, const float *restrict b) {
  float lanes[LANES] = {0};
  for (size_t i = 0; i < width; i += LANES) {
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += a[i + lane] * b[i + lane];
  }
  return sum_of(lanes);
}

void kernels_prefetch(const void *memory, size_t bytes) {
  // Into the second cache: the first one takes too few lines at a time.
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)memory + offset, 0, 2);
}

size_t kernels_between(const float *restrict x, size_t count, float least, float below, uint32_t *restrict places) {
  size_t found = 0, i = 0;
  for (; i + LANES <= count; i += LANES) {
    int any = 0;
    for (size_t lane = 0; lane < LANES; lane++) any |= (x[i + lane] >= least) & (x[i + lane] < below);
    if (!any) continue;
    for (size_t lane = 0; lane < LANES; lane++) {
      places[found] = (uint32_t)(i + lane);
      found += (x[i + lane] >= least) & (x[i + lane] < below);
    }
  }
  for (; i < count; i++) {
    if (x[i] >= least && x[i] < below) places[found++] = (uint32_t)i;
  }
  return found;
}

void kernels_largest(const float *restrict scores, size_t rows, size_t count, size_t stride, uint32_t *restrict places,
                     float *restrict values) {
  for (size_t r = 0; r < rows; r++) {
    const float *row = scores + r * stride;
    float lanes[LANES];
    for (size_t lane = 0; lane < LANES; lane++) lanes[lane] = row[0];
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
      for (size_t lane = 0; lane < LANES; lane++) {
        lanes[lane] = row[i + lane] > lanes[lane] ? row[i + lane] : lanes[lane];
      }
    }
    float largest = lanes[0];
    for (size_t lane = 1; lane < LANES; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
    for (; i < count; i++) largest = row[i] > largest ? row[i] : largest;
    uint32_t place = 0;
    while (row[place] < largest) place++;
    places[r] = place;
    values[r] = largest;
  }
}

size_t kernels_best(const float *restrict x, size_t count, size_t limit, uint32_t *restrict places) {
  size_t found = 0;
  float least = -INFINITY;
  for (size_t start = 0; start < count; start += LANES) {
    const size_t end = start + LANES < count ? start + LANES : count;
    int any = found < limit;
    for (size_t i = start; i < end; i++) any |= x[i] > least;
    if (!any) continue;
    for (size_t i = start; i < end; i++) {
      if (found == limit && !(x[i] > least)) continue;
      size_t place = found < limit ? found++ : limit - 1;
      for (; place > 0 && x[places[place - 1]] < x[i]; place--) places[place] = places[place - 1];
      places[place] = (uint32_t)i;
      if (found == limit) least = x[places[limit - 1]];
    }
  }
  return found;
}

uint32_t kernels_second_list(size_t width, const float *restrict vector, const float *restrict centres,
                             const float *restrict squares, uint32_t first, const uint32_t *restrict candidates,
                             size_t count, float weight) {
  // With v for the vector, c for the first centre and b for another, r = v - c: all follows from <v, v>, <v, b> and
  // <c, b>.
  const float *centre = centres + first * width;
  const float vector2 = kernels_inner_product(width, vector, vector);
  const float along_first = kernels_inner_product(width, vector, centre);
  const float residue2 = vector2 - 2 * along_first + squares[first];
  uint32_t best = first;
  float least = INFINITY;
  for (size_t i = 0; i < count; i++) {
    const uint32_t other = candidates[i];
    if (other == first) continue;
    const float along = kernels_inner_product(width, vector, centres + other * width);
    const float between = kernels_inner_product(width, centre, centres + other * width);
    const float distance2 = vector2 - 2 * along + squares[other];
    // <v - c, v - b>
    const float shared = vector2 - along - along_first + between;
    const float loss = distance2 + (residue2 > 0 ? weight * shared * shared / residue2 : 0);
    if (loss < least) {
      least = loss;
      best = other;
    }
  }
  return best;
}
