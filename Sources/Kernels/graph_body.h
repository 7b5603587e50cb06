// The search of a graph for one instruction set, which defines GRAPH_TARGET, its attribute; query_product, the inner
// product of a query of 16 bits and a vector in steps, [width] each; LANES, the floats of a register, LARGEST(x), the
// largest of them, and EQUAL(a, b), a bit for each two that are equal; SCAN_CODES; and the functions' names BEGIN and
// ADVANCE.

enum {
  BITS = 4,
  ENTRIES_OF_TABLE = 16,
  // Vertices that a search begins with.
  ENTRIES = 4,
  // Entries that are compared at a time.
  ENTRY_CODES = 4 * KERNELS_GROUP_CODES,
  // Steps of a query's numbers, at most.
  QUERY_STEPS = 4095
};

typedef float float_lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint8_t byte_lanes __attribute__((vector_size(LANES), aligned(1)));
typedef float four_floats __attribute__((vector_size(16)));
typedef float four_floats_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

GRAPH_TARGET static inline float_lanes load_lanes(const float *x) { return *(const float_lanes *)(const void *)x; }

GRAPH_TARGET static inline float_lanes larger(float_lanes a, float_lanes b) {
  const int_lanes mask = a > b;
  return (float_lanes)(((int_lanes)a & mask) | ((int_lanes)b & ~mask));
}

// MARK: Queries

GRAPH_TARGET static void set_query(size_t width, const float *query, kernels_graph_search *search) {
  // A sum of products with steps fits 32 bits.
  const size_t limit = (size_t)INT32_MAX / 128 / width;
  const float steps = (float)(limit < QUERY_STEPS ? limit : QUERY_STEPS);
  float_lanes most = {0};
  for (size_t i = 0; i < width; i += LANES) {
    const float_lanes q = load_lanes(query + i);
    most = larger(larger(q, -q), most);
  }
  const float largest = LARGEST(most), inverse = largest > 0 ? steps / largest : 0;
  for (size_t i = 0; i < width; i++) {
    const float scaled = query[i] * inverse;
    search->query[i] = (int16_t)(int32_t)(scaled < 0 ? scaled - 0.5f : scaled + 0.5f);
  }
  search->step = largest / steps;
}

// What the entries of a query's tables are counted from: a bit counts a half or, where it is 0, minus a half.
GRAPH_TARGET static float table_offset(size_t width, const float *query) {
  float_lanes magnitude = {0};
  for (size_t i = 0; i < width; i += LANES) {
    const float_lanes q = load_lanes(query + i);
    magnitude += larger(q, -q);
  }
  float sum = 0;
  for (size_t lane = 0; lane < LANES; lane++) sum += magnitude[lane];
  return -0.5f * sum;
}

GRAPH_TARGET static inline four_floats four_at(const float *x) { return *(const four_floats_in_memory *)(const void *)x; }

// In each of four places.
GRAPH_TARGET static inline four_floats sum_of_four(four_floats x) {
  const four_floats pairs = x + __builtin_shufflevector(x, x, 1, 0, 3, 2);
  return pairs + __builtin_shufflevector(pairs, pairs, 2, 3, 0, 1);
}

