"""Whether cellvec takes the fastest way: tables of searches of all kinds, of databases with a graph, with a compact index,
with both, and with comparing all forced, beside how the best of them does and what is found."""

import csv
import io
import os
import re

import numpy

# Of queries whose results are many.
FEW = 200


def search(subject, queries, k, *options):
    """Sets of the rows found, microseconds a query of one thread's processor time, and the way that was taken."""
    array = os.path.join(subject.folder, "asked.npy")
    numpy.save(array, queries)
    result = subject.run("search", "--db", subject.db, "--vectors", array, "-k", str(k), "--threads", "1",
                         "--explain", "--csv", *options)
    found = [set() for _ in queries]
    for row in csv.DictReader(io.StringIO(result.stdout)):
        found[int(row["query"])].add(int(row["cell"]))
    seconds, processors = map(float, re.search(r"in ([\d.e-]+) s, with ([\d.e-]+) s", result.stderr).groups())
    return found, 1e6 * min(seconds, processors) / len(queries), result.stderr.split(":")[0]


def recall(found, truth):
    total = sum(map(len, truth))
    return sum(len(a & b) for a, b in zip(found, truth)) / total if total else 1.0


def cases(found):
    """(title, queries, k, the recall that is asked for, other options) of each."""
    random = numpy.random.default_rng(5)
    on = found.queries
    off = random.standard_normal(on.shape).astype(numpy.float32)
    off /= numpy.linalg.norm(off, axis=1, keepdims=True)
    mixed = numpy.where((numpy.arange(len(on)) % 2 == 0)[:, None], on, off)
    for recall_asked in "0.95", "0.99":
        yield f"on the data, {recall_asked} asked", on, 10, recall_asked, []
    yield "random directions", off, 10, "0.99", []
    yield "half of each", mixed, 10, "0.99", []
    yield "one, on the data", on[:1], 10, "0.99", []
    yield "one random direction", off[:1], 10, "0.99", []
    for k in 1, 100, 1000:
        some = on if k < 1000 else on[:FEW]
        yield f"on the data, k = {k}", some, k, "0.99", []
        yield f"random directions, k = {k}", off[:len(some)], k, "0.99", []
    for share in 0.1, 1, 10, 30, 50, 99:
        yield f"{share} % match", on, 10, "0.99", ["--where", f"lot < {share}"]
    for share in 10, 50:
        yield f"one, {share} % match", on[:1], 10, "0.99", ["--where", f"lot < {share}"]
    yield "random directions, 50 % match", off, 10, "0.99", ["--where", "lot < 50"]
    if found.clusters.any():
        middle = int(numpy.median(found.clusters))
        below = found.base[found.clusters < middle // 4][::17][:FEW] + numpy.float32(1e-3)
        yield "conditions with the queries", below, 10, "0.99", ["--where", f"cluster < {middle}"]
        yield "conditions against the queries", below, 10, "0.99", ["--where", f"cluster >= {middle}"]
    for least in "0.5", "0.9":
        yield f"on the data, --min-similarity {least}", on, 10, "0.99", ["--min-similarity", least]
        yield f"random directions, --min-similarity {least}", off, 10, "0.99", ["--min-similarity", least]


def print_table(subjects, found, rounds):
    """- subjects: graph, compact and both by name; what each takes is the least of the rounds, which go in turn."""
    columns = [*subjects, "comparing all"]
    print("\n| microseconds a query (recall) | queries | " + " | ".join(columns) + " | both, by the best |\n|---|---:|"
          + "---:|" * (len(columns) + 1))
    for title, queries, k, asked, options in cases(found):
        times, results = {name: [] for name in columns}, {}
        for _ in range(rounds):
            for name in columns:
                subject = subjects.get(name, subjects["compact"])
                way_options = ["--recall", asked] if name in subjects else ["--exact"]
                results[name], seconds, way = search(subject, queries, k, *options, *way_options)
                times[name].append((seconds, way))
        least = {name: min(times[name]) for name in columns}
        cells = [f"{least[name][0]:,.0f} {least[name][1] if name in subjects else ''} "
                 f"({recall(results[name], results['comparing all']):.3f})" for name in columns]
        ratio = least["both"][0] / min(seconds for seconds, _ in least.values())
        print(f"| {title} | {len(queries):,} | " + " | ".join(cells) + f" | {ratio:.2f} |", flush=True)
