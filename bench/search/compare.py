"""Measures cellvec and its rivals; see run."""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import data
import promises
import vectors
import ways
from common.machine import machine, sentence
from common.process import children_seconds
from measure import SECONDS
from rivals import RIVALS
from subject import Cellvec

HERE = pathlib.Path(__file__).parent
GOALS = [0.9, 0.95, 0.99]
# Of the queries that are searched for at once, at least; a rival, too, is asked for all queries until SECONDS are over.
PASSES = 5


def best(results, goal):
    """The fastest of (speed, recall) that reaches a recall, as a cell of a table."""
    reached = [result for result in results if result[1] >= goal]
    return "{:,.0f} at {:.3f}".format(*max(reached)) if reached else "-"


def run_rival(name, folder, limit):
    """What a rival's process says until it ends or has to be ended, and why it ended if that was early."""
    command = [sys.executable, str(HERE / "measure.py"), name, str(folder)]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, text=True)
        try:
            status = process.wait(limit)
            ending = None if status == 0 else f"status {status}"
        except subprocess.TimeoutExpired:
            ending = f"more than {limit} s"
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        errors.seek(0)
        facts = [json.loads(line) for line in output if line.startswith("{")]
        if ending and ending.startswith("status"):
            said = [line.strip() for line in errors if line.strip()]
            ending += f": {said[-1][:100]}" if said else ""
    return facts, ending


def measure_cellvec(cellvec, found, rounds):
    """The same facts of cellvec, medians of rounds."""
    facts = [{"kind": "build", "seconds": cellvec.seconds, "processor_seconds": cellvec.processor_seconds,
              "bytes_per_vector": cellvec.byte_count() / len(found.base)}]

    def search(queries, setting, threads, condition=None):
        passes, speeds = PASSES, []
        while len(speeds) < rounds:
            many = numpy.tile(queries, (passes, 1))
            places, wall, processors = cellvec.search(many, setting, threads, condition)
            seconds = min(wall, processors) if threads == 1 else wall
            if seconds < SECONDS and not speeds and passes < 20:
                passes *= 2
            else:
                speeds.append(len(many) / seconds)
        return places[:len(queries)], statistics.median(speeds)

    for threads in sorted({1, os.cpu_count()}):
        for setting in cellvec.settings:
            places, speed = search(found.queries, setting, threads)
            facts.append({"kind": "search", "threads": threads, "speed": speed,
                          "recall": data.recall(places, found.truth)})
    for share in data.SHARES:
        for setting in cellvec.settings[2:]:
            places, speed = search(found.queries, setting, 1, f"lot < {share}")
            places = places[:data.FILTER_QUERIES]
            facts.append({"kind": "filter", "share": share, "speed": speed,
                          "recall": data.recall(places, found.filtered_truth[share])})
    return facts


