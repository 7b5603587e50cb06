"""Chroma: a persistent client with its defaults, cosine; its index is an HNSW graph, so that search is approximate."""

import pathlib
import subprocess
import sys

import chromadb


class Store:
    BATCH = 5_000

    def __init__(self, folder):
        self.folder = folder
        self.client = chromadb.PersistentClient(str(folder), chromadb.Settings(anonymized_telemetry=False))
        self.cells = self.client.get_or_create_collection(
            "cells", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)

    def insert(self, first, vectors, fields):
        metadata = [{"gene": gene, "line": line, "dose": dose}
                    for gene, line, dose in zip(fields["gene"], fields["line"], fields["dose"])]
        self.cells.add([str(first + number) for number in range(len(vectors))], embeddings=vectors, metadatas=metadata)

    def index(self):
        pass

    def search(self, vector, k, condition):
        found = self.cells.query(query_embeddings=vector[None], n_results=k, where=where(condition), include=[])
        return [int(name) for name in found["ids"][0]]

    def count(self, condition):
        if not condition:
            return self.cells.count()
        return len(self.cells.get(where=where(condition), include=[])["ids"])

    def delete(self, condition):
        """In parts: a call takes no more identifiers than its SQLite has variables."""
        if "row_below" in condition:
            names = [str(row) for row in range(condition["row_below"])]
        else:
            names = self.cells.get(where=where(condition), include=[])["ids"]
        for start in range(0, len(names), self.BATCH):
            self.cells.delete(ids=names[start:start + self.BATCH])

    def reclaim(self):
        chroma = pathlib.Path(sys.executable).parent / "chroma"
        subprocess.run([chroma, "vacuum", "--path", self.folder, "--force"], check=True, stdout=sys.stderr)

    def close(self):
        pass


def where(condition):
    tests = {"gene": "$eq", "line": "$eq", "dose_below": "$lt"}
    parts = [{name.removesuffix("_below"): {tests[name]: value}} for name, value in condition.items()]
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else None
