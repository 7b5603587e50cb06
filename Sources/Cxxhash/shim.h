// XXH3 of libxxhash. Its functions of plain name use SSE2; those of xxh_x86dispatch.h choose by the processor, and read
// from memory at four times the speed where it has AVX-512.
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#endif

// Digest of 64 bits.
static inline uint64_t cxxhash_64(const void *bytes, size_t count) { return XXH3_64bits(bytes, count); }

// Digest of 64 bits with a seed.
static inline uint64_t cxxhash_64_with_seed(const void *bytes, size_t count, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, count, seed);
}

// Digest of 128 bits.
static inline XXH128_hash_t cxxhash_128(const void *bytes, size_t count) { return XXH3_128bits(bytes, count); }

// Adds bytes to a digest of 128 bits that is made piece by piece.
static inline void cxxhash_128_update(XXH3_state_t *state, const void *bytes, size_t count) {
  XXH3_128bits_update(state, bytes, count);
}
