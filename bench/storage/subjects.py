"""What is measured: cellvec by its command line, and each rival by processes of rival.py.

A subject's `step(name, folder, condition)` gives a dictionary with the seconds of the step (rival.py has the keys) and
memory, and raises Failure. `start_seconds` is what a process takes before it can do anything.
"""

import dataclasses
import json
import os
import pathlib
import statistics
import sys
import time

import numpy as np
from common.process import last_line, run
from data import COUNTS, K, QUERIES, SEARCHES
from rival import SMALL_COMMITS, SMALL_ROWS

HERE = pathlib.Path(__file__).resolve().parent
PROCESS_RUNS = 5


@dataclasses.dataclass
class Rival:
    name: str
    module: str
    packages: list
    durability: str

    def prepare(self, work, limit):
        self.work, self.limit = work, limit

    def step(self, step, folder, condition=None):
        command = [sys.executable, HERE / "rival.py", self.module, step, self.work / "data", folder, str(self.limit)]
        if condition:
            command.append(json.dumps(condition))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = run(command, timeout=2 * self.limit + 60, env=environment | {"BENCH_STARTED": str(time.monotonic())})
        return {**json.loads(last_line(done.output)), **memory([done])}


class Cellvec:
    """Each command is a process; seconds are those of the whole command."""

    name, packages = "cellvec", []
    durability = "a transaction of LMDB, synced"

    def prepare(self, work, limit):
        self.work, self.limit = work, limit
        vectors, queries = (np.load(work / f"data/{name}.npy", mmap_mode="r") for name in ("vectors", "queries"))
        self.query, self.queries = work / "query.npy", work / "data/queries.npy"
        np.save(self.query, queries[:1])
        lines = (work / "data/cells.csv").read_text().splitlines(keepends=True)
        for number in range(SMALL_COMMITS):
            start, end = number * SMALL_ROWS, (number + 1) * SMALL_ROWS
            np.save(work / f"small-{number}.npy", vectors[start:end])
            (work / f"small-{number}.csv").write_text("".join([lines[0], *lines[1 + start:1 + end]]))

    def step(self, step, folder, condition=None):
        self.starts = []
        steps = {"build": self.build, "small": self.small, "first": self.first, "query": self.search,
                 "delete": self.delete}
        found = steps[step](folder, condition)
        return {"startSeconds": statistics.median(self.starts), **found}

    def build(self, folder, _):
        done = self.run(folder, "import", self.work / "data/vectors.npy", "--metadata", self.work / "data/cells.csv")
        return {"seconds": done.seconds, "processorSeconds": done.processor_seconds, "indexSeconds": 0,
                **memory([done])}

    def small(self, folder, _):
        runs = [self.run(folder, "import", self.work / f"small-{n}.npy", "--metadata", self.work / f"small-{n}.csv")
                for n in range(SMALL_COMMITS)]
        return {"seconds": statistics.median(one.seconds for one in runs), **memory(runs)}

    def first(self, folder, _):
        done = self.run(folder, "search", "--vectors", self.query, "-k", str(K))
        return {"seconds": done.seconds, **memory([done])}

    def search(self, folder, _):
        """"batchSeconds" are of a command that asks all queries, or for a count of its repeated evaluation alone."""
        found, runs = {"searches": {}, "counts": {}}, []
        for name, condition in SEARCHES.items():
            options = ["-k", str(K), "--json", *(["--where", sql(condition)] if condition else [])]
            pairs = [[self.run(folder, "search", "--vectors", file, *options) for file in (self.query, self.queries)]
                     for _ in range(PROCESS_RUNS)]
            one, batch = (statistics.median(done.seconds for done in column) for column in zip(*pairs))
            rows = [[] for _ in range(QUERIES)]
            for neighbor in map(json.loads, pairs[0][1].output.splitlines()):
                rows[int(neighbor["query"])].append(int(neighbor["cell"]))
            found["searches"][name] = {"seconds": one, "batchSeconds": batch, "rows": rows}
            runs += [done for pair in pairs for done in pair]
        for name, condition in COUNTS.items():
            once = [self.run(folder, "count", "--where", sql(condition)) for _ in range(PROCESS_RUNS)]
            often = self.run(folder, "count", "--where", sql(condition), "--explain", "--runs", "11", "--json")
            first_part = json.loads(often.output.splitlines()[0])
            found["counts"][name] = {"seconds": statistics.median(done.seconds for done in once),
                                     "batchSeconds": first_part["milliseconds"] / 1000, "count": first_part["cells"]}
            runs += [*once, often]
        return {**found, **memory(runs)}

    def delete(self, folder, condition):
        deletion = self.run(folder, "delete", "--where", sql(condition), "--yes")
        compaction = self.run(folder, "compact")
        count = self.run(folder, "count", "--json")
        return {"seconds": deletion.seconds, "reclaimSeconds": compaction.seconds,
                "count": json.loads(count.output)["cells"], **memory([deletion, compaction])}

    def run(self, folder, verb, *options):
        # Beside each command, so that both see the same load.
        self.starts.append(run(["cellvec", "--version"]).seconds)
        quiet = [] if verb in ("search", "count") else ["--quiet"]
        return run(["cellvec", verb, *options, "--db", folder, *quiet], timeout=self.limit)


def sql(condition):
    texts = {"gene": "gene = '{}'", "line": "line = '{}'", "dose_below": "dose < {}", "row_below": "cell < {}"}
    return " AND ".join(texts[name].format(value) for name, value in condition.items())


def memory(runs):
    return {"peakByteCount": max(one.peak_byte_count for one in runs),
            "ownByteCount": max(one.own_byte_count for one in runs)}


SUBJECTS = {
    "cellvec": Cellvec(),
    "lmdb": Rival("LMDB, a key a vector", "rival_lmdb", ["lmdb"], "a transaction, synced"),
    "sqlite-vec": Rival(
        "sqlite-vec", "rival_sqlite_vec", ["sqlite-vec", "pysqlite3-binary"], "WAL, synchronous = FULL"),
    "lancedb": Rival("LanceDB", "rival_lancedb", ["lancedb"], "a version of the table; strace sees no sync"),
    "qdrant-edge": Rival("Qdrant Edge", "rival_qdrant_edge", ["qdrant-edge-py"], "write-ahead log and flush()"),
    "zvec": Rival("zvec", "rival_zvec", ["zvec"], "flush()"),
    "chroma": Rival("Chroma", "rival_chromadb", ["chromadb"], "its defaults: SQLite, synced"),
    "qdrant-local": Rival("Qdrant, local mode", "rival_qdrant_client", ["qdrant-client"], "SQLite, a commit an insert"),
}
