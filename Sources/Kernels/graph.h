// Shared by the instruction sets of graph searches; not part of the module's interface.
#ifndef GRAPH_H
#define GRAPH_H

#include <stdbool.h>

#include "codes.h"
#include "kernels_graph.h"

typedef size_t advance_graph_searches(const kernels_graph *graph, kernels_graph_search *searches, size_t count,
                                      kernels_graph_ahead *ahead);
typedef void begin_graph_search(const kernels_graph *graph, const float *query, kernels_graph_search *search);
typedef int32_t steps_product(size_t width, const int8_t *a, const int8_t *b);

begin_graph_search begin_graph_search_portable;
advance_graph_searches advance_graph_searches_portable;
steps_product steps_product_portable;
#if defined(__x86_64__)
begin_graph_search begin_graph_search_avx2, begin_graph_search_avx512;
advance_graph_searches advance_graph_searches_avx2, advance_graph_searches_avx512;
steps_product steps_product_avx2, steps_product_avx512;
#endif

static inline const int8_t *vertex_steps(const uint8_t *record, size_t width) {
  return (const int8_t *)(record + kernels_group_bytes(width));
}
static inline float vertex_step(const uint8_t *record, size_t width) {
  return *(const float *)(const void *)(record + kernels_group_bytes(width) + width);
}
static inline uint32_t vertex_row(const uint8_t *record, size_t width) {
  return *(const uint32_t *)(const void *)(record + kernels_group_bytes(width) + width + 4);
}

#endif
