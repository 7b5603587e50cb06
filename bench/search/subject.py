"""cellvec as a subject of measurements."""

import csv
import io
import os
import re
import shutil
import subprocess
import time

import numpy

from common.process import children_seconds

K = 10


class Cellvec:
    settings = [0.9, 0.95, 0.99, 0.999]

    def __init__(self, program, folder, name, kinds=("compact",)):
        self.program, self.folder, self.kinds = program, folder, kinds
        self.db = os.path.join(folder, name)
        self.seconds = self.processor_seconds = None

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], check=True, capture_output=True, text=True)

    def add(self, vectors, clusters, lots):
        """Imports vectors with two numbers each, and returns the seconds of processors."""
        array, table = (os.path.join(self.folder, f"added.{end}") for end in ("npy", "csv"))
        numpy.save(array, vectors)
        with open(table, "w", newline="") as file:
            csv.writer(file).writerows([["cluster", "lot"], *zip(clusters.tolist(), lots.tolist())])
        spent = children_seconds()
        self.run("import", array, "--db", self.db, "--metadata", table, "--quiet")
        for path in array, table:
            os.remove(path)
        return children_seconds() - spent

    def build(self, *options):
        start, spent = time.perf_counter(), children_seconds()
        for kind in self.kinds:
            self.run("index", "build", "--db", self.db, "--kind", kind, "--quiet", *options)
        self.seconds = time.perf_counter() - start
        self.processor_seconds = children_seconds() - spent

    def is_built(self):
        status = self.run("index", "status", "--db", self.db, "--csv").stdout
        return set(self.kinds) <= {row["kind"] for row in csv.DictReader(io.StringIO(status))}

    def byte_count(self):
        return os.stat(os.path.join(self.db, "data.mdb")).st_blocks * 512

    def copy(self, name):
        """A copy of the file as it lies, which no other process may write meanwhile."""
        other = Cellvec(self.program, self.folder, name, self.kinds)
        shutil.rmtree(other.db, ignore_errors=True)
        shutil.copytree(self.db, other.db, ignore=shutil.ignore_patterns("lock.mdb"))
        return other

    def search(self, queries, setting, threads, condition=None):
        """Rows of the nearest [queries, 10], -1 where there are fewer, and the seconds of the search without start and
        output: of the wall clock, and of processors."""
        array = os.path.join(self.folder, "asked.npy")
        numpy.save(array, queries)
        result = self.run(
            "search", "--db", self.db, "--vectors", array, "-k", str(K), "--recall", str(setting), "--threads",
            str(threads), "--explain", "--csv", *(["--where", condition] if condition else []))
        found = numpy.full((len(queries), K), -1)
        for row in csv.DictReader(io.StringIO(result.stdout)):
            found[int(row["query"]), int(row["rank"]) - 1] = int(row["cell"])
        seconds, processors = re.search(r"in ([\d.e-]+) s, with ([\d.e-]+) s", result.stderr).groups()
        return found, float(seconds), float(processors)
