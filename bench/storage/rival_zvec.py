"""zvec: a collection, flushed after each insert; inverted indexes of fields, a flat one of vectors, which is exact."""

import zvec
from data import DIMENSION
from zvec.model.param import FlatIndexParam, InvertIndexParam


class Store:
    BATCH = 1_000

    def __init__(self, folder):
        if folder.exists():
            self.cells = zvec.open(str(folder))
            return
        kinds, inverted = zvec.DataType, InvertIndexParam(enable_range_optimization=True)
        fields = [zvec.FieldSchema(name, kind, nullable=False, index_param=inverted) for name, kind in [
            ("gene", kinds.STRING), ("line", kinds.STRING), ("dose", kinds.DOUBLE), ("row", kinds.INT64)]]
        flat = FlatIndexParam(metric_type=zvec.MetricType.COSINE)
        vectors = zvec.VectorSchema("vector", kinds.VECTOR_FP32, DIMENSION, index_param=flat)
        self.cells = zvec.create_and_open(
            path=str(folder), schema=zvec.CollectionSchema(name="cells", fields=fields, vectors=vectors))

    def insert(self, first, vectors, fields):
        self.cells.insert([
            zvec.Doc(id=str(row), vectors={"vector": vector}, fields={"row": row, **dict(zip(fields, values))})
            for row, (vector, values) in enumerate(zip(vectors, zip(*fields.values())), first)])
        self.cells.flush()

    def index(self):
        self.cells.optimize()

    def search(self, vector, k, condition):
        found = self.cells.query(
            zvec.Query(field_name="vector", vector=vector), topk=k, filter=sql(condition), output_fields=[])
        return [int(document.id) for document in found]

    def count(self, condition):
        if not condition:
            return self.cells.stats.doc_count
        return len(self.cells.query(topk=100_000, filter=sql(condition), output_fields=[]))

    def delete(self, condition):
        self.cells.delete_by_filter(sql(condition))
        self.cells.flush()

    def reclaim(self):
        self.cells.optimize()

    def close(self):
        self.cells.close()


def sql(condition):
    texts = {"gene": "gene = '{}'", "line": "line = '{}'", "dose_below": "dose < {}", "row_below": "row < {}"}
    return " AND ".join(texts[name].format(value) for name, value in condition.items()) or None
