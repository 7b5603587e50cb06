"""What is in a database: as a model says it must be, or as cellvec itself reports it."""

import csv
import io
import json
import os
import subprocess

HEADER = 128  # bytes in front of the numbers of the .npy files that cellvec writes


class Lost(Exception):
    """What a run has found to be wrong."""

    def __init__(self, problem):
        super().__init__(problem if len(problem) < 2000 else problem[:2000] + " ...")


class State:
    """Cells with their values and vectors, fields, spaces and heads, as of one commit.

    Values and images are shared between states: a step puts others in their place and changes none.
    """

    def __init__(self):
        self.fields = {}  # type by name
        self.values = {}  # row -> {field: text, or number of a number field}; absent where a cell has no value
        self.images = {}  # row -> name of the cell's image
        self.vectors = {}  # space -> {row: bytes of float32}
        self.heads = {}  # head -> space
        # What cannot be seen, but decides what a step does.
        self.identities = {}  # row -> (image, object)
        self.outcomes = set()  # (image, space): the image is done there
        self.next_row = 0

    def copy(self):
        other = State()
        for name, value in vars(self).items():
            setattr(other, name, value if isinstance(value, int) else value.copy())
        other.vectors = {space: rows.copy() for space, rows in self.vectors.items()}
        return other

    def rows(self):
        """The row of each cell by its identity."""
        return {identity: row for row, identity in self.identities.items()}

    def add_cell(self, identity, image_name, values):
        row, self.next_row = self.next_row, self.next_row + 1
        self.identities[row], self.images[row], self.values[row] = identity, image_name, values
        return row

    def difference(self, found):
        """How what was found in a database differs from this; None when it does not."""
        if found.fields != self.fields:
            return f"fields {found.fields} are not {self.fields}"
        if found.images != self.images:
            return f"{len(found.images)} cells are not the {len(self.images)} that there must be, or of other images"
        for row, values in self.values.items():
            if found.values[row] != values:
                return f"cell {row} has {found.values[row]} and not {values}"
        if found.vectors.keys() != self.vectors.keys():
            return f"spaces {sorted(found.vectors)} are not {sorted(self.vectors)}"
        for space, rows in self.vectors.items():
            if found.vectors[space] != rows:
                return f"space {space} has {len(found.vectors[space])} vectors and not {len(rows)}, or others"
        if found.heads != self.heads:
            return f"heads {found.heads} are not {self.heads}"
        return None

    @classmethod
    def read(cls, cellvec, database):
        """What cellvec reports of a database."""

        def output(*arguments):
            command = [cellvec, *arguments, "--db", database]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        state = cls()
        statistics = json.loads(output("stats", "--json"))
        state.fields = {field["name"]: field["type"] for field in statistics["fields"]}
        state.heads = {head["name"]: head["space"] for head in statistics["heads"]}
        numbers = {name for name, kind in state.fields.items() if kind == "number"}
        lines = csv.reader(io.StringIO(output("list", "--fields", "all", "--csv")))
        names = next(lines)[2:]
        for row, image, *texts in lines:
            state.images[int(row)] = image
            state.values[int(row)] = {
                name: float(text) if name in numbers else text for name, text in zip(names, texts) if text}
        for space in statistics["spaces"]:
            rows, length = {}, 4 * space["dimension"]
            output("export", "--space", space["name"], "--vectors", "stored.npy", "--metadata", "stored.csv", "--quiet")
            with open("stored.npy", "rb") as vectors, open("stored.csv", newline="") as table:
                vectors.seek(HEADER)
                lines = csv.reader(table)
                next(lines)
                for line in lines:
                    rows[int(line[0])] = vectors.read(length)
            state.vectors[space["name"]] = rows
            os.remove("stored.npy")
            os.remove("stored.csv")
        return state
