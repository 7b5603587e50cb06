"""Rivals that are databases: queries come one at a time, and conditions are evaluated with each."""

import os

import numpy

K = 10


def padded(places):
    return places + [-1] * (K - len(places))


class QdrantEdge:
    name = "Qdrant Edge HNSW, int8 and rescoring"
    settings = [16, 32, 64, 128, 256]
    one_thread = True

    def build(self, vectors, lots, folder):
        import qdrant_edge as edge
        self.edge = edge
        self.shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(
                size=vectors.shape[1], distance=edge.Distance.Dot,
                quantization_config=edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, always_ram=True)),
            hnsw_config=edge.HnswIndexConfig(
                m=16, ef_construct=128, full_scan_threshold=10_000, max_indexing_threads=os.cpu_count()),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=1_000, default_segment_number=1),
            max_search_threads=1))
        self.shard.update(edge.UpdateOperation.create_field_index("lot", edge.PayloadSchemaType.Integer))
        for start in range(0, len(vectors), 1_000):
            self.shard.update(edge.UpdateOperation.upsert_points([
                edge.Point(row, vectors[row].tolist(), {"lot": int(lots[row])})
                for row in range(start, min(start + 1_000, len(vectors)))]))
        self.shard.flush()
        self.shard.optimize()

    def search(self, queries, setting, threads, condition=None):
        edge = self.edge
        parameters = edge.SearchParams(
            hnsw_ef=setting, quantization=edge.QuantizationSearchParams(rescore=True, oversampling=1.5))
        return numpy.array([padded([point.id for point in self.shard.search(edge.SearchRequest(
            query=edge.Query.Nearest(query.tolist()), limit=K, filter=condition, params=parameters))])
            for query in queries])

    def filtered(self, queries, setting, share):
        below = self.edge.FieldCondition(key="lot", range=self.edge.RangeFloat(lt=share))
        return self.search(queries, setting, 1, self.edge.Filter(must=[below]))


class Zvec:
    name = "zvec HNSW, int8 and refiner"
    settings = [16, 32, 64, 128, 256]
    one_thread = True

    def build(self, vectors, lots, folder):
        import zvec
        self.zvec, self.parameters = zvec, zvec.model.param
        graph = self.parameters.HnswIndexParam(
            metric_type=zvec.typing.MetricType.IP, m=32, ef_construction=200,
            quantize_type=zvec.typing.QuantizeType.INT8, use_contiguous_memory=True)
        schema = zvec.CollectionSchema(
            name="cells",
            fields=[zvec.FieldSchema("lot", zvec.DataType.INT32, nullable=False, index_param=self.parameters.InvertIndexParam(
                enable_range_optimization=True))],
            vectors=zvec.VectorSchema("vector", zvec.DataType.VECTOR_FP32, vectors.shape[1], index_param=graph))
        self.cells = zvec.create_and_open(path=str(folder / "cells"), schema=schema)
        for start in range(0, len(vectors), 1_000):
            self.cells.insert([
                zvec.Doc(id=str(row), vectors={"vector": vectors[row]}, fields={"lot": int(lots[row])})
                for row in range(start, min(start + 1_000, len(vectors)))])
        self.cells.flush()
        self.cells.optimize()

    def search(self, queries, setting, threads, condition=None):
        parameters = self.parameters.HnswQueryParam(ef=setting, is_using_refiner=True)
        return numpy.array([padded([int(found.id) for found in self.cells.query(
            self.zvec.Query(field_name="vector", vector=query, param=parameters), topk=K, filter=condition,
            output_fields=[])]) for query in queries])

    def filtered(self, queries, setting, share):
        return self.search(queries, setting, 1, f"lot < {share}")


class LanceDB:
    """Searches with threads of its own."""

    name = "LanceDB IVF_HNSW_SQ"
    settings = [(32, 1), (64, 2), (128, 2), (256, 3)]
    one_thread = True

    def build(self, vectors, lots, folder):
        import lancedb
        import pyarrow
        arrays = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(vectors.ravel()), vectors.shape[1])
        cells = pyarrow.table({"row": numpy.arange(len(vectors)), "lot": lots, "vector": arrays})
        self.table = lancedb.connect(folder).create_table("cells", cells)
        self.table.create_index(
            "cosine", vector_column_name="vector", index_type="IVF_HNSW_SQ", num_partitions=1, m=16, ef_construction=150)
        self.table.create_scalar_index("lot", index_type="BTREE")

    def search(self, queries, setting, threads, condition=None):
        found = []
        for query in queries:
            search = self.table.search(query).distance_type("cosine").select(["row"]).limit(K)
            search = search.nprobes(1).ef(setting[0]).refine_factor(setting[1])
            if condition:
                search = search.where(condition, prefilter=True)
            found.append(padded(search.to_arrow()["row"].to_pylist()))
        return numpy.array(found)

    def filtered(self, queries, setting, share):
        return self.search(queries, setting, 1, f"lot < {share}")
