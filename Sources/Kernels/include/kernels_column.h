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

#endif
