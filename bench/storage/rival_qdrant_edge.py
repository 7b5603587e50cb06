"""Qdrant Edge: one shard, flushed after each insert; indexes of fields, none of vectors, so that search is exact."""

import qdrant_edge as edge
from data import DIMENSION


class Store:
    BATCH = 1_000
    # In KB: larger than any segment here, so that no graph is built.
    INDEXING_THRESHOLD = 1 << 30

    def __init__(self, folder):
        if folder.exists():
            self.shard = edge.EdgeShard.load(str(folder))
            return
        folder.mkdir()
        self.shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(size=DIMENSION, distance=edge.Distance.Cosine),
            optimizers=edge.EdgeOptimizersConfig(indexing_threshold=self.INDEXING_THRESHOLD)))
        kinds = edge.PayloadSchemaType
        for field, kind in [("gene", kinds.Keyword), ("line", kinds.Keyword), ("dose", kinds.Float)]:
            self.shard.update(edge.UpdateOperation.create_field_index(field, kind))

    def insert(self, first, vectors, fields):
        points = [edge.Point(first + number, vector.tolist(), dict(zip(fields, values)))
                  for number, (vector, values) in enumerate(zip(vectors, zip(*fields.values())))]
        self.shard.update(edge.UpdateOperation.upsert_points(points))
        self.shard.flush()

    def index(self):
        self.shard.optimize()
        self.shard.flush()

    def search(self, vector, k, condition):
        found = self.shard.search(edge.SearchRequest(
            query=edge.Query.Nearest(vector.tolist()), limit=k, filter=filter_of(condition),
            params=edge.SearchParams(exact=True)))
        return [point.id for point in found]

    def count(self, condition):
        return self.shard.count(edge.CountRequest(exact=True, filter=filter_of(condition)))

    def delete(self, condition):
        if "row_below" in condition:
            operation = edge.UpdateOperation.delete_points(list(range(condition["row_below"])))
        else:
            operation = edge.UpdateOperation.delete_points_by_filter(filter_of(condition))
        self.shard.update(operation)
        self.shard.flush()

    def reclaim(self):
        self.index()

    def close(self):
        self.shard.close()


def filter_of(condition):
    tests = [edge.FieldCondition(key="dose", range=edge.RangeFloat(lt=value)) if name == "dose_below" else
             edge.FieldCondition(key=name, match=edge.MatchValue(value)) for name, value in condition.items()]
    return edge.Filter(must=tests) if tests else None
