#ifndef KERNELS_COLUMN_H
#define KERNELS_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"

// Tests of whole columns of numbers, with a bit for each number as the result.

// Bit i % 64 of bits[i / 64] is whether least <= x[i] and x[i] <= greatest.
//
//   x     [count]
//   bits  [(count + 63) / 64]; bits behind the last number are 0
//
// Any count is accepted, zero included; pointers need the alignment of their type only. A NaN lies in no range, nor
// does anything in one whose ends are the wrong way round or NaN; -0 and 0 are equal. The instruction sets agree in
// every bit.
void kernels_f64_between(const double *restrict x, size_t count, double least, double greatest,
                         uint64_t *restrict bits);

// The same on a given instruction set, for tests and measurements. `isa` must be one that the machine runs.
void kernels_f64_between_on(kernels_isa isa, const double *restrict x, size_t count, double least,
                            double greatest, uint64_t *restrict bits);

// Bit i % 64 of bits[i / 64] is whether x[i] is one of some values.
//
//   x       [count]
//   values  [value_count], in any order
//   bits    as above
//
// Any counts are accepted, zero included. NaN is equal to nothing; -0 and 0 are equal. For few values: each is compared
// with each number. The instruction sets agree in every bit.
void kernels_f64_among(const double *restrict x, size_t count, const double *restrict values, size_t value_count,
                       uint64_t *restrict bits);

// The same for many values, by a table of them: each number is looked up, however many values there are.
//
//   slots   [slot_count], a power of two, at least 2 and twice as many as values; kernels_f64_table fills it
//   values  [value_count], none of them NaN, repeated or not
//
// A hash table with linear probing: each value's bits in the first free slot from its own on, 0 in place of -0; the bits of
// a NaN in slots that are free.
void kernels_f64_table(const double *restrict values, size_t value_count, uint64_t *restrict slots, size_t slot_count);
void kernels_f64_in_table(const double *restrict x, size_t count, const uint64_t *restrict slots, size_t slot_count,
                          uint64_t *restrict bits);

// kernels_f64_among on a given instruction set, for tests and measurements. `isa` must be one that the machine runs.
void kernels_f64_among_on(kernels_isa isa, const double *restrict x, size_t count, const double *restrict values,
                          size_t value_count, uint64_t *restrict bits);

#endif