// The tables of kernels_code_tables, up to the rounding of single entries.
GRAPH_TARGET static void set_tables(size_t width, const float *query, kernels_graph_search *search) {
  static const float bits[BITS][ENTRIES_OF_TABLE] = {{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
                                                     {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1},
                                                     {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1},
                                                     {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}};
  four_floats widest = {0};
  for (size_t i = 0; i < width; i += BITS) {
    const four_floats q = four_at(query + i), range = sum_of_four(__builtin_elementwise_abs(q));
    widest = __builtin_elementwise_max(range, widest);
  }
  const float scale = widest[0] / 255, inverse = scale > 0 ? 255 / widest[0] : 0;
  for (size_t i = 0; i < width; i += BITS) {
    const four_floats scaled = four_at(query + i) * inverse;
    // Entries are counted from the least of the sixteen; half is for rounding.
    const float least = sum_of_four(__builtin_elementwise_min(scaled, (four_floats){0}))[0] - 0.5f;
    for (size_t entry = 0; entry < ENTRIES_OF_TABLE; entry += LANES) {
      float_lanes sums = {0};
      for (size_t bit = 0; bit < BITS; bit++) sums += scaled[bit] * load_lanes(bits[bit] + entry);
      const int_lanes rounded = __builtin_convertvector(sums - least, int_lanes);
      byte_lanes *table = (byte_lanes *)(search->tables + i / BITS * ENTRIES_OF_TABLE + entry);
      *table = __builtin_convertvector(rounded, byte_lanes);
    }
  }
  search->codes = (kernels_code_query){
      .width = width, .tables = search->tables, .scale = scale, .offset = table_offset(width, query)};
}

// MARK: Vertices

GRAPH_TARGET static inline void ask(const uint8_t *memory, size_t bytes) {
  // Into the second cache: the first one takes too few lines at a time.
  for (size_t offset = 0; offset < bytes; offset += 64) __builtin_prefetch(memory + offset, 0, 2);
}

// Finds the records of the next vertices and asks for their memory, or has the search wait for a block.
GRAPH_TARGET static void locate_vertices(const kernels_graph *graph, kernels_graph_search *search) {
  const size_t bytes = kernels_vertex_bytes(graph->width), group = kernels_group_bytes(graph->width);
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
    // First what is read first.
    ask(record + group, bytes - group);
    ask(record, group);
    search->records[i] = record;
  }
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

// Forgets what is of no more interest, and the worse half or so of what is, to make room.
GRAPH_TARGET static void thin(kernels_graph_search *search) {
  float least = search->least;
  while (search->waiting > search->capacity / 2) {
    size_t kept = 0;
    float sum = 0, most = -INFINITY;
    for (size_t i = 0; i < search->waiting; i++) {
      const uint32_t vertex = search->vertices[i];
      if (search->estimates[i] < least || search->visited[vertex / 64] >> (vertex % 64) & 1) continue;
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

// Adds the codes that a scan has found to the vertices that were met.
GRAPH_TARGET static inline void meet_vertices(kernels_graph_search *search, const kernels_code_hit *found,
                                              size_t count) {
  if (search->waiting + count > search->capacity) thin(search);
  for (size_t i = 0; i < count; i++) {
    const uint32_t vertex = found[i].row;
    if (search->visited[vertex / 64] >> (vertex % 64) & 1) continue;
    search->estimates[search->waiting] = found[i].bound;
    search->vertices[search->waiting++] = vertex;
  }
}

// Meets all entries whose estimates are high enough.
GRAPH_TARGET static void meet_all_entries(const kernels_graph *graph, kernels_graph_search *search) {
  const kernels_code_search scan = {
      .base = search->entry_base, .least = search->least, .row_limit = graph->vertices};
  for (size_t first = 0; first < graph->entry_count; first += ENTRY_CODES) {
    const size_t left = graph->entry_count - first;
    const uint8_t *groups = graph->entries + first / KERNELS_GROUP_CODES * kernels_group_bytes(graph->width);
    kernels_code_hit found[ENTRY_CODES];
    const size_t count =
        SCAN_CODES(&search->codes, &scan, groups, 0, left < ENTRY_CODES ? left : ENTRY_CODES, found);
    meet_vertices(search, found, count);
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

// Sets the least estimate of interest.
GRAPH_TARGET static inline void set_least(kernels_graph_search *search) {
  if (search->hit_count < search->k) return;
  const float last = search->hits[search->k - 1].similarity;
  search->least = last - (search->is_far ? search->far_reach : search->current_reach) * (1 - last);
}

// Has the search go as far as what was nearest at its start asks for.
GRAPH_TARGET static inline void set_reach(kernels_graph_search *search) {
  search->current_reach = search->reach;
  const float span = search->wide_start - search->near_start, beyond = 1 - search->start_best - search->near_start;
  if (span > 0 && beyond > 0) {
    search->current_reach += (search->wide_reach - search->reach) * (beyond < span ? beyond / span : 1);
  }
}

// Forgets where the search was.
GRAPH_TARGET static void clear_path(kernels_graph_search *search) {
  for (size_t i = 0; i < search->visit_count; i++) search->visited[search->path[i] / 64] = 0;
  search->visit_count = search->match_count = search->hit_count = search->waiting = 0;
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
    const uint64_t bit = UINT64_C(1) << (vertex % 64);
    if (search->visited[vertex / 64] & bit) continue;
    if (is_given_up(search)) {
      search->state = KERNELS_GRAPH_LOST;
      return false;
    }
    search->visited[vertex / 64] |= bit;
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
  kernels_code_search scan = {.base = search->entry_base, .least = -INFINITY, .row_limit = graph->vertices};
  const size_t bytes = kernels_group_bytes(graph->width);
  kernels_code_hit best[ENTRIES], found[ENTRY_CODES];
  size_t count = 0;
  for (size_t first = 0; first < graph->entry_count; first += ENTRY_CODES) {
    const size_t left = graph->entry_count - first;
    const uint8_t *groups = graph->entries + first / KERNELS_GROUP_CODES * bytes;
    const size_t hits = SCAN_CODES(&search->codes, &scan, groups, 0, left < ENTRY_CODES ? left : ENTRY_CODES, found);
    for (size_t hit = 0; hit < hits; hit++) {
      if (count == ENTRIES && !(best[ENTRIES - 1].bound < found[hit].bound)) continue;
      size_t place = count < ENTRIES ? count++ : ENTRIES - 1;
      for (; place > 0 && best[place - 1].bound < found[hit].bound; place--) best[place] = best[place - 1];
      best[place] = found[hit];
    }
    if (count == ENTRIES) scan.least = best[ENTRIES - 1].bound;
  }
  meet_vertices(search, best, count);
}

GRAPH_TARGET void BEGIN(const kernels_graph *graph, const float *query, kernels_graph_search *search) {
  clear_path(search);
  search->is_far = 0;
  search->start_best = -INFINITY;
  set_reach(search);
  search->least = -INFINITY;
  set_query(graph->width, query, search);
  set_tables(graph->width, query, search);
  search->entry_base = kernels_inner_product(graph->width, query, graph->entry_centre);
  meet_entries(graph, search);
  next_vertices(graph, search);
}

GRAPH_TARGET static inline void visit(const kernels_graph *graph, kernels_graph_search *search) {
  const size_t width = graph->width;
  float similarities[KERNELS_GRAPH_TOGETHER];
  for (size_t i = 0; i < search->next_count; i++) {
    const uint8_t *record = search->records[i];
    const float product = (float)query_product(width, search->query, vertex_steps(record, width));
    const float similarity = product * search->step * vertex_step(record, width);
    // What is damaged is no neighbour.
    similarities[i] = similarity >= -2 && similarity <= 2 ? similarity : -2;
    if (search->visit_count <= search->start_visits && similarities[i] > search->start_best) {
      search->start_best = similarities[i];
      set_reach(search);
      set_least(search);
    }
    take_vertex(search, similarities[i], vertex_row(record, width));
  }
  for (size_t i = 0; i < search->next_count; i++) {
    const kernels_code_search scan = {
        .base = similarities[i], .least = search->least, .row_limit = graph->vertices};
    kernels_code_hit found[KERNELS_GRAPH_EDGES];
    const size_t count = SCAN_CODES(&search->codes, &scan, search->records[i], 0, KERNELS_GRAPH_EDGES, found);
    meet_vertices(search, found, count);
  }
  next_vertices(graph, search);
}

GRAPH_TARGET size_t ADVANCE(const kernels_graph *graph, kernels_graph_search *searches, size_t count) {
  for (bool runs = true; runs;) {
    runs = false;
    for (size_t i = 0; i < count; i++) {
      kernels_graph_search *search = searches + i;
      if (search->state != KERNELS_GRAPH_RUNNING) continue;
      if (search->are_located) {
        visit(graph, search);
      } else {
        locate_vertices(graph, search);
      }
      if (search->state != KERNELS_GRAPH_RUNNING) return i;
      runs = true;
    }
  }
  return count;
}
