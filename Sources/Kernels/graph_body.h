// The search of a graph for one instruction set, which defines GRAPH_TARGET, its attribute; query_product, the inner
// product of a query of 16 bits and a vector in steps, [width] each; LANES, the floats of a register, LARGEST(x), the
// largest of them, and EQUAL(a, b), a bit for each two that are equal; SCAN_GROUP; and the functions' names BEGIN and
// ADVANCE.

enum {
  BITS = 4,
  ENTRIES_OF_TABLE = 16,
  // Vertices that a search begins with.
  ENTRIES = 4,
  // Vertices that wait before those of no more interest are looked for.
  LEAST_WAITING = 64,
  // Steps of a query's numbers, at most.
  QUERY_STEPS = 4095
};

typedef float float_lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint8_t byte_lanes __attribute__((vector_size(LANES), aligned(1)));
typedef int16_t short_lanes __attribute__((vector_size(2 * LANES), aligned(2)));

GRAPH_TARGET static inline float_lanes load_lanes(const float *x) { return *(const float_lanes *)(const void *)x; }

GRAPH_TARGET static inline float_lanes larger(float_lanes a, float_lanes b) {
  const int_lanes mask = a > b;
  return (float_lanes)(((int_lanes)a & mask) | ((int_lanes)b & ~mask));
}

// MARK: Queries

// What is told of a query's numbers by their magnitudes.
typedef struct {
  float largest, sum;
  // The greatest sum of four.
  float widest;
} magnitudes;

#define QUADS_4(a, b, c, d) a, b, c, d
#define QUADS_8(a, b, c, d) QUADS_4(a, b, c, d), a + 4, b + 4, c + 4, d + 4
#define QUADS_16(a, b, c, d) QUADS_8(a, b, c, d), a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12
#define QUADS_OF(lanes, ...) QUADS_##lanes(__VA_ARGS__)
#define QUADS(lanes, ...) QUADS_OF(lanes, __VA_ARGS__)

// In each place the sum of the four numbers of its quad.
GRAPH_TARGET static inline float_lanes sums_of_quads(float_lanes x) {
  const float_lanes pairs = x + __builtin_shufflevector(x, x, QUADS(LANES, 1, 0, 3, 2));
  return pairs + __builtin_shufflevector(pairs, pairs, QUADS(LANES, 2, 3, 0, 1));
}

GRAPH_TARGET static inline magnitudes magnitudes_of(size_t width, const float *query) {
  float_lanes largest = {0}, sums = {0}, widest = {0};
  for (size_t i = 0; i < width; i += LANES) {
    const float_lanes magnitude = __builtin_elementwise_abs(load_lanes(query + i));
    largest = larger(magnitude, largest);
    sums += magnitude;
    widest = larger(sums_of_quads(magnitude), widest);
  }
  magnitudes found = {.largest = LARGEST(largest), .widest = LARGEST(widest)};
  for (size_t lane = 0; lane < LANES; lane++) found.sum += sums[lane];
  return found;
}

GRAPH_TARGET static inline void set_query(size_t width, const float *query, float largest,
                                          kernels_graph_search *search) {
  // A sum of products with steps fits 32 bits.
  const size_t limit = (size_t)INT32_MAX / 128 / width;
  const float steps = (float)(limit < QUERY_STEPS ? limit : QUERY_STEPS);
  const float inverse = largest > 0 ? steps / largest : 0;
  for (size_t i = 0; i < width; i += LANES) {
    const float_lanes scaled = load_lanes(query + i) * inverse;
    const float_lanes half = __builtin_elementwise_copysign((float_lanes){0} + 0.5f, scaled);
    *(short_lanes *)(void *)(search->query + i) =
        __builtin_convertvector(__builtin_convertvector(scaled + half, int_lanes), short_lanes);
  }
  search->step = largest / steps;
}

