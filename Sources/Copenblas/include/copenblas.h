#ifndef COPENBLAS_H
#define COPENBLAS_H

// OpenBLAS, which training loads when it begins. Linked, it would take several milliseconds of every start of the program,
// most of which multiply nothing.

// Loads the library and has it compute on the calling thread. NULL when all is well, else the reason, to be read before
// anything else is loaded. The first call must return before another one, or a product, begins; further calls do nothing.
const char *copenblas_load(void);

// The file that copenblas_load looks for.
const char *copenblas_name(void);

typedef enum { COPENBLAS_AS_IT_IS = 0, COPENBLAS_TRANSPOSED } copenblas_form;

// c [m, n] = op(a) [m, k] x op(b) [k, n] + beta c; all row-major without padding, so that a transposed a is stored as
// [k, m], a transposed b as [n, k]. No count may be 0.
void copenblas_sgemm(copenblas_form a_form, copenblas_form b_form, int m, int n, int k, const float *a, const float *b,
                     float beta, float *c);

#endif
