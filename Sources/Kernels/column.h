// Shared by the instruction sets of kernels_f64_between; not part of the module's interface.
#ifndef COLUMN_H
#define COLUMN_H

#include "kernels_column.h"

typedef void f64_between(const double *restrict x, size_t count, double least, double greatest,
                         uint64_t *restrict bits);

f64_between f64_between_portable;
#if defined(__x86_64__)
f64_between f64_between_avx2;
#endif

#endif
