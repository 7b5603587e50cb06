"""Compares spaces of the same vectors in each type: bytes, recall, time, macro F1. Run by `vectors` beside this."""

import argparse
import csv
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy

from common import machine
from common.markdown import paragraph, row

BENCH = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(BENCH / "train"), str(BENCH / "search")]
import data as cells  # noqa: E402
import vectors  # noqa: E402

TYPES = ["float32", "float16", "bfloat16", "int8"]
K, QUERIES, SEEDS = 10, 1000, 3


def run(*arguments):
    return subprocess.run(["cellvec", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def base_and_queries(options):
    if not options.vectors:
        return (vectors.clustered(options.rows, 384, seed=0)[0], vectors.clustered(QUERIES, 384, seed=1)[0])
    found = numpy.load(options.vectors)
    is_query = numpy.arange(len(found)) % max(1, len(found) // QUERIES) == 0
    return numpy.ascontiguousarray(found[~is_query]), numpy.ascontiguousarray(found[is_query])


def nearest(base, queries):
    """Places of the K largest cosines [queries, K], by products in double."""
    base = base.astype("f8")
    base /= numpy.linalg.norm(base, axis=1, keepdims=True)
    return numpy.concatenate([numpy.argpartition(part @ base.T, -K, axis=1)[:, -K:]
                              for part in numpy.array_split(queries.astype("f8"), 20)])


def recall(found, truth):
    return sum(len(set(a) & set(b)) for a, b in zip(found, truth)) / truth.size


def byte_count(database):
    run("compact", "--db", database, "--quiet")
    return os.stat(database / "data.mdb").st_size


def indexed_recall(database, queries, truth):
    found = {}
    for line in csv.DictReader(io.StringIO(run("search", "--db", database, "--vectors", queries, "-k", K, "--csv"))):
        found.setdefault(int(line["query"]), []).append(int(line["cell"]))
    return recall([found[query] for query in range(len(truth))], truth)


def macro_f1(folder, kind, seed):
    found = json.loads(run(
        "train", "--db", folder / f"{kind}-cells", "--labels", "localization", "--group", "gene", "--epochs", 10, "--seed",
        seed, "--json", "--quiet"))
    return found["evaluation"]["macro_f1"]["mean"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--searcher", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--vectors")
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    work, about = options.work, machine.machine()
    base, queries = base_and_queries(options)
    numpy.save(work / "base.npy", base)
    numpy.save(work / "queries.npy", queries)
    queries.tofile(work / "queries")
    truth = nearest(base, queries)

    sizes, lists = {}, {}
    for kind in TYPES:
        database = work / kind
        run("import", work / "base.npy", "--db", database, "--dtype", kind, "--quiet")
        plain = byte_count(database)
        run("backup", work / f"{kind}-indexed", "--db", database)
        run("index", "build", "--db", work / f"{kind}-indexed", "--quiet")
        status, = csv.DictReader(io.StringIO(run("index", "status", "--db", work / f"{kind}-indexed", "--csv")))
        sizes[kind] = [size / len(base) for size in
                       (plain, byte_count(work / f"{kind}-indexed"), int(status["lists"]) * 4 * base.shape[1])]
        lists[kind] = indexed_recall(work / f"{kind}-indexed", work / "queries.npy", truth)

    searcher = subprocess.Popen([options.searcher, work / "queries", str(base.shape[1]), str(K)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(what, kind):
        searcher.stdin.write(f"{what} {work / kind}\n")
        searcher.stdin.flush()
        seconds, *places = searcher.stdout.readline().split()
        return float(seconds), numpy.array(places, int).reshape(-1, K)

    times, recalls = {}, {}
    for _ in range(options.rounds):
        for kind in TYPES:
            for what in ("one", "batch"):
                seconds, found = ask(what, kind)
                times.setdefault((kind, what), []).append(seconds)
            recalls[kind] = recall(found, truth)
    searcher.stdin.close()
    searcher.wait()

    scores = {kind: [] for kind in TYPES}
    if options.cells:
        cells.write(work, *cells.simulate(options.cells, 384, 17))
        for kind in TYPES:
            run("import", work / "vectors.npy", "--metadata", work / "cells.csv", "--type", "localization=list", "--db",
                work / f"{kind}-cells", "--dtype", kind, "--quiet")
        scores = {kind: [macro_f1(work, kind, seed) for seed in range(SEEDS)] for kind in TYPES}

    print(paragraph(
        f"{len(base)} x {base.shape[1]}, {len(queries)} queries, {options.rounds} rounds, one thread; heads: "
        f"{options.cells} cells, {SEEDS} seeds; {machine.sentence(about)}"))
    print(row("", "bytes a vector", "with a compact index", "of that centres", "recall of 10", "through the index", "one query",
              "together", "macro F1"))
    print(row(*["---"] * 9))
    for kind in TYPES:
        one, batch = (statistics.median(times[kind, what]) for what in ("one", "batch"))
        score = f"{statistics.mean(scores[kind]):.4f}" if scores[kind] else "-"
        print(row(kind, *(f"{size:.0f}" for size in sizes[kind]), f"{recalls[kind]:.4f}", f"{lists[kind]:.4f}",
                  f"{1e3 * one:.2f} ms", f"{len(queries) / batch:,.0f}/s", score))
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