// The tables of kernels_code_tables, up to the rounding of single entries.
GRAPH_TARGET static inline void set_tables(size_t width, const float *query, magnitudes of_query,
                                           kernels_graph_search *search) {
  static const float bits[BITS][ENTRIES_OF_TABLE] = {{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
                                                     {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1},
                                                     {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1},
                                                     {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}};
  const float inverse = of_query.widest > 0 ? 255 / of_query.widest : 0;
  for (size_t i = 0; i < width; i += LANES) {
    const float_lanes scaled = load_lanes(query + i) * inverse;
    // Entries are counted from the least of the sixteen; half is for rounding.
    const float_lanes first = 0.5f + sums_of_quads(larger(-scaled, (float_lanes){0}));
    for (size_t number = 0; number < LANES; number += BITS) {
      for (size_t entry = 0; entry < ENTRIES_OF_TABLE; entry += LANES) {
        float_lanes sums = {0};
        for (size_t bit = 0; bit < BITS; bit++) sums += scaled[number + bit] * load_lanes(bits[bit] + entry);
        byte_lanes *table = (byte_lanes *)(search->tables + (i + number) / BITS * ENTRIES_OF_TABLE + entry);
        *table = __builtin_convertvector(__builtin_convertvector(sums + first[number], int_lanes), byte_lanes);
      }
    }
  }
  // A bit counts a half or, where it is 0, minus a half.
  search->codes = (kernels_code_query){
      .width = width, .tables = search->tables, .scale = of_query.widest / 255, .offset = -0.5f * of_query.sum};
}

// MARK: Vertices

GRAPH_TARGET static inline void ask(const void *memory, size_t bytes) {
  // Into the second cache: the first one takes too few lines at a time.
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch((const char *)memory + offset, 0, 2);
}

// Finds the records of the next vertices, or has the search wait for a block.
GRAPH_TARGET static void locate_vertices(const kernels_graph *graph, kernels_graph_search *search) {
  const size_t bytes = kernels_vertex_bytes(graph->width);
  search->are_located = 0;
  for (size_t i = 0; i < search->next_count; i++) {
    const uint32_t block = search->next[i] / graph->per_block;
    const uint8_t *records = graph->blocks[block];
    if (!records) {
      search->state = KERNELS_GRAPH_WAITING;
      search->missing = block;
      return;
    }
    const uint8_t *record = records + search->next[i] % graph->per_block * bytes;
    search->records[i] = record;
  }
  search->is_unasked = 1;
  search->state = KERNELS_GRAPH_RUNNING;
  search->are_located = 1;
}

GRAPH_TARGET static inline size_t place_of_largest(const float *x, size_t count) {
  float_lanes most = load_lanes(x);
  for (size_t i = LANES; i < count; i += LANES) most = larger(load_lanes(x + i), most);
  const float largest = LARGEST(most);
  const float_lanes wanted = (float_lanes){0} + largest;
  size_t place = 0;
  unsigned found;
  while (!(found = EQUAL(load_lanes(x + place), wanted))) place += LANES;
  return place + (size_t)__builtin_ctz(found);
}

GRAPH_TARGET static inline bool is_visited(const kernels_graph_search *search, uint32_t vertex) {
  return search->visited[vertex / 64] >> (vertex % 64) & 1;
}

// Forgets what is of no more interest, and the worse half or so of what is, to make room.
GRAPH_TARGET static void thin(kernels_graph_search *search) {
  float least = search->least;
  while (search->waiting > search->capacity / 2) {
    size_t kept = 0;
    float sum = 0, most = -INFINITY;
    for (size_t i = 0; i < search->waiting; i++) {
      const uint32_t vertex = search->vertices[i];
      if (search->estimates[i] < least || is_visited(search, vertex)) continue;
      search->estimates[kept] = search->estimates[i];
      search->vertices[kept++] = vertex;
      sum += search->estimates[i];
      most = search->estimates[i] > most ? search->estimates[i] : most;
    }
    float mean = sum / (float)(kept ? kept : 1);
    // That of equal ones may be rounded to above all of them.
    if (mean > most) mean = most;
    // Equal ones are as good as one another. A damaged record may give estimates of which the mean is no number.
    if (kept == search->waiting && !(mean > least)) kept = search->capacity / 2;
    search->waiting = kept;
    least = mean;
  }
}

// Forgets the vertices whose estimates are not high enough any more.
GRAPH_TARGET static inline void forget(kernels_graph_search *search) {
  const float least = search->least;
  float *estimates = search->estimates;
  uint32_t *vertices = search->vertices;
  size_t kept = 0;
  for (size_t i = 0; i < search->waiting; i++) {
    const float estimate = estimates[i];
    const uint32_t vertex = vertices[i];
    estimates[kept] = estimate;
    vertices[kept] = vertex;
    kept += estimate >= least;
  }
  search->waiting = kept;
  search->most_waiting = 2 * kept + LEAST_WAITING;
}

// Adds those of a group's codes that are in `reached`, a bit each, to the vertices that were met.
GRAPH_TARGET static inline void meet_vertices(const kernels_graph *graph, kernels_graph_search *search,
                                              const uint8_t *group, uint32_t reached, const float *bounds) {
  const uint32_t *numbers = group_rows(group, graph->width);
  if (search->waiting + (size_t)__builtin_popcount(reached) > search->capacity) thin(search);
  float *estimates = search->estimates;
  uint32_t *vertices = search->vertices;
  size_t waiting = search->waiting;
  for (; reached; reached &= reached - 1) {
    const int slot = __builtin_ctz(reached);
    const uint32_t vertex = numbers[slot];
    if (vertex >= graph->vertices) continue;
    estimates[waiting] = bounds[slot];
    vertices[waiting] = vertex;
    waiting += !is_visited(search, vertex);
  }
  search->waiting = waiting;
}

// The bounds [32] of group number `index` of the entries; returns which are at least `least`, a bit each. The group behind it,
// which is scanned next, is on its way meanwhile.
GRAPH_TARGET static inline uint32_t scan_entries(const kernels_graph *graph, const kernels_graph_search *search,
                                                 size_t index, float least, const uint8_t **group, float *bounds) {
  const size_t bytes = kernels_group_bytes(graph->width);
  *group = graph->entries + index * bytes;
  return SCAN_GROUP(&search->codes, search->entry_base, least, *group, *group + bytes, bounds) &
         slots_of_group(index, 0, graph->entry_count);
}

// Meets all entries whose estimates are high enough.
GRAPH_TARGET static void meet_all_entries(const kernels_graph *graph, kernels_graph_search *search) {
  for (size_t index = 0; index * KERNELS_GROUP_CODES < graph->entry_count; index++) {
    const uint8_t *group;
    float bounds[KERNELS_GROUP_CODES];
    const uint32_t reached = scan_entries(graph, search, index, search->least, &group, bounds);
    meet_vertices(graph, search, group, reached, bounds);
  }
}

GRAPH_TARGET static inline bool finds_few(const kernels_graph_search *search) {
  return (float)search->match_count < search->least_share * (float)search->visit_count;
}

GRAPH_TARGET static inline bool is_unusual(const kernels_graph_search *search) {
  return search->hit_count < search->k || 1 - search->hits[search->k - 1].similarity > search->range ||
         finds_few(search);
}

// Whether more has been visited than another way to the neighbours would take, or the first visits tell that it would.
GRAPH_TARGET static inline bool is_given_up(const kernels_graph_search *search) {
  if (search->visit_count == search->visit_limit) return true;
  if (search->visit_count == search->start_visits && 1 - search->start_best > search->start_range) return true;
  return search->visit_count - search->match_count > search->vain_limit && finds_few(search);
}

// How far the search goes beyond a k-th neighbour at so much less than a similarity of 1.
GRAPH_TARGET static inline float reach_of(const kernels_graph_search *search, float distance) {
  if (search->is_far) return search->far_reach;
  const float span = search->wide_last - search->near_last, beyond = distance - search->near_last;
  if (!(span > 0 && beyond > 0)) return search->reach;
  return search->reach + (search->wide_reach - search->reach) * (beyond < span ? beyond / span : 1);
}

// Sets the least estimate of interest.
GRAPH_TARGET static inline void set_least(kernels_graph_search *search) {
  if (search->hit_count < search->k) return;
  const float distance = 1 - search->hits[search->k - 1].similarity;
  search->least = 1 - distance - reach_of(search, distance) * distance;
}

// Forgets where the search was.
GRAPH_TARGET static void clear_path(kernels_graph_search *search) {
  for (size_t i = 0; i < search->visit_count; i++) search->visited[search->path[i] / 64] = 0;
  search->visit_count = search->match_count = search->hit_count = search->waiting = 0;
  search->most_waiting = LEAST_WAITING;
}

// Begins again from all entries that are near enough to the last neighbour so far.
GRAPH_TARGET static void go_far(const kernels_graph *graph, kernels_graph_search *search) {
  search->is_far = 1;
  search->least = -INFINITY;
  set_least(search);
  clear_path(search);
  meet_all_entries(graph, search);
}

// The place of the best vertex that was met and may be worth a visit; the number of those that wait where there is none.
GRAPH_TARGET static inline size_t place_of_best(kernels_graph_search *search) {
  if (search->waiting == 0) return 0;
  float *estimates = search->estimates;
  for (size_t i = search->waiting; i % LANES; i++) estimates[i] = -INFINITY;
  const size_t place = place_of_largest(estimates, search->waiting);
  return estimates[place] >= search->least ? place : search->waiting;
}

// Takes the best vertices that were met and not visited as the next ones, unless there were too many before or they are
// too far away; returns whether there is any.
GRAPH_TARGET static inline bool take_best(kernels_graph_search *search) {
  search->next_count = 0;
  if (search->waiting > search->most_waiting && search->hit_count >= search->k) forget(search);
  while (search->next_count < KERNELS_GRAPH_TOGETHER) {
    const size_t place = place_of_best(search);
    if (place == search->waiting) {
      search->waiting = 0;
      break;
    }
    const uint32_t vertex = search->vertices[place];
    search->waiting--;
    search->estimates[place] = search->estimates[search->waiting];
    search->vertices[place] = search->vertices[search->waiting];
    if (is_visited(search, vertex)) continue;
    if (is_given_up(search)) {
      search->state = KERNELS_GRAPH_LOST;
      return false;
    }
    search->visited[vertex / 64] |= UINT64_C(1) << (vertex % 64);
    search->path[search->visit_count++] = vertex;
    search->next[search->next_count++] = vertex;
  }
  return search->next_count > 0;
}

// Goes on to the next vertices, or ends the search.
GRAPH_TARGET static inline void next_vertices(const kernels_graph *graph, kernels_graph_search *search) {
  search->state = KERNELS_GRAPH_RUNNING;
  while (!take_best(search)) {
    if (search->state == KERNELS_GRAPH_LOST) return;
    if (search->is_far || !is_unusual(search)) {
      search->state = KERNELS_GRAPH_FINISHED;
      return;
    }
    if (search->far_reach == INFINITY) {
      search->state = KERNELS_GRAPH_LOST;
      return;
    }
    go_far(graph, search);
  }
  locate_vertices(graph, search);
}

// A vertex's row becomes a hit where it is among the best; sets the least estimate of interest.
GRAPH_TARGET static inline void take_vertex(kernels_graph_search *search, float similarity, uint32_t row) {
  if (row >= search->row_limit || (search->wanted && !(search->wanted[row / 64] >> (row % 64) & 1))) return;
  search->match_count++;
  kernels_graph_hit *hits = search->hits;
  size_t place = search->hit_count;
  if (place == search->hit_limit) {
    if (!(hits[place - 1].similarity < similarity)) return;
    place--;
  } else {
    search->hit_count++;
  }
  for (; place > 0 && hits[place - 1].similarity < similarity; place--) hits[place] = hits[place - 1];
  hits[place] = (kernels_graph_hit){similarity, row};
  set_least(search);
}

// MARK: Searches

// The nearest entries are what is met first.
GRAPH_TARGET static void meet_entries(const kernels_graph *graph, kernels_graph_search *search) {
  kernels_code_hit best[ENTRIES];
  size_t count = 0;
  float least = -INFINITY;
  for (size_t index = 0; index * KERNELS_GROUP_CODES < graph->entry_count; index++) {
    const uint8_t *group;
    float bounds[KERNELS_GROUP_CODES];
    uint32_t reached = scan_entries(graph, search, index, least, &group, bounds);
    for (; reached; reached &= reached - 1) {
      const int slot = __builtin_ctz(reached);
      const kernels_code_hit found = {.bound = bounds[slot], .row = group_rows(group, graph->width)[slot]};
      if (found.row >= graph->vertices || (count == ENTRIES && !(best[ENTRIES - 1].bound < found.bound))) continue;
      size_t place = count < ENTRIES ? count++ : ENTRIES - 1;
      for (; place > 0 && best[place - 1].bound < found.bound; place--) best[place] = best[place - 1];
      best[place] = found;
    }
    if (count == ENTRIES) least = best[ENTRIES - 1].bound;
  }
  for (size_t i = 0; i < count; i++) {
    search->estimates[i] = best[i].bound;
    search->vertices[i] = best[i].row;
  }
  search->waiting = count;
}

GRAPH_TARGET void BEGIN(const kernels_graph *graph, const float *query, kernels_graph_search *search) {
  clear_path(search);
  search->is_far = 0;
  search->start_best = -INFINITY;
  search->least = -INFINITY;
  const magnitudes of_query = magnitudes_of(graph->width, query);
  set_query(graph->width, query, of_query.largest, search);
  set_tables(graph->width, query, of_query, search);
  search->entry_base = kernels_inner_product(graph->width, query, graph->entry_centre);
  meet_entries(graph, search);
  next_vertices(graph, search);
}

// Visits a search's next vertices, and asks meanwhile for the memory of another's; NULL where there is none.
GRAPH_TARGET static inline void visit(const kernels_graph *graph, kernels_graph_search *search,
                                      kernels_graph_search *other) {
  const size_t width = graph->width, group_bytes = kernels_group_bytes(width), bytes = kernels_vertex_bytes(width);
  for (size_t i = 0; search->is_unasked && i < search->next_count; i++) ask(search->records[i], bytes);
  search->is_unasked = 0;
  const size_t asked = other ? other->next_count : 0;
  float similarities[KERNELS_GRAPH_TOGETHER];
  for (size_t i = 0; i < search->next_count; i++) {
    const uint8_t *record = search->records[i];
    const float product = (float)query_product(width, search->query, vertex_steps(record, width));
    const float similarity = product * search->step * vertex_step(record, width);
    // What is damaged is no neighbour.
    similarities[i] = similarity >= -2 && similarity <= 2 ? similarity : -2;
    if (search->visit_count <= search->start_visits && similarities[i] > search->start_best) {
      search->start_best = similarities[i];
    }
    take_vertex(search, similarities[i], vertex_row(record, width));
  }
  // To ask for all at once would have the processor wait: the groups are asked for as those here are read.
  for (size_t i = 0; i < asked; i++) ask(other->records[i] + group_bytes, bytes - group_bytes);
  for (size_t i = 0; i < search->next_count; i++) {
    const uint8_t *group = search->records[i];
    float bounds[KERNELS_GRAPH_EDGES];
    const uint32_t reached = SCAN_GROUP(&search->codes, similarities[i], search->least, group,
                                        i < asked ? other->records[i] : group, bounds);
    meet_vertices(graph, search, group, reached, bounds);
  }
  for (size_t i = search->next_count; i < asked; i++) ask(other->records[i], group_bytes);
  if (other) other->is_unasked = 0;
  next_vertices(graph, search);
}

// A search besides one whose next vertices' memory is still to be asked for; NULL where there is none.
GRAPH_TARGET static inline kernels_graph_search *unasked(kernels_graph_search *searches, size_t count, size_t but) {
  for (size_t i = 0; i < count; i++) {
    if (i != but && searches[i].state == KERNELS_GRAPH_RUNNING && searches[i].are_located && searches[i].is_unasked) {
      return searches + i;
    }
  }
  return NULL;
}

GRAPH_TARGET size_t ADVANCE(const kernels_graph *graph, kernels_graph_search *searches, size_t count,
                            kernels_graph_ahead *ahead) {
  for (bool runs = true; runs;) {
    runs = false;
    for (size_t i = 0; i < count; i++) {
      kernels_graph_search *search = searches + i;
      if (search->state != KERNELS_GRAPH_RUNNING) continue;
      if (search->are_located) {
        visit(graph, search, unasked(searches, count, i));
        if (ahead->asked < ahead->count) ask(ahead->pieces[ahead->asked++], ahead->bytes);
      } else {
        locate_vertices(graph, search);
      }
      if (search->state != KERNELS_GRAPH_RUNNING) return i;
      runs = true;
    }
  }
  return count;
}
