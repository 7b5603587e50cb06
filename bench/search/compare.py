"""Measures cellvec and its rivals in turns; see run."""

import argparse
import os
import statistics
import tempfile
import time

import faiss
import numpy

import rivals
import vectors
from subject import K, Cellvec

QUERIES = 2000
# Each search is for all queries so many times, so that the first touch of memory counts little.
PASSES = 5
GOALS = [0.9, 0.95, 0.99]


def timed(subject, queries, setting, threads, condition=None):
    """Rows of the nearest, and queries a second."""
    many = numpy.tile(queries, (PASSES, 1))
    if isinstance(subject, Cellvec):
        found, wall, processors = subject.search(many, setting, threads, condition)
    else:
        start, spent = time.perf_counter(), time.process_time()
        found = subject.search(many, setting, threads)
        wall, processors = time.perf_counter() - start, time.process_time() - spent
    # One thread's processor time is what the wall clock would show on a machine that does nothing else.
    return found[:len(queries)], len(many) / (min(wall, processors) if threads == 1 else wall)


def nearest(base, queries):
    exact = faiss.IndexFlatIP(base.shape[1])
    exact.add(base)
    return exact.search(queries, K)[1]


def recall(found, truth):
    return sum(len(set(a) & set(b)) for a, b in zip(found, truth)) / truth.size


def measure(subjects, queries, truth, threads, rounds):
    """{(subject, setting): (recall, queries a second)}"""
    speeds, recalls = {}, {}
    for _ in range(rounds):
        for subject in subjects:
            for setting in subject.settings:
                found, speed = timed(subject, queries, setting, threads)
                speeds.setdefault((subject.name, setting), []).append(speed)
                recalls[subject.name, setting] = recall(found, truth)
    return {key: (recalls[key], statistics.median(of_key)) for key, of_key in speeds.items()}


def print_table(title, subjects, results):
    print(f"\n{title}\n{'':26}" + "".join(f"{f'recall >= {goal}':>22}" for goal in GOALS))
    for subject in subjects:
        cells = []
        for goal in GOALS:
            reached = [(speed, found) for (name, _), (found, speed) in results.items()
                       if name == subject.name and found >= goal]
            cells.append("{:,.0f}/s at {:.4f}".format(*max(reached)) if reached else "-")
        print(f"{subject.name:26}" + "".join(f"{cell:>22}" for cell in cells))


def filters(cellvec, base, clusters, lots, queries, rounds):
    """Speed and recall of cellvec alone under conditions; those on clusters go with the vectors or against them."""
    largest = numpy.bincount(clusters).argsort()[::-1]
    queries = queries[:200]
    print(f"\nconditions, {len(queries)} queries, recall 0.99 asked, 1 thread")
    cases = [(f"lot < {share}", lots < share) for share in (1, 10, 50, 99)]
    cases += [(f"cluster < {share}", clusters < share) for share in (1, 20, 500)]
    cases += [(f"cluster = {number}", clusters == number) for number in largest[:1]]
    for condition, wanted in cases:
        rows = numpy.flatnonzero(wanted)
        truth = rows[nearest(base[rows], queries)]
        speeds = []
        for _ in range(rounds):
            found, speed = timed(cellvec, queries, 0.99, 1, condition)
            speeds.append(speed)
        print(f"{condition:20} {wanted.mean():8.4f} of the rows {statistics.median(speeds):10,.0f}/s "
              f"at {recall(found, truth):.4f}, {(found < 0).sum()} missing")


def churn(cellvec, base, clusters, lots, queries, rounds):
    """What inserts, and deletions with inserts, cost in speed and recall beside an index made anew."""
    print("\nchanges, recall 0.95 asked, 1 thread")

    def state(subject, title, vectors_by_row):
        rows = numpy.flatnonzero([vector is not None for vector in vectors_by_row])
        truth = rows[nearest(numpy.stack([vectors_by_row[row] for row in rows]), queries)]
        results = [timed(subject, queries, 0.95, 1) for _ in range(rounds)]
        speed = statistics.median(speed for _, speed in results)
        print(f"{title:44} {speed:10,.0f}/s at {recall(results[0][0], truth):.4f}")

    by_row = list(base)
    state(cellvec, "as built", by_row)
    other = cellvec.copy("db-inserts")
    more, of_more = vectors.clustered(len(base) // 100, base.shape[1], seed=2)
    other.add(more, of_more, seed=2)
    state(other, "1 % inserted", by_row + list(more))

    other = cellvec.copy("db-churn")
    gone = lots < 30
    other.run("delete", "--db", other.db, "--where", "lot < 30", "--yes", "--quiet")
    by_row = [None if is_gone else vector for vector, is_gone in zip(by_row, gone)]
    state(other, "30 % deleted", by_row)
    order = numpy.random.default_rng(3).permutation(numpy.flatnonzero(gone))
    for part, rows in enumerate(numpy.array_split(order, 5)):
        other.add(base[rows], clusters[rows], seed=10 + part)
    by_row += [base[row] for row in order]
    state(other, "and inserted again", by_row)
    other.build()
    state(other, "after cellvec index build", by_row)


def run(options, folder):
    base, clusters = vectors.clustered(options.rows, options.dimension, seed=0)
    queries, _ = vectors.clustered(QUERIES, options.dimension, seed=1)
    truth = nearest(base, queries)
    name = f"db-{options.rows}" + ("" if options.kind == "compact" else f"-{options.kind}")
    cellvec = Cellvec(options.program, folder, name, options.kind)
    lots = numpy.random.default_rng(0).integers(0, 100, len(base))
    if not os.path.exists(cellvec.db):
        cellvec.add(base, clusters, seed=0)
        cellvec.build()
    others = [rivals.RIVALS[name](base, folder) for name in options.rivals.split(",") if name]
    subjects = [cellvec, *others]
    print(f"{options.rows} x {options.dimension}, {QUERIES} queries {PASSES} times, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}")
    for subject in subjects:
        seconds = "built before" if subject.seconds is None else f"built in {subject.seconds:.1f} s"
        print(f"{subject.name:26} {seconds:>18} {subject.byte_count() / options.rows:8.0f} bytes/vector on disk")
    print(f"{'':26} {cellvec.status()['hot']} bytes/vector of codes in cellvec's index")
    for threads in sorted({1, os.cpu_count()}):
        results = measure(subjects, queries, truth, threads, options.rounds)
        print_table(f"{threads} thread" + "s" * (threads > 1), subjects, results)
    filters(cellvec, base, clusters, lots, queries, options.rounds)
    churn(cellvec, base, clusters, lots, queries, options.rounds)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--rivals", default="faiss,rabitqlib,symphonyqg,hnswlib")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", default="compact", choices=["compact", "graph"])
    parser.add_argument("--work")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or temporary
        os.makedirs(folder, exist_ok=True)
        run(options, folder)


if __name__ == "__main__":
    main()
