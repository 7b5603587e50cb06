// Scans a list of 1,001 codes of 384 and of 1,088 numbers, whose sums take one part and two, with every bound taken and with
// few: what tools/kernels/instructions counts of a search through an index. Linked with the compiled kernels of the
// program.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels_codes.h"

enum { CODES = 1001 };

static uint32_t state = 1;

static float number(void) {
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 8388608.0f - 1;
}

static size_t scan(size_t width) {
  const size_t bytes = kernels_group_bytes(width);
  float *vector = malloc(width * sizeof *vector), *centre = calloc(width, sizeof *centre);
  uint8_t *groups = calloc((CODES + KERNELS_GROUP_CODES - 1) / KERNELS_GROUP_CODES, bytes);
  uint8_t *tables = aligned_alloc(64, 4 * width);
  kernels_code_hit *hits = malloc(CODES * sizeof *hits);
  if (!vector || !centre || !groups || !tables || !hits) abort();
  for (uint32_t code = 0; code < CODES; code++) {
    for (size_t i = 0; i < width; i++) vector[i] = number();
    kernels_encode(width, vector, centre, code, groups + code / KERNELS_GROUP_CODES * bytes, code % KERNELS_GROUP_CODES);
  }
  for (size_t i = 0; i < width; i++) vector[i] = number();
  const kernels_code_query query = kernels_code_tables(width, vector, tables);
  kernels_code_search search = {.least = -1e30f, .row_limit = CODES};
  size_t found = kernels_scan_codes(KERNELS_AVX2, &query, &search, groups, 0, CODES, hits);
  float largest = hits[0].bound;
  for (size_t i = 0; i < found; i++) largest = hits[i].bound > largest ? hits[i].bound : largest;
  search.least = largest / 2;
  found += kernels_scan_codes(KERNELS_AVX2, &query, &search, groups, 5, CODES - 3, hits);
  free(vector);
  free(centre);
  free(groups);
  free(tables);
  free(hits);
  return found;
}

int main(void) {
  const size_t narrow = scan(384);
  printf("%zu\n", narrow + scan(1088));
}
