"""Other libraries, each with its index of the same vectors: `settings` from the fastest to the most thorough, and
`search(queries, setting, threads)`, which gives the places of the 10 nearest [queries, 10]."""

import os
import time

import faiss
import hnswlib
import numpy
import rabitqlib

K = 10


def list_count(rows):
    return int(2 ** round(numpy.log2(4 * numpy.sqrt(rows))))


class Rival:
    def __init__(self, vectors, folder):
        self.path = os.path.join(folder, f"{type(self).__name__}-{len(vectors)}")
        self.seconds = None
        if not os.path.exists(self.path):
            start = time.perf_counter()
            index = self.build(vectors)
            self.seconds = time.perf_counter() - start
            self.save(index)
        self.load(vectors)

    def byte_count(self):
        return os.path.getsize(self.path)


class FaissPQ(Rival):
    """Lists of product-quantised codes of 4 bits that are looked up in registers; the best are compared exactly."""

    name = "faiss IVF,PQx4fs,RFlat"
    settings = [(4, 4), (8, 4), (16, 4), (16, 8), (32, 8), (48, 8), (64, 8), (64, 16), (128, 16)]

    def build(self, vectors):
        rows, dimension = vectors.shape
        lists = list_count(rows)
        index = faiss.index_factory(dimension, f"IVF{lists},PQ{dimension // 2}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT)
        index.train(vectors[:40 * lists])
        index.add(vectors)
        return index

    def save(self, index):
        faiss.write_index(index, self.path)

    def load(self, _):
        self.index = faiss.read_index(self.path)
        self.lists = faiss.extract_index_ivf(faiss.downcast_index(self.index.base_index))

    def search(self, queries, setting, threads):
        faiss.omp_set_num_threads(threads)
        self.lists.nprobe, self.index.k_factor = setting
        return self.index.search(queries, K)[1]


class RabitqIVF(Rival):
    """Lists of RaBitQ codes of 7 bits; nothing is compared exactly."""

    name = "rabitqlib IVF 7 bits"
    settings = [8, 16, 32, 64, 128, 256]

    def build(self, vectors):
        rows, dimension = vectors.shape
        lists = list_count(rows)
        means = rabitqlib.RaBitQKMeans(
            dimension, lists, num_threads=os.cpu_count(), final_assignment=rabitqlib.FinalAssignmentMode.Exact)
        means.train(vectors)
        index = rabitqlib.IvfIndex(dim=dimension, max_elements=rows, num_clusters=lists, nbits=7, metric="ip")
        index.build(vectors, means.centroids, means.assignments, os.cpu_count())
        return index

    def save(self, index):
        index.save(self.path)
        self.index = index

    def load(self, vectors):
        if not hasattr(self, "index"):
            self.index = rabitqlib.IvfIndex.load(self.path)

    def search(self, queries, setting, threads):
        return numpy.asarray(self.index.search(queries, k=K, nprobe=setting, num_threads=threads)[0])


class SymphonyQG(Rival):
    """A graph with codes of RaBitQ at its edges, and with the vectors themselves."""

    name = "rabitqlib SymphonyQG R=32"
    settings = [10, 16, 20, 24, 32, 40, 48, 64, 96]

    def build(self, vectors):
        index = rabitqlib.SymqgIndex(vectors.shape[1], 32, "ip", 0)
        index.build(vectors, 200 if len(vectors) <= 100_000 else 128, os.cpu_count())
        return index

    def save(self, index):
        index.save(self.path)

    def load(self, _):
        self.index = rabitqlib.SymqgIndex.load(self.path)

    def search(self, queries, setting, threads):
        return numpy.asarray(self.index.search(queries, K, setting, threads)[0])


class Hnsw(Rival):
    """A graph over the vectors themselves."""

    name = "hnswlib M=16"
    settings = [10, 16, 24, 32, 48, 64, 96, 128, 192]

    def build(self, vectors):
        index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        index.init_index(max_elements=len(vectors), ef_construction=200, M=16)
        index.add_items(vectors, numpy.arange(len(vectors)), num_threads=os.cpu_count())
        return index

    def save(self, index):
        index.save_index(self.path)

    def load(self, vectors):
        self.index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        self.index.load_index(self.path)

    def search(self, queries, setting, threads):
        self.index.set_ef(setting)
        return self.index.knn_query(queries, k=K, num_threads=threads)[0]


RIVALS = {"faiss": FaissPQ, "rabitqlib": RabitqIVF, "symphonyqg": SymphonyQG, "hnswlib": Hnsw}
