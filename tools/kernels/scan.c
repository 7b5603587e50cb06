// Compares 5 queries with 1,001 rows of 387 dimensions, which makes tiles of every height and a remainder: what
// tools/kernels/instructions counts of the exact scan. Linked with the compiled kernels of the program.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

int main(void) {
  float *queries = numbers(QUERIES * DIMENSION), *rows = numbers(ROWS * DIMENSION);
  float *similarities = numbers(QUERIES * ROWS);
  kernels_cosine_f32(queries, QUERIES, rows, NULL, ROWS, DIMENSION, similarities);
  printf("%g\n", (double)similarities[0]);
  free(queries);
  free(rows);
  free(similarities);
}
