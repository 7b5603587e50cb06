"""Qdrant's client in its local mode: vectors in memory, points in SQLite; search is exact. It offers no vacuum."""

from data import DIMENSION
from qdrant_client import QdrantClient, models


class Store:
    BATCH = 1_000
    reclaim = None

    def __init__(self, folder):
        self.client = QdrantClient(path=str(folder))
        if not self.client.collection_exists("cells"):
            vectors = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
            self.client.create_collection("cells", vectors_config=vectors)

    def insert(self, first, vectors, fields):
        payloads = [dict(zip(fields, values)) for values in zip(*fields.values())]
        rows = list(range(first, first + len(vectors)))
        self.client.upsert("cells", models.Batch(ids=rows, vectors=vectors.tolist(), payloads=payloads))

    def index(self):
        pass

    def search(self, vector, k, condition):
        found = self.client.query_points(
            "cells", query=vector, limit=k, query_filter=filter_of(condition), with_payload=False)
        return [point.id for point in found.points]

    def count(self, condition):
        return self.client.count("cells", count_filter=filter_of(condition)).count

    def delete(self, condition):
        if "row_below" in condition:
            self.client.delete("cells", models.PointIdsList(points=list(range(condition["row_below"]))))
        else:
            self.client.delete("cells", models.FilterSelector(filter=filter_of(condition)))

    def close(self):
        self.client.close()


def filter_of(condition):
    tests = [models.FieldCondition(key="dose", range=models.Range(lt=value)) if name == "dose_below" else
             models.FieldCondition(key=name, match=models.MatchValue(value=value)) for name, value in condition.items()]
    return models.Filter(must=tests) if tests else None
