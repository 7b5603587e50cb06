"""The same cells for every store, and the conditions that are asked of them.

A condition is a dictionary: `gene` and `line` are texts to be equal to, `dose_below` and `row_below` bounds of numbers;
all must hold, and none at all is every cell.
"""

import json

import numpy as np

DIMENSION, GENES, LINES, QUERIES, K = 384, 2_000, 20, 20, 10
# About 50 cells of 100,000, about 2,000, and all.
SEARCHES = {
    "gene": {"gene": "G0007"},
    "line and dose": {"line": "L07", "dose_below": 0.4},
    "all": {},
}
COUNTS = {name: condition for name, condition in SEARCHES.items() if condition}


def deletions(rows):
    return {"one piece": {"row_below": rows // 2}, "scattered": {"dose_below": 0.5}}


class Data:
    """vectors: [rows, dimension]; queries: [queries, dimension], both float32 of length 1; fields: lists of `rows`."""

    def __init__(self, folder):
        self.vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        self.queries = np.load(folder / "queries.npy")
        self.fields = json.loads((folder / "fields.json").read_text())

    def matching(self, condition):
        """The rows that hold a condition, ascending."""
        holds = np.ones(len(self.vectors), bool)
        for field in ("gene", "line"):
            if field in condition:
                holds &= np.array(self.fields[field]) == condition[field]
        if "dose_below" in condition:
            holds &= np.array(self.fields["dose"]) < condition["dose_below"]
        if "row_below" in condition:
            holds[condition["row_below"]:] = False
        return np.flatnonzero(holds)

    def nearest(self, condition):
        """The truth: the k most similar rows of each query, by brute force."""
        rows = self.matching(condition)
        similarities = self.queries @ self.vectors[rows].T
        return rows[np.argsort(-similarities, axis=1)[:, :K]]


def make(folder, rows):
    """Two hundred clusters; queries lie near cells. Also writes the table that `cellvec import` reads."""
    generator = np.random.default_rng(1)
    centers = generator.standard_normal((200, DIMENSION), dtype=np.float32)
    vectors = centers[generator.integers(0, 200, rows)]
    vectors += 0.8 * generator.standard_normal((rows, DIMENSION), dtype=np.float32)
    queries = vectors[generator.choice(rows, QUERIES, replace=False)]
    queries = queries + 0.3 * generator.standard_normal((QUERIES, DIMENSION), dtype=np.float32)
    fields = {
        "gene": [f"G{number:04}" for number in generator.integers(0, GENES, rows)],
        "line": [f"L{number:02}" for number in generator.integers(0, LINES, rows)],
        "dose": [round(number, 6) for number in generator.random(rows).tolist()],
    }
    for name, array in [("vectors", vectors), ("queries", queries)]:
        np.save(folder / f"{name}.npy", array / np.linalg.norm(array, axis=1, keepdims=True))
    (folder / "fields.json").write_text(json.dumps(fields))
    with open(folder / "cells.csv", "w") as table:
        table.write("gene,line,dose\n")
        table.writelines(f"{gene},{line},{dose:.6f}\n" for gene, line, dose in zip(*fields.values()))
    return Data(folder)
