#ifndef KERNELS_GRAPH_H
#define KERNELS_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_codes.h"
#include "kernels_isa.h"

// A graph of near vectors, searched from vertex to vertex: SymphonyQG (Gou, Gao, Xu and Long, SIGMOD 2025,
// arXiv 2411.12229). Each vertex has edges to up to 32 others and carries their codes, so that one look-up in registers
// estimates all of their similarities with a query; the vertex's own vector gives its similarity when it is visited.
//
// All vectors are rotated and of unit length, or zero. W is their width, that of codes. A vertex's record:
//
//   offset        type        content
//   0             4 W + 384   a group of codes of the vertices that edges lead to, with the vertex's vector as centre;
//                             its rows are their numbers, UINT32_MAX behind the last
//   4 W + 384     W x i8      the vertex's vector in steps
//   5 W + 384     f32         one step
//   5 W + 388     u32         the vertex's row
//   5 W + 392     56 bytes    0
enum { KERNELS_GRAPH_EDGES = KERNELS_GROUP_CODES };
size_t kernels_vertex_bytes(size_t width);

// Rounds a vector [width] to whole steps, of which the largest number has 127, and returns one step; 0 for a vector of
// zeros. The same on every machine, bit for bit.
float kernels_vertex_steps(size_t width, const float *restrict vector, int8_t *restrict steps);

// MARK: Building

// Vectors in steps, of all vertices.
typedef struct {
  size_t width;
  const int8_t *steps;  // [vertices, width]
  const float *step;    // [vertices]
} kernels_vertex_set;

// Writes the code of a vertex's vector in steps with a centre [width] into a slot of a group, as kernels_encode does.
// `scratch` has room for the vector.
void kernels_encode_vertex(const kernels_vertex_set *set, uint32_t vertex, const float *restrict centre,
                           float *restrict scratch, uint8_t *restrict group, size_t slot);

// Writes the record of a vertex with edges to `count` others, on a 64-byte boundary. Codes are those of vectors in
// steps. The same on every machine, bit for bit. `scratch` has room for 2 width floats.
void kernels_write_vertex(const kernels_vertex_set *set, uint32_t vertex, uint32_t row, const uint32_t *neighbours,
                          size_t count, float *restrict scratch, uint8_t *restrict record);

// A vertex that may become a neighbour. Lists of them are in order of similarity, then of numbers.
typedef struct {
  float similarity;
  uint32_t vertex;
} kernels_vertex_candidate;

float kernels_vertex_similarity(kernels_isa isa, const kernels_vertex_set *set, uint32_t a, uint32_t b);

// Puts a candidate into its place in a list, unless it is there already with the same similarity, or the list has
// `capacity` better ones. Returns the list's new count.
size_t kernels_offer_candidate(kernels_vertex_candidate *list, size_t count, size_t capacity, float similarity,
                               uint32_t vertex);

// Chooses up to 32 neighbours out of a vertex's candidates: those first, nearest first, that are not 1.1 times nearer
// to one that was chosen before than to the vertex itself, for then the way over that one is short enough; then the
// nearest of the others. Returns how many there are; `apart` tells how many of them are of the first kind.
size_t kernels_choose_neighbours(kernels_isa isa, const kernels_vertex_set *set,
                                 const kernels_vertex_candidate *candidates, size_t count, uint32_t *chosen,
                                 size_t *apart);

// MARK: Searching

typedef struct {
  size_t width;
  uint32_t vertices;
  // Records of a block.
  uint32_t per_block;
  // Blocks of records; NULL where one is not known yet.
  const uint8_t *const *blocks;
  // Where searches begin: groups of codes of `entry_count` vertices, with `entry_centre` [width].
  const uint8_t *entries;
  const float *entry_centre;
  size_t entry_count;
} kernels_graph;

// A row that a search visited, with its similarity to within some thousandths.
typedef struct {
  float similarity;
  uint32_t row;
} kernels_graph_hit;

typedef enum {
  KERNELS_GRAPH_IDLE = 0,
  KERNELS_GRAPH_RUNNING = 1,
  // `hits` are the nearest rows.
  KERNELS_GRAPH_FINISHED = 2,
  // Too many vertices were visited, or too many in vain, or `far_reach` is infinite: the neighbours are not where the
  // query is.
  KERNELS_GRAPH_LOST = 3,
  // The search can go on, as RUNNING, when block `missing` is known.
  KERNELS_GRAPH_WAITING = 4
} kernels_graph_state;

