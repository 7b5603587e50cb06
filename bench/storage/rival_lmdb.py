"""LMDB from Python as one would begin: a key for each vector, another for its fields, and keys from texts to rows.

What LMDB does not have is Python here: distances are NumPy's, and numbers are compared row by row.
"""

import struct

import lmdb
import numpy as np

TEXTS = ("gene", "line")


class Store:
    BATCH = 10_000

    def __init__(self, folder):
        self.folder = folder
        self.open()

    def open(self):
        self.environment = lmdb.open(str(self.folder), map_size=16 << 30, max_dbs=3)
        self.vectors = self.environment.open_db(b"vectors")
        self.doses = self.environment.open_db(b"doses")
        self.rows = self.environment.open_db(b"rows", dupsort=True, dupfixed=True)

    def insert(self, first, vectors, fields):
        with self.environment.begin(write=True) as transaction:
            for number, vector in enumerate(vectors):
                row = struct.pack(">I", first + number)
                transaction.put(row, vector.data, db=self.vectors, append=True)
                texts = b"\0".join(fields[name][number].encode() for name in TEXTS)
                transaction.put(row, struct.pack("<d", fields["dose"][number]) + texts, db=self.doses, append=True)
                for name in TEXTS:
                    transaction.put(f"{name}={fields[name][number]}".encode(), row, db=self.rows)

    def index(self):
        pass

    def search(self, vector, k, condition):
        with self.environment.begin(buffers=True) as transaction:
            if condition:
                rows = self.matching(transaction, condition)
                blobs = (transaction.get(row, db=self.vectors) for row in rows)
            else:
                rows, blobs = zip(*((bytes(key), value) for key, value in transaction.cursor(self.vectors)))
            similarities = np.array([np.frombuffer(blob, np.float32) @ vector for blob in blobs])
            return [struct.unpack(">I", rows[place])[0] for place in np.argsort(-similarities)[:k]]

    def count(self, condition):
        with self.environment.begin(buffers=True) as transaction:
            if not condition:
                return transaction.stat(self.vectors)["entries"]
            return len(self.matching(transaction, condition))

    def matching(self, transaction, condition):
        """Keys of rows; the first text leads to them by its index, and numbers are looked up for what is left."""
        texts = [name for name in TEXTS if name in condition]
        if texts:
            cursor = transaction.cursor(self.rows)
            if not cursor.set_key(f"{texts[0]}={condition[texts[0]]}".encode()):
                return []
            found = [bytes(row) for row in cursor.iternext_dup()]
        else:
            found = [bytes(row) for row in transaction.cursor(self.doses).iternext(values=False)]
        if "dose_below" in condition:
            found = [row for row in found if
                     struct.unpack_from("<d", transaction.get(row, db=self.doses))[0] < condition["dose_below"]]
        if "row_below" in condition:
            found = [row for row in found if struct.unpack(">I", row)[0] < condition["row_below"]]
        return found

    def delete(self, condition):
        with self.environment.begin(write=True) as transaction:
            for row in self.matching(transaction, condition):
                transaction.delete(row, db=self.vectors)
                texts = transaction.pop(row, db=self.doses)[8:].split(b"\0")
                for name, text in zip(TEXTS, texts):
                    transaction.delete(name.encode() + b"=" + text, row, db=self.rows)

    def reclaim(self):
        copy = self.folder / "copy"
        copy.mkdir()
        self.environment.copy(str(copy), compact=True)
        self.environment.close()
        (copy / "data.mdb").replace(self.folder / "data.mdb")
        copy.rmdir()
        self.open()

    def close(self):
        self.environment.close()
