"""Rivals that keep vectors in a graph."""

import os

import numpy

K = 10


class SymphonyQG:
    """A graph whose vertices hold the codes of their neighbours; vectors are compared exactly on the way."""

    name = "rabitqlib SymphonyQG, degree 32"
    settings = [10, 13, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256]

    def build(self, vectors, lots, folder):
        import rabitqlib
        # All vectors have length 1, so that both metrics rank alike; by "ip" it finds less (.54 for .97 at dimension 768).
        self.index = rabitqlib.SymqgIndex(vectors.shape[1], 32, "l2", 0)
        self.index.build(vectors, 200 if len(vectors) <= 100_000 else 128, os.cpu_count())
        self.index.save(str(folder / "index"))

    def search(self, queries, setting, threads):
        return numpy.asarray(self.index.search(queries, K, setting, threads)[0])


class Hnswlib:
    name = "hnswlib, M = 16"
    settings = [10, 16, 24, 32, 48, 64, 96, 128, 192]

    def build(self, vectors, lots, folder):
        import hnswlib
        self.index = hnswlib.Index(space="ip", dim=vectors.shape[1])
        self.index.init_index(max_elements=len(vectors), ef_construction=200, M=16)
        self.index.add_items(vectors, numpy.arange(len(vectors)), num_threads=os.cpu_count())
        self.index.save_index(str(folder / "index"))

    def search(self, queries, setting, threads):
        self.index.set_ef(setting)
        return self.index.knn_query(queries, k=K, num_threads=threads)[0]


class USearch:
    name = "usearch bf16, M = 16"
    settings = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256]

    def build(self, vectors, lots, folder):
        from usearch.index import Index
        self.index = Index(ndim=vectors.shape[1], metric="ip", dtype="bf16", connectivity=16, expansion_add=128)
        self.index.add(numpy.arange(len(vectors)), vectors, threads=os.cpu_count())
        self.index.save(str(folder / "index"))

    def search(self, queries, setting, threads):
        self.index.expansion_search = setting
        return numpy.asarray(self.index.search(queries, K, threads=threads).keys).reshape(len(queries), -1)


class Vamana:
    """float16, because LVQ and LeanVec refuse processors that are not Intel's."""

    name = "SVS Vamana f16, degree 64"
    settings = [10, 12, 16, 24, 32, 48, 64, 96, 128]

    def build(self, vectors, lots, folder):
        import svs
        parameters = svs.VamanaBuildParameters(
            graph_max_degree=64, window_size=128, alpha=0.95, prune_to=60, max_candidate_pool_size=500)
        self.index = svs.Vamana.build(
            parameters, vectors.astype(numpy.float16), svs.DistanceType.MIP, num_threads=os.cpu_count())
        self.index.save(*(str(folder / part) for part in ("config", "graph", "data")))

    def search(self, queries, setting, threads):
        self.index.num_threads, self.index.search_window_size = threads, setting
        return self.index.search(queries.astype(numpy.float16), K)[0]


class Hannoy:
    """HNSW in LMDB, as Meilisearch has it."""

    name = "hannoy, M = 16"
    settings = [16, 32, 64, 96, 128, 200]
    one_thread = True

    def build(self, vectors, lots, folder):
        import hannoy
        self.database = hannoy.Database(str(folder), hannoy.Metric.COSINE, env_size=16 << 30)
        with self.database.writer(vectors.shape[1], m=16, ef=128) as writer:
            writer.add_items(list(range(len(vectors))), vectors)
        self.reader = self.database.reader()

    def search(self, queries, setting, threads):
        places, distances = (numpy.zeros((len(queries), K), kind) for kind in (numpy.uint32, numpy.float32))
        self.reader.by_array(queries, n=K, ef_search=setting, out=(places, distances))
        return places.astype(numpy.int64)
