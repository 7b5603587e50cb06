"""Compares exact searches of cellvec with those of other libraries. Run by bench/exact/run."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import faiss
import numpy
import usearch.index

from common import machine

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "search"))
import vectors  # noqa: E402
from data import recall  # noqa: E402

K = 10
ALONE = 40


class Cellvec:
    """A database, with int8 copies of its vectors or without, that a process keeps open."""

    def __init__(self, name, process, database):
        self.name, self.process, self.database = name, process, database

    def ask(self, what):
        self.process.stdin.write(f"{what} {self.database}\n")
        self.process.stdin.flush()
        seconds, *rows = self.process.stdout.readline().split()
        return float(seconds), numpy.array(rows, int)

    def one(self, _):
        seconds, rows = self.ask("one")
        return seconds, rows.reshape(-1, K)

    def batch(self, _):
        seconds, rows = self.ask("batch")
        return seconds, rows.reshape(-1, K)


class Library:
    """A function that gives the places of the nearest [queries, K]."""

    def __init__(self, name, search):
        self.name, self.search = name, search

    def one(self, queries):
        times, found = zip(*(self.batch(query[None]) for query in queries[:ALONE]))
        return statistics.median(times), numpy.concatenate(found)

    def batch(self, queries):
        start, spent = time.perf_counter(), time.process_time()
        found = self.search(queries)
        return min(time.perf_counter() - start, time.process_time() - spent), found


def libraries(base):
    flat = faiss.IndexFlatIP(base.shape[1])
    flat.add(base)

    def multiply(queries):
        found = numpy.empty((len(queries), K), int)
        for start in range(0, len(queries), 100):
            similarities = queries[start:start + 100] @ base.T
            found[start:start + 100] = numpy.argpartition(similarities, -K, axis=1)[:, -K:]
        return found

    yield Library("faiss IndexFlatIP", lambda queries: flat.search(queries, K)[1])
    yield Library("NumPy product", multiply)
    yield Library("usearch exact", lambda queries: usearch.index.search(
        base, queries, K, "ip", exact=True, threads=1).keys.reshape(len(queries), K))


def run(*arguments):
    return subprocess.run(["cellvec", *arguments], check=True, capture_output=True, text=True).stdout


def fill(folder, base):
    """Two databases of the vectors: without and with int8 copies."""
    plain, copied = (os.path.join(folder, name) for name in ("plain", "copied"))
    array = os.path.join(folder, "base.npy")
    numpy.save(array, base)
    run("import", array, "--db", plain, "--quiet")
    run("backup", copied, "--db", plain)
    start = time.perf_counter()
    run("index", "build", "--kind", "int8", "--db", copied, "--quiet")
    print(f"int8 copies made in {time.perf_counter() - start:.1f} s")
    sizes = [os.stat(os.path.join(path, "data.mdb")).st_blocks * 512 / len(base) for path in (plain, copied)]
    print("bytes a vector on disk: {:.0f}, with int8 copies {:.0f}".format(*sizes))
    return plain, copied


def neighbours(folder, base, clusters):
    """How long the classification of cells by their nearest takes, start and all."""
    array, table = (os.path.join(folder, f"part.{end}") for end in ("npy", "csv"))
    count = len(base) // 5
    numpy.save(array, base[:count])
    with open(table, "w") as file:
        file.write("label,lot\n")
        file.writelines(f"c{cluster % 20},l{place % 1000}\n" for place, cluster in enumerate(clusters[:count]))
    database = os.path.join(folder, "part")
    run("import", array, "--db", database, "--metadata", table, "--quiet")
    times = []
    for _ in range(3):
        before = os.times()
        run("knn", "--db", database, "--labels", "label", "--group", "lot", "--threads", "1", "--quiet")
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    print(f"knn over {count} cells in 1,000 groups: {statistics.median(times):.2f} s of a processor")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--searcher", required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work")
    options = parser.parse_args()
    found = machine.machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or temporary
        os.makedirs(folder, exist_ok=True)
        base, clusters = vectors.clustered(options.rows, options.dimension, seed=0)
        queries, _ = vectors.clustered(options.queries, options.dimension, seed=1)
        queries.tofile(os.path.join(folder, "queries"))
        faiss.omp_set_num_threads(1)
        print(f"{options.rows} x {options.dimension}, {options.queries} queries, one thread; {machine.sentence(found)}")
        plain, copied = fill(folder, base)
        process = subprocess.Popen(
            [options.searcher, os.path.join(folder, "queries"), str(options.dimension), str(K)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        subjects = [Cellvec("cellvec", process, plain), Cellvec("cellvec, int8 copies", process, copied),
                    *libraries(base)]
        truth = subjects[2].batch(queries)[1]
        times, recalls, reading = {}, {}, []
        for _ in range(options.rounds):
            reading.append(subjects[0].ask("read")[0])
            for subject in subjects:
                for way in ("one", "batch"):
                    seconds, rows = getattr(subject, way)(queries)
                    times.setdefault((subject.name, way), []).append(seconds)
                    recalls[subject.name, way] = recall(rows, truth[:len(rows)])
        process.stdin.close()
        process.wait()
        print(f"reading the vectors: {base.nbytes / statistics.median(reading) / 1e9:.1f} GB/s\n")
        print(f"{'':24}{'one query':>14}{'recall':>9}{'together':>16}{'recall':>9}")
        for subject in subjects:
            one, batch = (statistics.median(times[subject.name, way]) for way in ("one", "batch"))
            print(f"{subject.name:24}{1e3 * one:11.2f} ms{recalls[subject.name, 'one']:9.4f}"
                  f"{options.queries / batch:14,.0f}/s{recalls[subject.name, 'batch']:9.4f}")
        print()
        neighbours(folder, base, clusters)
        print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
