"""Measures commands with different numbers of processors; see run."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import numpy

import vectors
from common.machine import machine, sentence
from common.markdown import row
from common.process import run
from rivals import RIVALS

K = 10
# A search for all takes long enough to be measured with many processors.
QUERIES = 100_000
EXACT_QUERIES = 20_000
RIVAL_SETTING = 32
CLASSES = 17
CELLS_OF_A_GROUP = 50


def counts(most):
    """1, 2, 4, ... and the most."""
    found = [1]
    while 2 * found[-1] < most:
        found.append(2 * found[-1])
    return sorted({*found, most})


def prepare(work, rows, dimension):
    """An imported database `db`, arrays of queries, and the folder `fields` of simulated images."""
    base, clusters = vectors.clustered(rows, dimension, seed=0)
    queries, _ = vectors.clustered(QUERIES, dimension, seed=1)
    numpy.save(work / "base.npy", base)
    numpy.save(work / "queries.npy", queries)
    numpy.save(work / "some.npy", queries[:EXACT_QUERIES])
    numpy.save(work / "one.npy", queries[:1])
    with open(work / "cells.csv", "w") as table:
        table.write("gene,localization\n")
        for place, cluster in enumerate(clusters):
            table.write(f"G{place // CELLS_OF_A_GROUP},c{cluster % CLASSES:02}\n")
    run(["cellvec", "simulate", work / "fields", "--fields", "96", "--quiet"])
    run(imported(work, "db"))
    return base, queries


def imported(work, db):
    return ["cellvec", "import", work / "base.npy", "--db", work / db, "--metadata", work / "cells.csv", "--quiet"]


def jobs(work):
    """(title, what to remove first, command), in an order in which each finds what it needs."""
    of_db = ["--db", work / "db"]

    def search(array, *options):
        return ["cellvec", "search", *of_db, "--vectors", work / array, "-k", str(K), "--csv", "--explain", *options]

    label = ["--labels", "localization", "--group", "gene", "--quiet"]
    channels = ["--channels", "nucleus=*_nucleus.png", "protein=*_protein.png"]
    return [
        ("`import`", "other", imported(work, "other")),
        ("`check`", None, ["cellvec", "check", *of_db]),
        (f"`search --exact`, {EXACT_QUERIES:,} queries", None, search("some.npy", "--exact")),
        ("`search --exact`, one query", None, search("one.npy", "--exact")),
        ("`index build`", None, ["cellvec", "index", "build", *of_db, "--fresh", "--quiet"]),
        (f"`search --through-index`, {QUERIES:,} queries", None, search("queries.npy", "--through-index")),
        ("`index build --kind graph`", None,
         ["cellvec", "index", "build", *of_db, "--kind", "graph", "--fresh", "--quiet"]),
        (f"`search`, {QUERIES:,} queries by the graph", None, search("queries.npy")),
        ("`knn`, all cells", None, ["cellvec", "knn", *of_db, *label]),
        ("`train`, 5 folds", None, ["cellvec", "train", *of_db, *label]),
        ("`ingest`, 96 simulated fields", "cells",
         ["cellvec", "ingest", work / "fields", "--db", work / "cells", "--crop", "96", "--cells", "masks=*_mask.png",
          *channels, "--quiet"]),
    ]


def seconds_of(command, processors, rounds, removed=None):
    """The fastest of rounds, of whole commands; and of searches, which tell it, without start and output."""
    fastest, fastest_search = float("inf"), float("inf")
    for _ in range(rounds):
        if removed:
            shutil.rmtree(removed, ignore_errors=True)
        start = time.perf_counter()
        done = subprocess.run(["taskset", "--cpu-list", processors, *command], check=True, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        fastest = min(fastest, time.perf_counter() - start)
        if told := re.search(r"in ([\d.e-]+) s, with [\d.e-]+ s", done.stderr):
            fastest_search = min(fastest_search, float(told.group(1)))
    return fastest, fastest_search


def rival_seconds(name, base, queries, work, numbers, rounds):
    """Of the searches alone, in this process, with the library's own threads."""
    module, kind = RIVALS[name]
    rival = getattr(__import__(f"rivals.{module}", fromlist=["_"]), kind)()
    start = time.perf_counter()
    rival.build(base, numpy.zeros(len(base)), work)
    print(f"{rival.name} is built in {time.perf_counter() - start:.1f} s with all processors", file=sys.stderr)
    times = []
    for number in numbers:
        fastest = float("inf")
        for _ in range(rounds):
            start = time.perf_counter()
            rival.search(queries, RIVAL_SETTING, number)
            fastest = min(fastest, time.perf_counter() - start)
        times.append(fastest)
    return f"{rival.name}, {len(queries):,} queries, without start and output", times


def print_row(title, times):
    print(row(title, *(f"{seconds:.3g}" + (f" ({times[0] / seconds:.1f}×)" if place else "")
                       for place, seconds in enumerate(times))), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--rivals", default="")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    places = sorted(os.sched_getaffinity(0))
    numbers = counts(len(places))
    print(f"{sentence(machine())}\n\n{options.rows:,} vectors of dimension {options.dimension}; seconds\n")
    base, queries = prepare(options.work, options.rows, options.dimension)
    print(row("", *(f"{number} processor" + "s" * (number > 1) for number in numbers)))
    print("|---|" + "---:|" * len(numbers))
    for title, removed, command in jobs(options.work):
        times = [seconds_of(command, ",".join(map(str, places[:number])), options.rounds,
                            removed and options.work / removed) for number in numbers]
        print_row(title, [whole for whole, _ in times])
        if times[0][1] < float("inf"):
            print_row("the same without start and output", [search for _, search in times])
    for name in filter(None, options.rivals.split(",")):
        print_row(*rival_seconds(name, base, queries, options.work, numbers, options.rounds))
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
