#ifndef KERNELS_CODES_H
#define KERNELS_CODES_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"

// One-bit codes of vectors, and estimates of inner products from them: RaBitQ (Gao and Long, SIGMOD 2024,
// arXiv 2405.12497), with the look-ups in registers of FastScan (André, Kermarrec and Le Scouarnec, 2015).
//
// A vector o of a list with the centre c, both rotated by the same random rotation, leaves the residue r = o - c. Its
// code has a bit for each number of r: b_i = r_i > 0; x = b - 1/2 points roughly the way of r. With
//
//   g = |r|^2 / <x, r>
//
// g <x, y> estimates <r, y> without bias for any y that the rotation does not depend on. For a query q:
//
//   <q, o> = <q, c> + <q - c, r> + <c, r>
//         ~= <q, c> + g (<x, q> - <x, c>) + <c, r>
//          = <q, c> + a + g <x, q>             where a = <c, r> - g <x, c>
//
// a and g are the code's factors. The error of the estimate is near a normal distribution of standard deviation
//
//   |r| |q - c| sqrt((1 - x0^2) / (x0^2 (W - 1))),   x0 = <x, r> / (|x| |r|), which concentrates at sqrt(2 / pi);
//
// since |r| / x0 = g sqrt(W) / 2, this is g |q - c| sqrt((1 - 2 / pi) / 4 * W / (W - 1)): kernels_code_deviation times
// g |q - c|.
//
// The width W of a code is the dimension rounded up to a multiple of 64; numbers behind the dimension are 0.
size_t kernels_code_width(size_t dimension);
float kernels_code_deviation(size_t width);

// Rotates x [width] in place: KERNELS_ROTATION_ROUNDS times the signs of all numbers are changed by the next `width`
// of `signs` [rounds * width], each 1 or -1, and the Hadamard transform, scaled to keep lengths, is applied to as many
// numbers as the largest power of two up to the width: the first ones, then the last ones, and so on in turn. The same
// on every machine, bit for bit.
enum { KERNELS_ROTATION_ROUNDS = 4 };
void kernels_random_rotation(kernels_isa isa, size_t width, const float *restrict signs, float *restrict x);

// Codes lie in groups of 32, so that one instruction looks up the same four bits of many vectors:
//
//   offset       type               content
//   0            W/4 x 16 bytes     four bits of 32 vectors each: byte t has those of vector t/2 + (t odd ? 8 : 0) in
//                                   its lower half and those of the vector 16 further on in its upper half; bit 0 is
//                                   the first of the four numbers
//   4 W          32 x f32           a
//   4 W + 128    32 x f32           g
//   4 W + 256    32 x u32           rows
enum { KERNELS_GROUP_CODES = 32 };
size_t kernels_group_bytes(size_t width);

// Writes the code of a rotated vector [width] with the rotated centre [width] of its list to slot 0...31 of a group,
// which was all zeros there. A residue of zeros has g = 0. The same on every machine, bit for bit.
void kernels_encode(size_t width, const float *restrict vector, const float *restrict centre, uint32_t row,
                    uint8_t *restrict group, size_t slot);

// Copies the code of a slot of one group to a slot of another, which was all zeros there.
void kernels_copy_code(size_t width, const uint8_t *restrict from, size_t slot, uint8_t *restrict to, size_t at);

// A query as codes are looked up with it: <x, q> ~= scale * (sum of the tables' entries) + offset, to within
// scale * W / 8. `tables` has 16 entries for each four numbers of the rotated query: what the four add to the sum by
// the bits of a code.
typedef struct {
  size_t width;
  const uint8_t *tables;  // [width / 4, 16], on a 64-byte boundary
  float scale;
  float offset;
} kernels_code_query;

// Fills tables [4 * width] for a rotated query [width], which is finite.
kernels_code_query kernels_code_tables(size_t width, const float *restrict query, uint8_t *tables);

// A code that was found: its row, and the bound for the inner product that its estimate gives.
typedef struct {
  float bound;
  uint32_t row;
} kernels_code_hit;

// What a scan looks for in codes first...end - 1, counted from the first of `groups`, which are of one list:
// codes for which
//
//   bound = a + base + g (<x, q> + margin) >= least
//
// and whose row is below `row_limit` and, where `wanted` is not NULL, has its bit set there: bit row % 64 of word
// row / 64. Returns how many there are, and writes them in order; `hits` has room for end - first. Instruction sets may
// differ in the last bits of a bound.
typedef struct {
  float base;    // <q, c>
  float margin;  // so many deviations times |q - c|
  float least;
  uint32_t row_limit;
  const uint64_t *wanted;
} kernels_code_search;

size_t kernels_scan_codes(kernels_isa isa, const kernels_code_query *query, const kernels_code_search *search,
                          const uint8_t *groups, size_t first, size_t end, kernels_code_hit *hits);

// <a, b> of rotated vectors [width].
float kernels_inner_product(size_t width, const float *restrict a, const float *restrict b);

// Asks for the memory of a vector that will be read soon.
void kernels_prefetch(const void *memory, size_t bytes);

// The places of numbers x[i] with least <= x[i] < below, in order; returns how many there are. `places` has room for
// `count`.
size_t kernels_between(const float *restrict x, size_t count, float least, float below, uint32_t *restrict places);

// The place of the largest of each row's numbers [rows, count], the first of equals; none is NaN, and count > 0.
// Rows lie `stride` floats apart.
void kernels_largest(const float *restrict scores, size_t rows, size_t count, size_t stride, uint32_t *restrict places,
                     float *restrict values);

// The places of the `limit` largest numbers, or of all where there are fewer, the largest first and of equals the first;
// none is NaN. Returns how many.
size_t kernels_best(const float *restrict x, size_t count, size_t limit, uint32_t *restrict places);

// Of some candidates the list that a vector of list `first` is kept in besides, so that a query to which the one centre
// does not lead meets the other; `first` where there is no other candidate. It is the one with the least
//
//   |v - b|^2 + weight (<v - c, v - b> / |v - c|)^2
//
// for the vector v, its centre c and the other centre b: near, and with another residue than the first (SOAR; Sun et al.,
// NeurIPS 2023, arXiv 2404.00774).
//
//   vector   [width]
//   centres  [lists, width]
//   squares  [lists], of the centres' lengths
uint32_t kernels_second_list(size_t width, const float *restrict vector, const float *restrict centres,
                             const float *restrict squares, uint32_t first, const uint32_t *restrict candidates,
                             size_t count, float weight);

#endif
