#include "column.h"

#include <string.h>

static const uint64_t FREE = 0x7FF8000000000000;

void f64_between_portable(const double *restrict x, size_t count, double least, double greatest,
                          uint64_t *restrict bits) {
  for (size_t first = 0; first < count; first += 64) {
    const size_t end = count - first < 64 ? count - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < end; i++) {
      word |= (uint64_t)(least <= x[first + i] && x[first + i] <= greatest) << i;
    }
    bits[first / 64] = word;
  }
}

void f64_among_portable(const double *restrict x, size_t count, const double *restrict values, size_t value_count,
                        uint64_t *restrict bits) {
  for (size_t first = 0; first < count; first += 64) {
    const size_t end = count - first < 64 ? count - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < end; i++) {
      int is_found = 0;
      for (size_t v = 0; v < value_count; v++) is_found |= x[first + i] == values[v];
      word |= (uint64_t)is_found << i;
    }
    bits[first / 64] = word;
  }
}

void kernels_f64_between_on(kernels_isa isa, const double *restrict x, size_t count, double least,
                            double greatest, uint64_t *restrict bits) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) {
    f64_between_avx2(x, count, least, greatest, bits);
    return;
  }
#endif
  f64_between_portable(x, count, least, greatest, bits);
}

void kernels_f64_between(const double *restrict x, size_t count, double least, double greatest,
                         uint64_t *restrict bits) {
  kernels_f64_between_on(kernels_active_isa(), x, count, least, greatest, bits);
}

void kernels_f64_among_on(kernels_isa isa, const double *restrict x, size_t count, const double *restrict values,
                          size_t value_count, uint64_t *restrict bits) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX2) {
    f64_among_avx2(x, count, values, value_count, bits);
    return;
  }
#endif
  f64_among_portable(x, count, values, value_count, bits);
}

void kernels_f64_among(const double *restrict x, size_t count, const double *restrict values, size_t value_count,
                       uint64_t *restrict bits) {
  kernels_f64_among_on(kernels_active_isa(), x, count, values, value_count, bits);
}

static uint64_t number_bits(double number) {
  // -0 + 0 is 0.
  const double unsigned_zero = number + 0.0;
  uint64_t bits;
  memcpy(&bits, &unsigned_zero, sizeof bits);
  return bits;
}

// The slot that the search for a number begins with: the topmost bits of a product with 2^64 divided by the golden ratio.
// Those below say nothing of small whole numbers, whose own lower bits are all 0.
static size_t first_slot(uint64_t bits, size_t slot_count) {
  return (size_t)(bits * 0x9E3779B97F4A7C15 >> (__builtin_clzll(slot_count) + 1));
}

void kernels_f64_table(const double *restrict values, size_t value_count, uint64_t *restrict slots, size_t slot_count) {
  for (size_t slot = 0; slot < slot_count; slot++) slots[slot] = FREE;
  for (size_t v = 0; v < value_count; v++) {
    const uint64_t bits = number_bits(values[v]);
    size_t slot = first_slot(bits, slot_count);
    while (slots[slot] != FREE && slots[slot] != bits) slot = (slot + 1) & (slot_count - 1);
    slots[slot] = bits;
  }
}

void kernels_f64_in_table(const double *restrict x, size_t count, const uint64_t *restrict slots, size_t slot_count,
                          uint64_t *restrict bits) {
  for (size_t first = 0; first < count; first += 64) {
    const size_t end = count - first < 64 ? count - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < end; i++) {
      const uint64_t number = number_bits(x[first + i]);
      size_t slot = first_slot(number, slot_count);
      while (slots[slot] != FREE && slots[slot] != number) slot = (slot + 1) & (slot_count - 1);
      word |= (uint64_t)(slots[slot] == number && number != FREE) << i;
    }
    bits[first / 64] = word;
  }
}
