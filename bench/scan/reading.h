// Loops that only read memory: what the exact scan is compared with.
#ifndef READING_H
#define READING_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t line __attribute__((vector_size(64), aligned(8), may_alias));

#if defined(__x86_64__)
#define READING __attribute__((target("avx512f")))
#else
#define READING
#endif

// Combines the lines of `streams` equal parts of memory side by side, the parts' lines `ahead` bytes further on being
// fetched meanwhile; both counts are constants where this is inlined.
READING __attribute__((always_inline)) static inline uint64_t reading(const char *memory, size_t byte_count,
                                                                      const size_t streams, const size_t ahead) {
  enum { LINES = 8 };
  line sums[LINES] = {};
  const size_t width = LINES / streams * sizeof(line);
  const size_t part = byte_count / streams / width * width;
  for (size_t i = 0; i < part; i += width) {
    for (size_t k = 0; k < LINES; k++) {
      const char *place = memory + k % streams * part + i + k / streams * sizeof(line);
      if (ahead) __builtin_prefetch(place + ahead);
      sums[k] ^= *(const line *)place;
    }
  }
  uint64_t sum = 0;
  for (size_t k = 0; k < LINES; k++) sum ^= sums[k][0] ^ sums[k][7];
  return sum;
}

READING static inline uint64_t read_plainly(const void *memory, size_t count) {
  return reading(memory, count, 1, 0);
}
READING static inline uint64_t read_ahead(const void *memory, size_t count) {
  return reading(memory, count, 1, 8192);
}
READING static inline uint64_t read_in_2_streams(const void *memory, size_t count) {
  return reading(memory, count, 2, 0);
}
READING static inline uint64_t read_in_4_streams(const void *memory, size_t count) {
  return reading(memory, count, 4, 0);
}
READING static inline uint64_t read_in_8_streams(const void *memory, size_t count) {
  return reading(memory, count, 8, 1024);
}

typedef uint64_t reader(const void *memory, size_t byte_count);

static reader *const readers[] = {read_plainly, read_ahead, read_in_2_streams, read_in_4_streams, read_in_8_streams};
enum { READERS = sizeof readers / sizeof *readers };

#endif