// Vertices that a search visits at a time: the memory of one is on its way with that of the other.
enum { KERNELS_GRAPH_TOGETHER = 2 };

// One search, with memory that the caller lends it.
//
// The search visits the vertices with the highest estimates among those that it has met, two at a time, until none is
// left whose distance from the query, squared, is at most 1 + the reach times that of the k-th neighbour so far.
// Where what it has found by then is unusual, or turns out to be so earlier, it begins again, with all entries that
// are near enough and `far_reach`: the neighbours of a query that is unlike all vectors, or whose own surroundings may
// not be found, lie in several places.
typedef struct {
  uint8_t *tables;    // [4 width], on a 64-byte boundary
  int16_t *query;     // [width]
  uint64_t *visited;  // a bit for each vertex, 0 before the first search
  uint32_t *path;     // [visit_limit]
  size_t visit_limit;
  // Visits of vertices that may not be found, after which the search is given up where it is unusual for them.
  size_t vain_limit;
  // After so many visits a search is given up where 1 less the similarity of the nearest vertex so far, whether it may be
  // found or not, is above this: what is near a query is met early.
  size_t start_visits;
  float start_range;
  float *estimates;    // [capacity + 16]
  uint32_t *vertices;  // [capacity + 16]
  size_t capacity;     // at least 256
  kernels_graph_hit *hits;  // [hit_limit], nearest first
  size_t hit_limit;         // at least k
  size_t k;
  float reach;
  // The reach of a search whose k-th neighbour so far is at 1 less a similarity of `wide_last` or more; between `reach` and
  // it where that is between `near_last` and `wide_last`, which is more: the farther away a query is, the more ways lead
  // past its neighbours. No greater than `near_last` where all go equally far.
  float wide_reach;
  float near_last, wide_last;
  // Infinite where a search that is unusual is to be given up.
  float far_reach;
  // A search is unusual where 1 less the similarity of the k-th neighbour is above this,
  float range;
  // or where a smaller share of the vertices that it has visited may be found.
  float least_share;
  // Rows that may be found: those below `row_limit` and, where `wanted` is not NULL, whose bit is set there.
  uint32_t row_limit;
  const uint64_t *wanted;

  kernels_graph_state state;
  size_t hit_count;
  size_t visit_count;
  // Those of the visited vertices that may be found.
  size_t match_count;
  // The similarity of the nearest of the first `start_visits` vertices.
  float start_best;
  uint32_t missing;
  uint32_t is_far;
  // <q, centre of the entries>.
  float entry_base;

  kernels_code_query codes;
  float step;
  float least;
  size_t waiting;
  // Where more wait, those of no more interest are forgotten.
  size_t most_waiting;
  // The vertices that are visited next, and their records once all of these are known.
  size_t next_count;
  uint32_t next[KERNELS_GRAPH_TOGETHER];
  const uint8_t *records[KERNELS_GRAPH_TOGETHER];
  uint32_t are_located;
  // Whether the memory of their records is still to be asked for.
  uint32_t is_unasked;
} kernels_graph_search;

// Begins a search for a rotated query [width] of unit length.
void kernels_begin_graph_search(kernels_isa isa, const kernels_graph *graph, const float *query,
                                kernels_graph_search *search);

// Memory that will be read soon, in pieces [count] of `bytes` each, of which the first `asked` have been asked for.
typedef struct {
  const void *const *pieces;
  size_t count;
  size_t bytes;
  size_t asked;
} kernels_graph_ahead;

// Asks for the first and the last line of each piece. Their addresses are then looked up side by side; one after the other,
// as pieces are asked for, the processor would wait for each.
void kernels_ask_for_ends(const kernels_graph_ahead *ahead);

// Goes on with all searches that run, in turns, so that one's memory is on its way while another computes, until one of
// them runs no longer. Returns its number; `count` when none ran. What a search finds does not depend on the others. Asks
// for a piece of `ahead` with each visit, which the processor does not wait for as it does where all are asked for at once.
size_t kernels_advance_graph_searches(kernels_isa isa, const kernels_graph *graph, kernels_graph_search *searches,
                                      size_t count, kernels_graph_ahead *ahead);

#endif