def print_tables(subjects):
    """subjects: (name, facts, ending)"""
    threads = os.cpu_count()
    print("\n| | build, s | its processor s | bytes a vector | 1 thread: recall >= .9 | >= .95 | >= .99 "
          f"| {threads} threads: >= .95 | >= .99 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name, facts, ending in subjects:
        build = next((fact for fact in facts if fact["kind"] == "build"), None)
        if not build:
            print(f"| {name} | - ({ending}) |" + " |" * 7)
            continue

        def of(count):
            return [(fact["speed"], fact["recall"]) for fact in facts
                    if fact["kind"] == "search" and fact["threads"] == count]

        cells = [best(of(1), goal) for goal in GOALS] + [best(of(threads), goal) for goal in GOALS[1:]]
        title = name + (f" ({ending})" if ending else "")
        print(f"| {title} | {build['seconds']:.1f} | {build['processor_seconds']:.1f} "
              f"| {build['bytes_per_vector']:,.0f} | " + " | ".join(cells) + " |")
    print("\n| queries a second at a recall of .99 among | " + " | ".join(f"{share} %" for share in data.SHARES) + " |")
    print("|---|" + "---:|" * len(data.SHARES))
    for name, facts, _ in subjects:
        of_share = {share: [(fact["speed"], fact["recall"]) for fact in facts
                            if fact["kind"] == "filter" and fact["share"] == share] for share in data.SHARES}
        if any(of_share.values()):
            print(f"| {name} | " + " | ".join(
                best(of_share[share], 0.99) if best(of_share[share], 0.99) != "-" or not of_share[share]
                else "only {1:.3f} ({0:,.0f})".format(*max(of_share[share], key=lambda result: result[1]))
                for share in data.SHARES) + " |")


def speed_and_recall(subject, queries, truth, asked, rounds, condition=None):
    """Cells of a table: queries a second of one thread, the median of rounds, and the recall."""
    many = numpy.tile(queries, (PASSES, 1))
    results = [subject.search(many, asked, 1, condition) for _ in range(rounds)]
    speed = statistics.median(len(many) / min(wall, processors) for _, wall, processors in results)
    return f"{speed:,.0f}", f"{data.recall(results[0][0][:len(queries)], truth):.4f}"


def kinds(subjects, found, rounds):
    """Conditions that go with the queries, against them, or have nothing to do with them."""
    queries = found.queries[:200]
    largest = numpy.bincount(found.clusters).argmax()
    conditions = [(f"cluster < {share}", found.clusters < share) for share in (1, 20, 500)]
    conditions += [(f"cluster >= {share}", found.clusters >= share) for share in (20, 500)]
    conditions += [(f"cluster = {largest}", found.clusters == largest), ("lot < 50", found.lots < 50)]
    # Queries of the clusters that a condition leaves out: hardly any vector around them matches.
    of_first = found.base[found.clusters < 20][::97][:200] + numpy.float32(1e-3)
    names = "".join(f" {name}: queries/s | recall |" for name in subjects)
    print("\n| cells that match, recall .99 asked | queries | share |" + names
          + "\n|---|---|---:|" + "---:|---:|" * len(subjects))
    for title, asked in ("of all clusters", queries), ("of the first 20 clusters", of_first):
        for condition, wanted in conditions:
            rows = numpy.flatnonzero(wanted)
            truth = rows[data.nearest(found.base[rows], asked)]
            cells = [cell for subject in subjects.values()
                     for cell in speed_and_recall(subject, asked, truth, 0.99, rounds, condition)]
            print(f"| `{condition}` | {title} | {wanted.mean():.4f} | " + " | ".join(cells) + " |", flush=True)


def churn(name, subject, found, rounds):
    """What inserts, and deletions with inserts, cost in speed and recall beside an index made anew. The database of each
    state is kept, and all are searched in turns, so that other work on the machine tells for none of them."""
    states = []

    def keep(subject, title, vectors_by_row, spent=None):
        rows = numpy.flatnonzero([vector is not None for vector in vectors_by_row])
        truth = rows[data.nearest(numpy.stack([vectors_by_row[row] for row in rows]), found.queries)]
        states.append((title, subject.copy(f"db-churn-{len(states)}"), truth, spent))

    by_row = list(found.base)
    keep(subject, "the build", by_row)
    other = subject.copy("db-churn")
    more, of_more = vectors.clustered(len(found.base) // 100, found.base.shape[1], seed=2)
    spent = other.add(more, of_more, numpy.zeros(len(more), int))
    keep(other, "1 % more, imported", by_row + list(more), spent)
    other.build()
    keep(other, "`cellvec index build`", by_row + list(more), other.processor_seconds)

    other = subject.copy("db-churn")
    gone = found.lots < 30
    start = children_seconds()
    other.run("delete", "--db", other.db, "--where", "lot < 30", "--yes", "--quiet")
    by_row = [None if is_gone else vector for vector, is_gone in zip(by_row, gone)]
    keep(other, "30 % deleted at random", by_row, children_seconds() - start)
    order = numpy.random.default_rng(3).permutation(numpy.flatnonzero(gone))
    spent = sum(other.add(found.base[rows], found.clusters[rows], found.lots[rows])
                for rows in numpy.array_split(order, 5))
    by_row += [found.base[row] for row in order]
    keep(other, "as many inserted again, in five imports", by_row, spent)
    more, of_more = vectors.clustered(len(found.base) // 4, found.base.shape[1], seed=4)
    spent = sum(other.add(more[rows], of_more[rows], numpy.zeros(len(rows), int))
                for rows in numpy.array_split(numpy.arange(len(more)), 5))
    by_row += list(more)
    keep(other, "25 % new ones more, in five imports", by_row, spent)
    other.build()
    keep(other, "`cellvec index build`", by_row, other.processor_seconds)
    other.build("--fresh")
    keep(other, "`cellvec index build --fresh`", by_row, other.processor_seconds)
    shutil.rmtree(other.db)

    many = numpy.tile(found.queries, (PASSES, 1))
    goals = (0.95, 0.99)
    speeds = {(state, goal): [] for state in range(len(states)) for goal in goals}
    recalls = {}
    for _ in range(rounds):
        for (state, goal), of_state in speeds.items():
            _, subject, truth, _ = states[state]
            places, wall, processors = subject.search(many, goal, 1)
            of_state.append(len(many) / min(wall, processors))
            recalls[state, goal] = data.recall(places[:len(found.queries)], truth)
    print(f"\n| {name}, after | s of processors | queries/s, .95 asked | recall | .99 asked | recall |"
          "\n|---|---:|---:|---:|---:|---:|")
    for state, (title, subject, _, spent) in enumerate(states):
        cells = [cell for goal in goals
                 for cell in (f"{statistics.median(speeds[state, goal]):,.0f}", f"{recalls[state, goal]:.4f}")]
        print(f"| {title} | {'-' if spent is None else f'{spent:.1f}'} | " + " | ".join(cells) + " |", flush=True)
        shutil.rmtree(subject.db)


def first_answers(cellvec, found, rounds):
    """From the start of a process to its end with one answer: the file in the page cache, and dropped from it."""
    libc = ctypes.CDLL(None)
    path = os.path.join(cellvec.db, "data.mdb")

    def drop():
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        libc.posix_fadvise(file, ctypes.c_long(0), ctypes.c_long(0), 4)
        os.close(file)

    print("\n| first answer of a process | page cache dropped, ms | warm, ms |\n|---|---:|---:|")
    for title, extra in ("recall .95", ["--recall", "0.95"]), ("recall .99", ["--recall", "0.99"]), ("exact", ["--exact"]):
        array = os.path.join(cellvec.folder, "query.npy")
        times = {True: [], False: []}
        for number in range(5 * rounds):
            numpy.save(array, found.queries[number:number + 1])
            for is_cold in True, False:
                if is_cold:
                    drop()
                start = time.perf_counter()
                cellvec.run("search", "--db", cellvec.db, "--vectors", array, "-k", "10", "--csv", *extra)
                times[is_cold].append(1000 * (time.perf_counter() - start))
        print(f"| {title} | {statistics.median(times[True]):.1f} | {statistics.median(times[False]):.1f} |")


def run(options, folder):
    data.prepare(options.data, folder)
    found = data.load(folder)
    cellvec = Cellvec(options.program, str(folder), "db")
    graph = Cellvec(options.program, str(folder), "db-graph", ["graph"])
    both = Cellvec(options.program, str(folder), "db-both", ["compact", "graph"])
    print(f"{sentence(machine())}\n\n{len(found.base):,} vectors of dimension {found.base.shape[1]}, "
          f"{len(found.queries):,} queries, 10 neighbours")
    steps = set(options.steps.split(","))

    def ready(subject, is_fresh):
        if not os.path.exists(subject.db):
            subject.add(found.base, found.clusters, found.lots)
        if is_fresh or not subject.is_built():
            subject.build("--fresh")
        return subject

    ready(cellvec, steps & {"search", "build"})
    subjects = []
    if "search" in steps:
        subjects.append(("cellvec", measure_cellvec(cellvec, found, options.rounds), None))
    if "graph" in steps:
        subjects.append(("cellvec, a graph", measure_cellvec(ready(graph, True), found, options.rounds), None))
    for name in filter(None, options.rivals.split(",")):
        facts, ending = run_rival(name, folder, options.limit)
        title = getattr(__import__(f"rivals.{RIVALS[name][0]}", fromlist=["_"]), RIVALS[name][1]).name
        subjects.append((title, facts, ending))
        print(f"{title} is done, {ending or 'in time'}", file=sys.stderr, flush=True)
    if subjects:
        print_tables(subjects)
    if "kinds" in steps and found.clusters.any():
        kinds({"compact": cellvec, "a graph": ready(graph, False), "both": ready(both, False)}, found, options.rounds)
    if "ways" in steps:
        ways.print_table(
            {"graph": ready(graph, False), "compact": ready(cellvec, False), "both": ready(both, False)}, found,
            options.rounds)
    if "promises" in steps:
        promises.print_table({"compact": cellvec, "a graph": ready(graph, False)}, found)
    if "first" in steps:
        first_answers(cellvec, found, options.rounds)
    if "churn" in steps:
        churn("compact", cellvec, found, options.rounds)
        churn("a graph", ready(graph, False), found, options.rounds)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", default="100000x384")
    parser.add_argument("--rivals", default=",".join(RIVALS))
    parser.add_argument("--steps", default="search,graph,kinds,first,churn")
    parser.add_argument("--limit", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        name = pathlib.Path(options.data).stem
        run(options, pathlib.Path(options.work or temporary) / name)


if __name__ == "__main__":
    main()
