#include "copenblas.h"

#include <dlfcn.h>
#include <stddef.h>

#include "shim.h"

const char *copenblas_name(void) { return "libopenblas.so.0"; }

// As cblas.h declares it; NULL until it is loaded.
static __typeof__(&cblas_sgemm) sgemm;

const char *copenblas_load(void) {
  if (sgemm) return NULL;
  void *library = dlopen(copenblas_name(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  __typeof__(&openblas_set_num_threads) set_thread_count =
      (__typeof__(set_thread_count))dlsym(library, "openblas_set_num_threads");
  if (!set_thread_count) return dlerror();
  set_thread_count(1);
  sgemm = (__typeof__(sgemm))dlsym(library, "cblas_sgemm");
  return sgemm ? NULL : dlerror();
}

void copenblas_sgemm(copenblas_form a_form, copenblas_form b_form, int m, int n, int k, const float *a, const float *b,
                     float beta, float *c) {
  sgemm(CblasRowMajor, a_form ? CblasTrans : CblasNoTrans, b_form ? CblasTrans : CblasNoTrans, m, n, k, 1, a,
        a_form ? m : k, b, b_form ? k : n, beta, c, n);
}
