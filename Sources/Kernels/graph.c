#include "graph.h"

#include <math.h>
#include <string.h>

// Steps are the same everywhere, so that they can be compared with those in a database.
#pragma STDC FP_CONTRACT OFF

enum { STEPS = 127 };

// How much nearer than the vertex another neighbour must be for an edge to be left out.
static const float DETOUR = 1.1f;

size_t kernels_vertex_bytes(size_t width) { return kernels_group_bytes(width) + width + 64; }

static float largest_magnitude(size_t width, const float *vector) {
  float largest = 0;
  for (size_t i = 0; i < width; i++) largest = fabsf(vector[i]) > largest ? fabsf(vector[i]) : largest;
  return largest;
}

static int32_t rounded(float x) { return (int32_t)(x < 0 ? x - 0.5f : x + 0.5f); }

float kernels_vertex_steps(size_t width, const float *restrict vector, int8_t *restrict steps) {
  const float largest = largest_magnitude(width, vector);
  const float inverse = largest > 0 ? STEPS / largest : 0;
  for (size_t i = 0; i < width; i++) steps[i] = (int8_t)rounded(vector[i] * inverse);
  return largest / STEPS;
}

static void widen_steps(const kernels_vertex_set *set, uint32_t vertex, float *restrict vector) {
  const int8_t *steps = set->steps + vertex * set->width;
  for (size_t i = 0; i < set->width; i++) vector[i] = (float)steps[i] * set->step[vertex];
}

void kernels_encode_vertex(const kernels_vertex_set *set, uint32_t vertex, const float *restrict centre,
                           float *restrict scratch, uint8_t *restrict group, size_t slot) {
  widen_steps(set, vertex, scratch);
  kernels_encode(set->width, scratch, centre, vertex, group, slot);
}

void kernels_write_vertex(const kernels_vertex_set *set, uint32_t vertex, uint32_t row, const uint32_t *neighbours,
                          size_t count, float *restrict scratch, uint8_t *restrict record) {
  const size_t width = set->width;
  memset(record, 0, kernels_vertex_bytes(width));
  widen_steps(set, vertex, scratch);
  for (size_t slot = 0; slot < count; slot++) {
    kernels_encode_vertex(set, neighbours[slot], scratch, scratch + width, record, slot);
  }
  uint32_t *numbers = (uint32_t *)(void *)(record + 4 * width + 8 * KERNELS_GROUP_CODES);
  for (size_t slot = count; slot < KERNELS_GRAPH_EDGES; slot++) numbers[slot] = UINT32_MAX;
  uint8_t *own = record + kernels_group_bytes(width);
  memcpy(own, set->steps + vertex * width, width);
  memcpy(own + width, set->step + vertex, 4);
  memcpy(own + width + 4, &row, 4);
}

// MARK: Building

int32_t steps_product_portable(size_t width, const int8_t *a, const int8_t *b) {
  int32_t sum = 0;
  for (size_t i = 0; i < width; i++) sum += a[i] * b[i];
  return sum;
}

static steps_product *steps_product_of(kernels_isa isa) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX512) return steps_product_avx512;
  if (isa >= KERNELS_AVX2) return steps_product_avx2;
#else
  (void)isa;
#endif
  return steps_product_portable;
}

static inline float similarity_of(steps_product *product, const kernels_vertex_set *set, uint32_t a, uint32_t b) {
  const size_t width = set->width;
  return (float)product(width, set->steps + a * width, set->steps + b * width) * (set->step[a] * set->step[b]);
}

float kernels_vertex_similarity(kernels_isa isa, const kernels_vertex_set *set, uint32_t a, uint32_t b) {
  return similarity_of(steps_product_of(isa), set, a, b);
}

