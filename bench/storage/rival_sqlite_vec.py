"""sqlite-vec: one virtual table with metadata columns; a write-ahead log that each commit syncs."""

import pysqlite3
import sqlite_vec
from data import DIMENSION


class Store:
    BATCH = 10_000

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.database = pysqlite3.connect(folder / "cells.db")
        self.database.enable_load_extension(True)
        sqlite_vec.load(self.database)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS cells USING vec0(id INTEGER PRIMARY KEY, gene TEXT, line TEXT, "
            f"dose FLOAT, vector FLOAT[{DIMENSION}] distance_metric=cosine)")

    def insert(self, first, vectors, fields):
        rows = zip(range(first, first + len(vectors)), fields["gene"], fields["line"], fields["dose"], vectors)
        with self.database:
            self.database.executemany("INSERT INTO cells VALUES (?, ?, ?, ?, ?)", (
                (row, gene, line, dose, vector.tobytes()) for row, gene, line, dose, vector in rows))

    def index(self):
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def search(self, vector, k, condition):
        text, values = sql(condition)
        found = self.database.execute(
            f"SELECT id FROM cells WHERE vector MATCH ? AND k = ?{text}", [vector.tobytes(), k, *values])
        return [row for row, in found]

    def count(self, condition):
        text, values = sql(condition)
        return self.database.execute(f"SELECT count(*) FROM cells WHERE true{text}", values).fetchone()[0]

    def delete(self, condition):
        text, values = sql(condition)
        with self.database:
            self.database.execute(
                f"DELETE FROM cells WHERE id IN (SELECT id FROM cells WHERE true{text})", values)

    def reclaim(self):
        self.database.execute("VACUUM")
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self):
        self.database.close()


def sql(condition):
    texts = {"gene": "gene = ?", "line": "line = ?", "dose_below": "dose < ?", "row_below": "id < ?"}
    return "".join(f" AND {texts[name]}" for name in condition), list(condition.values())
