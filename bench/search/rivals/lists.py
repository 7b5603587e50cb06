"""Rivals that keep vectors in lists around centres."""

import os

import numpy

K = 10


def list_count(rows):
    return int(2 ** round(numpy.log2(4 * numpy.sqrt(rows))))


class Faiss:
    """An index of faiss by its factory's words, behind which the best are compared exactly."""

    def build(self, vectors, lots, folder):
        import faiss
        self.faiss, self.lots = faiss, lots
        faiss.omp_set_num_threads(os.cpu_count())
        lists = list_count(len(vectors))
        self.index = self.made(faiss, vectors.shape[1], lists)
        self.index.train(vectors[:40 * lists])
        self.index.add(vectors)
        base = faiss.downcast_index(self.index.base_index) if self.is_refined else self.index
        self.lists = faiss.extract_index_ivf(base)
        faiss.write_index(self.index, str(folder / "index"))

    is_refined = True

    def search(self, queries, setting, threads):
        self.faiss.omp_set_num_threads(threads)
        self.lists.nprobe, self.index.k_factor = setting
        return self.index.search(queries, K)[1]


class FaissPQ(Faiss):
    name = "faiss IVF,PQx4fs,RFlat"
    settings = [(4, 4), (8, 4), (16, 4), (16, 8), (32, 8), (48, 8), (64, 8), (64, 16), (128, 16), (256, 16)]

    def made(self, faiss, dimension, lists):
        return faiss.index_factory(dimension, f"IVF{lists},PQ{dimension // 2}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT)


class FaissRaBitQ(Faiss):
    name = "faiss RR,IVF,RaBitQfs + RFlat"
    settings = [(8, 4), (16, 4), (16, 8), (32, 8), (64, 8), (64, 16), (128, 16), (256, 16)]

    def made(self, faiss, dimension, lists):
        rotated = faiss.index_factory(dimension, f"RR{dimension},IVF{lists},RaBitQfs", faiss.METRIC_INNER_PRODUCT)
        self.kept = rotated
        return faiss.IndexRefineFlat(rotated)


class FaissFlat(Faiss):
    """Lists of the vectors themselves, with a bitmap of those that count: the bitmap is made outside of the time."""

    name = "faiss IVF,Flat + IDSelector"
    settings = [(8, 0), (16, 0), (32, 0), (64, 0), (128, 0), (256, 0)]
    is_refined = False

    def made(self, faiss, dimension, lists):
        return faiss.index_factory(dimension, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)

    def search(self, queries, setting, threads):
        self.faiss.omp_set_num_threads(threads)
        self.lists.nprobe = setting[0]
        return self.index.search(queries, K)[1]

    def filtered(self, queries, setting, share):
        self.faiss.omp_set_num_threads(1)
        chosen = self.faiss.IDSelectorBitmap(numpy.packbits(self.lots < share, bitorder="little"))
        return self.index.search(
            queries, K, params=self.faiss.SearchParametersIVF(sel=chosen, nprobe=setting[0]))[1]


class RabitqIVF:
    """Lists of RaBitQ codes of 7 bits; nothing is compared exactly."""

    name = "rabitqlib IVF 7 bits"
    settings = [8, 16, 32, 64, 128, 256]

    def build(self, vectors, lots, folder):
        import rabitqlib
        rows, dimension = vectors.shape
        lists, threads = list_count(rows), os.cpu_count()
        means = rabitqlib.RaBitQKMeans(
            dimension, lists, num_threads=threads, final_assignment=rabitqlib.FinalAssignmentMode.Exact)
        means.train(vectors)
        self.index = rabitqlib.IvfIndex(dim=dimension, max_elements=rows, num_clusters=lists, nbits=7, metric="ip")
        self.index.build(vectors, means.centroids, means.assignments, threads)
        self.index.save(str(folder / "index"))

    def search(self, queries, setting, threads):
        return numpy.asarray(self.index.search(queries, k=K, nprobe=setting, num_threads=threads)[0])


class ScaNN:
    """Anisotropic codes in two lists a vector (SOAR); the best are compared exactly."""

    name = "ScaNN tree, AH, SOAR"
    settings = [(4, 40), (8, 40), (8, 100), (16, 60), (16, 100), (32, 100), (32, 200), (64, 100), (64, 200), (128, 200)]

    def build(self, vectors, lots, folder):
        import scann
        builder = scann.scann_ops_pybind.builder(vectors, K, "dot_product")
        builder.set_n_training_threads(os.cpu_count())
        leaves = int(2 * numpy.sqrt(len(vectors)))
        builder = builder.tree(
            num_leaves=leaves, num_leaves_to_search=100, training_sample_size=min(len(vectors), 150_000),
            soar_lambda=1.5, overretrieve_factor=1.8)
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()
        self.index.serialize(str(folder))

    def search(self, queries, setting, threads):
        search = self.index.search_batched if threads == 1 else self.index.search_batched_parallel
        return search(queries, leaves_to_search=setting[0], pre_reorder_num_neighbors=setting[1])[0]
