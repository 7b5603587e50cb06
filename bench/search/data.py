"""The vectors that are searched, queries, and what an exact search finds; kept in a folder, for all subjects.

  ROWSxDIMENSION            vectors like those of cells (vectors.py), with 2,000 queries of the same clusters
  ROWSxDIMENSIONxCLUSTERS   round clusters, with as many queries
  a file .npy               vectors of cells, such as cellvec export writes: one in twenty is a query, at most 500
"""

import dataclasses
import pathlib

import numpy

import vectors

K = 10
QUERIES = 2000
# Vectors have a lot from 0 to 100 at random; filters let pass those whose lot is below these.
SHARES = [1, 10, 50, 99]
FILTER_QUERIES = 200


@dataclasses.dataclass
class Data:
    base: numpy.ndarray
    queries: numpy.ndarray
    clusters: numpy.ndarray
    """Which cluster each vector is of; zeros where that is not known."""
    lots: numpy.ndarray
    truth: numpy.ndarray
    filtered_truth: dict
    """By share, the truth of the first 200 queries among vectors with a lot below it."""


def nearest(base, queries):
    """Places of the nearest [queries, 10] by the inner product, in parts that fit the cache of a small machine."""
    import faiss
    exact = faiss.IndexFlatIP(base.shape[1])
    exact.add(base)
    return exact.search(queries, K)[1]


def recall(found, truth):
    return sum(len(set(a) & set(b)) for a, b in zip(found, truth)) / truth.size


def prepare(name, folder):
    """Makes the files of a data set, if they are not there."""
    if (folder / "filtered.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith(".npy"):
        found = numpy.load(name).astype(numpy.float32)
        found /= numpy.maximum(numpy.linalg.norm(found, axis=1, keepdims=True), 1e-30)
        is_query = numpy.arange(len(found)) % max(20, len(found) // 500) == 0
        base, queries = found[~is_query], found[is_query]
        clusters = numpy.zeros(len(base), int)
    else:
        rows, dimension, *round_clusters = map(int, name.split("x"))
        make = vectors.round_clusters if round_clusters else vectors.clustered
        base, clusters = make(rows, dimension, 0, *round_clusters)
        queries, _ = make(QUERIES, dimension, 1, *round_clusters)
    lots = numpy.random.default_rng(0).uniform(0, 100, len(base))
    filtered = []
    for share in SHARES:
        rows = numpy.flatnonzero(lots < share)
        filtered.append(rows[nearest(base[rows], queries[:FILTER_QUERIES])])
    arrays = {"base": base, "queries": queries, "clusters": clusters, "lots": lots, "truth": nearest(base, queries),
              "filtered": numpy.stack(filtered)}
    for part, array in arrays.items():
        numpy.save(folder / f"{part}.npy", array)


def load(folder):
    parts = {path.stem: numpy.load(path) for path in pathlib.Path(folder).glob("*.npy")}
    return Data(parts["base"], parts["queries"], parts["clusters"], parts["lots"], parts["truth"],
                dict(zip(SHARES, parts["filtered"])))
