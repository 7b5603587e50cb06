"""Whether searches find what they promise, whatever the queries are like: a table of recalls through a compact index and
through a graph, of queries from those like the vectors to random directions, and of means of vectors, that no build has seen."""


import numpy

import ways

# Angles between a query of a kind and one like the vectors.
ANGLES = [0, 18, 36, 54, 72, 90]
COUNTS = [1, 10, 100]
ASKED = ["0.9", "0.95", "0.99"]
# Queries of a kind: with one neighbour, a recall of .99 is known to within some .003.
QUERIES = 1000


def at_angle(queries, angle, seed):
    """Queries turned by so many degrees into random directions, of unit length."""
    off = numpy.random.default_rng(seed).standard_normal(queries.shape)
    off -= (off * queries).sum(1, keepdims=True) * queries
    off /= numpy.linalg.norm(off, axis=1, keepdims=True)
    turn = numpy.radians(angle)
    return (numpy.cos(turn) * queries + numpy.sin(turn) * off).astype(numpy.float32)


def means(base, parts, count, seed):
    """Weighted means of so many vectors each, of unit length: with equal weights these would be equally near."""
    random = numpy.random.default_rng(seed)
    some = random.integers(0, len(base), (count, parts))
    sums = (base[some] * random.uniform(1, 2, (count, parts, 1))).sum(1)
    return (sums / numpy.linalg.norm(sums, axis=1, keepdims=True)).astype(numpy.float32)


def kinds(found):
    """(title, queries) of each."""
    like = found.queries[:QUERIES]
    for number, angle in enumerate(ANGLES):
        yield title(angle), at_angle(like, angle, number)
    for parts in 2, 3:
        yield f"means of {parts} vectors", means(found.base, parts, len(like), parts)


def print_table(subjects, found):
    """- subjects: by name. Each is searched through its index, whatever is estimated."""
    import faiss
    exact = faiss.IndexFlatIP(found.base.shape[1])
    exact.add(found.base)
    print(f"\n{len(found.queries[:QUERIES]):,} queries of each kind; a recall below what is asked for is marked with *\n")
    columns = [f"{name}, {asked}" for name in subjects for asked in ASKED]
    print("| queries, from those like the vectors | k | " + " | ".join(columns) + " |\n|---|---:|"
          + "---:|" * len(columns))
    for kind, queries in kinds(found):
        nearest = exact.search(queries, max(COUNTS))[1]
        for k in COUNTS:
            truth = [set(rows.tolist()) for rows in nearest[:, :k]]
            cells = []
            for subject in subjects.values():
                for asked in ASKED:
                    rows, microseconds, _ = ways.search(
                        subject, queries, k, "--recall", asked, "--through-index")
                    reached = ways.recall(rows, truth)
                    cells.append(f"{reached:.4f}{'*' if reached < float(asked) else ''} ({microseconds:,.0f} µs)")
            print(f"| {kind} | {k} | " + " | ".join(cells) + " |", flush=True)


def title(angle):
    return {0: "like them", 90: "random directions"}.get(angle, f"{angle}° apart")
