"""LanceDB: a version of the table for each insert; no index of vectors, so that search is exact."""

import datetime

import lancedb
import pyarrow as pa
from data import DIMENSION

SCHEMA = pa.schema([
    ("row", pa.int64()), ("gene", pa.string()), ("line", pa.string()), ("dose", pa.float64()),
    ("vector", pa.list_(pa.float32(), DIMENSION))])


class Store:
    BATCH = 50_000

    def __init__(self, folder):
        self.database = lancedb.connect(folder)
        self.table = self.database.create_table("cells", schema=SCHEMA, exist_ok=True)

    def insert(self, first, vectors, fields):
        arrays = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
        columns = {"row": range(first, first + len(vectors)), **fields, "vector": arrays}
        self.table.add(pa.table(columns, schema=SCHEMA))

    def index(self):
        for field, kind in [("gene", "BTREE"), ("line", "BITMAP"), ("dose", "BTREE"), ("row", "BTREE")]:
            self.table.create_scalar_index(field, index_type=kind)

    def search(self, vector, k, condition):
        query = self.table.search(vector).distance_type("cosine").select(["row"]).limit(k)
        if condition:
            query = query.where(sql(condition), prefilter=True)
        return query.to_arrow()["row"].to_pylist()

    def count(self, condition):
        return self.table.count_rows(sql(condition) if condition else None)

    def delete(self, condition):
        self.table.delete(sql(condition))

    def reclaim(self):
        self.table.optimize(cleanup_older_than=datetime.timedelta(0), delete_unverified=True)

    def close(self):
        pass


def sql(condition):
    texts = {"gene": "gene = '{}'", "line": "line = '{}'", "dose_below": "dose < {}", "row_below": "row < {}"}
    return " AND ".join(texts[name].format(value) for name, value in condition.items())
