// Shared by the instruction sets of kernels_f64_between and kernels_f64_among; not part of the module's interface.
#ifndef COLUMN_H
#define COLUMN_H

#include "kernels_column.h"

typedef void f64_between(const double *restrict x, size_t count, double least, double greatest,
                         uint64_t *restrict bits);
typedef void f64_among(const double *restrict x, size_t count, const double *restrict values, size_t value_count,
                       uint64_t *restrict bits);

f64_between f64_between_portable;
f64_among f64_among_portable;
#if defined(__x86_64__)
f64_between f64_between_avx2;
f64_among f64_among_avx2;
#endif

#endif