size_t kernels_offer_candidate(kernels_vertex_candidate *list, size_t count, size_t capacity, float similarity,
                               uint32_t vertex) {
  size_t place = count;
  while (place > 0 && (list[place - 1].similarity < similarity ||
                       (list[place - 1].similarity == similarity && list[place - 1].vertex > vertex))) {
    place--;
  }
  if (place == capacity) return count;
  if (place > 0 && list[place - 1].similarity == similarity && list[place - 1].vertex == vertex) return count;
  if (count < capacity) count++;
  memmove(list + place + 1, list + place, (count - 1 - place) * sizeof *list);
  list[place] = (kernels_vertex_candidate){similarity, vertex};
  return count;
}

size_t kernels_choose_neighbours(kernels_isa isa, const kernels_vertex_set *set,
                                 const kernels_vertex_candidate *candidates, size_t count, uint32_t *chosen,
                                 size_t *apart) {
  steps_product *product = steps_product_of(isa);
  uint32_t passed[KERNELS_GRAPH_EDGES];
  size_t chosen_count = 0, passed_count = 0;
  for (size_t i = 0; i < count && chosen_count < KERNELS_GRAPH_EDGES; i++) {
    const float limit = 1 - (1 - candidates[i].similarity) / (DETOUR * DETOUR);
    bool is_apart = true;
    for (size_t j = 0; j < chosen_count && is_apart; j++) {
      is_apart = similarity_of(product, set, chosen[j], candidates[i].vertex) <= limit;
    }
    if (is_apart) {
      chosen[chosen_count++] = candidates[i].vertex;
    } else if (passed_count < KERNELS_GRAPH_EDGES) {
      passed[passed_count++] = candidates[i].vertex;
    }
  }
  *apart = chosen_count;
  for (size_t i = 0; i < passed_count && chosen_count < KERNELS_GRAPH_EDGES; i++) chosen[chosen_count++] = passed[i];
  return chosen_count;
}

// MARK: Searching

static int32_t query_product(size_t width, const int16_t *query, const int8_t *steps) {
  int32_t sum = 0;
  for (size_t i = 0; i < width; i++) sum += query[i] * steps[i];
  return sum;
}

typedef float four_floats __attribute__((vector_size(16)));

static inline float largest_of(four_floats x) {
  float largest = x[0];
  for (size_t lane = 1; lane < 4; lane++) largest = x[lane] > largest ? x[lane] : largest;
  return largest;
}

static inline unsigned equal_lanes(four_floats a, four_floats b) {
  unsigned found = 0;
  for (size_t lane = 0; lane < 4; lane++) found |= (unsigned)(a[lane] == b[lane]) << lane;
  return found;
}

#define GRAPH_TARGET
#define LANES 4
#define LARGEST(x) largest_of(x)
#define EQUAL(a, b) equal_lanes(a, b)
#define SCAN_GROUP scan_group_portable
#define BEGIN begin_graph_search_portable
#define ADVANCE advance_graph_searches_portable
#include "graph_body.h"

void kernels_ask_for_ends(const kernels_graph_ahead *ahead) {
  for (size_t i = 0; i < ahead->count; i++) {
    const char *piece = ahead->pieces[i];
    __builtin_prefetch(piece, 0, 2);
    __builtin_prefetch(piece + ahead->bytes - 1, 0, 2);
  }
}

void kernels_begin_graph_search(kernels_isa isa, const kernels_graph *graph, const float *query,
                                kernels_graph_search *search) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX512) return begin_graph_search_avx512(graph, query, search);
  if (isa >= KERNELS_AVX2) return begin_graph_search_avx2(graph, query, search);
#else
  (void)isa;
#endif
  begin_graph_search_portable(graph, query, search);
}

size_t kernels_advance_graph_searches(kernels_isa isa, const kernels_graph *graph, kernels_graph_search *searches,
                                      size_t count, kernels_graph_ahead *ahead) {
#if defined(__x86_64__)
  if (isa >= KERNELS_AVX512) return advance_graph_searches_avx512(graph, searches, count, ahead);
  if (isa >= KERNELS_AVX2) return advance_graph_searches_avx2(graph, searches, count, ahead);
#else
  (void)isa;
#endif
  return advance_graph_searches_portable(graph, searches, count, ahead);
}
