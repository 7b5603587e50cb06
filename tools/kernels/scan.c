// Compares 5 queries with 1,001 rows of 387 dimensions, which makes tiles of every height and a remainder: what
// tools/kernels/instructions counts of the exact scan. Linked with the compiled kernels of the program.
//
//   scan float32|float16|bfloat16|int8
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels_distance.h"

enum { QUERIES = 5, ROWS = 1001, DIMENSION = 387 };

static float *numbers(size_t count) {
  float *values = malloc(count * sizeof *values);
  if (!values) abort();
  uint32_t state = 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) / 8388608.0f - 1;
  }
  return values;
}

int main(int count, char **arguments) {
  static const char *const names[] = {NULL, "float32", "float16", "bfloat16", "int8"};
  kernels_scalar scalar = KERNELS_FLOAT32;
  while (count == 2 && scalar <= KERNELS_INT8 && strcmp(arguments[1], names[scalar])) scalar++;
  if (count != 2 || scalar > KERNELS_INT8) return 64;
  float *queries = numbers(QUERIES * DIMENSION), *values = numbers(ROWS * DIMENSION);
  float *rows = numbers(ROWS * DIMENSION), *similarities = numbers(QUERIES * ROWS);
  kernels_narrow(scalar, values, ROWS, DIMENSION, rows);
  kernels_cosine(scalar, queries, QUERIES, rows, NULL, ROWS, DIMENSION, similarities);
  printf("%g\n", (double)similarities[0]);
  free(queries);
  free(values);
  free(rows);
  free(similarities);
}
