"""Compares the vectors and neighbors of spaces by the numbers that they keep; see `run` beside this."""

import csv
import io
import pathlib
import subprocess
import sys

import numpy as np

NEIGHBORS = 10
QUERIES = 1000


def cellvec(*arguments):
    """What a command of cellvec prints."""
    return subprocess.run(["cellvec", *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def table(*arguments):
    return list(csv.DictReader(io.StringIO(cellvec(*arguments, "--csv"))))


def neighbors(database, queries):
    """The cells found for each query, in order."""
    found = {}
    for row in table("search", "--db", database, "--vectors", queries, "-k", NEIGHBORS):
        found.setdefault(int(row["query"]), []).append(int(row["cell"]))
    return found


def main():
    work = pathlib.Path(sys.argv[1])
    print("set,cells,dimension,store,payload_bytes,least_cosine,median_cosine,recall_at_10,same_first")
    for name in sys.argv[2:]:
        vectors, queries = work / f"{name}.npy", work / f"{name}-queries.npy"
        cellvec("export", "--db", work / name, "--vectors", vectors, "--quiet")
        truth = np.load(vectors)
        # Float32 vectors of cells, of which each is its own first neighbor.
        chosen = np.random.default_rng(1).permutation(len(truth))[:QUERIES]
        np.save(queries, truth[chosen])
        expected = None
        for store, size in [("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1 + 4 / truth.shape[1])]:
            database = work / f"{name}-{store}"
            cellvec("import", vectors, "--db", database, "--dtype", store, "--quiet")
            cellvec("export", "--db", database, "--vectors", work / "stored.npy", "--quiet")
            stored = np.load(work / "stored.npy").astype("f8")
            cosines = (truth * stored).sum(1) / np.linalg.norm(truth, axis=1) / np.linalg.norm(stored, axis=1)
            found = neighbors(database, queries)
            expected = expected or found
            recall = np.mean([len(set(found[q]) & set(expected[q])) / NEIGHBORS for q in expected])
            first = np.mean([found[q][1] == expected[q][1] for q in expected])
            print(f"{name},{len(truth)},{truth.shape[1]},{store},{truth.size * size:.0f},"
                  f"{cosines.min():.7f},{np.median(cosines):.7f},{recall:.4f},{first:.4f}", flush=True)


if __name__ == "__main__":
    main()
