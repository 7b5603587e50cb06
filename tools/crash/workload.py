"""The list of commands that the crash tests kill or let fail, over every verb that writes to a database.

The model of what must be in the database is kept here, in Python, out of the bytes that were written to the inputs.
Only what cellvec computes, vectors of images and predictions, is taken from runs that nobody disturbed.
"""

import array
import csv
import os
import pathlib
import random
import shutil
import subprocess
import sys

import steps
from state import State

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import npy


class Array:
    """Vectors and a table in the current folder, to be imported.

    Whole vectors have whole numbers, of which int8 keeps each.
    """

    fields = {"gene": "string", "localization": "list", "dose": "number"}

    def __init__(self, number, count, dimension, generator, is_whole=False):
        self.number, self.count = number, count
        self.array, self.table = f"vectors{number}.npy", f"cells{number}.csv"
        numbers = array.array("f", (generator.randrange(-127, 128) if is_whole else generator.gauss(0, 1)
                                    for _ in range(count * dimension)))
        for start in range(0, len(numbers) if is_whole else 0, dimension):
            numbers[start] = 127  # the largest: one step of the vector is 1
        npy.save(self.array, (count, dimension), numbers)
        content = numbers.tobytes()
        self.vectors = [content[start:start + 4 * dimension] for start in range(0, len(content), 4 * dimension)]
        self.values = [
            {"gene": f"G{number}-{row % 23}", "localization": ["er;golgi", "nucleus", "golgi"][row % 3],
             "dose": row / 4}
            for row in range(count)]
        self._write_table()

    def with_other_values(self):
        """The same vectors with a table that contradicts the first one and has a column more."""
        other = object.__new__(Array)
        vars(other).update(vars(self))
        other.table = f"other-{self.table}"
        other.fields = self.fields | {"batch": "string"}
        other.values = [values | {"dose": values["dose"] + row % 2, "batch": f"b{row % 5}"}
                        for row, values in enumerate(self.values)]
        other._write_table()
        return other

    def _write_table(self):
        with open(self.table, "w", newline="") as file:
            table = csv.DictWriter(file, list(self.fields))
            table.writeheader()
            table.writerows(self.values)


class Folder:
    """Images and a model in the current folder, and the vectors of an ingest that nobody disturbed."""

    def __init__(self, cellvec):
        def run(*arguments):
            subprocess.run([cellvec, *arguments], check=True, capture_output=True)

        run("simulate", "fields", "--fields", "5", "--cells-per-field", "5", "--size", "96", "--seed", "5", "--quiet")
        run("models", "seed", "tiny.safetensors", "--width", "32", "--depth", "1", "--patch", "8", "--inputs",
            "nucleus,protein", "--image-size", "32", "--seed", "7")
        run(*self.arguments(), "--db", "undisturbed")
        state = State.read(cellvec, "undisturbed")
        self.images = {}
        for row in sorted(state.images):
            self.images.setdefault(state.images[row], []).append(state.vectors["cells"][row])

    def arguments(self):
        return ["ingest", "fields", "--backbone", "tiny.safetensors", "--channels", "nucleus=*_nucleus.png",
                "protein=*_protein.png", "--cells", "masks=*_mask.png", "--crop", "32", "--space", "cells",
                "--commit-every", "4", "--precision", "float32", "--quiet"]


class Workload:
    """Steps over every verb that writes, for a new database in the current folder.

    A large one has more cells than one transaction takes up, and than one deletes.
    """

    _folder = None

    def __init__(self, cellvec, seed, is_large=False):
        self.cellvec, self.is_large = cellvec, is_large
        self.name = f"seed {seed}{', large' if is_large else ''}"
        self.random = random.Random(seed)
        Workload._folder = Workload._folder or Folder(cellvec)
        # Of a large one, the first import has a commit of which the disk is to begin with before all is handed over.
        dimension = 24 if is_large else 48
        first = Array(0, 45_000 if is_large else self.random.randrange(1_300, 1_900), dimension, self.random)
        second = Array(1, self.random.randrange(20, 500), dimension, self.random, is_whole=True)
        # With the first, more cells without a space in the end than a chunk of row sets has.
        third = Array(2, 21_000 if is_large else self.random.randrange(20, 500), dimension, self.random)
        other = self._make([steps.Import(first.with_other_values(), "s"), steps.Import(third, "s"),
                            steps.Train("other", "s")], "other")
        stream = [Array(number, self.random.randrange(20, 120), dimension, self.random) for number in range(3, 9)]
        image = next(iter(self._folder.images))
        self.steps = [
            steps.Import(first, "s"),
            steps.Train("h", "s"),
            steps.Index("build", "s"),
            steps.Index("build", "s", "int8"),
            steps.Index("build", "s", "graph"),
            steps.Ingest(self._folder),
            steps.Predict("h"),
            steps.Update("dose > 10", lambda values: values.get("dose", 0) > 10, {"grade": 3.0, "remark": "seen"}),
            steps.UpdateByTable(),
            steps.Backup(),
            steps.Merge("other", other),
            steps.Repair(("records", "numbers"), ("records", "sets"), ("records", "text_ids")),
            steps.Delete("gene LIKE 'G0-1%'", lambda values, _: values.get("gene", "").startswith("G0-1")),
            steps.Delete(f"image = '{image}' OR gene = 'G0-2'",
                         lambda values, name: name == image or values.get("gene") == "G0-2", forgets_images=True),
            steps.Import(first, "s", commits=3),
            steps.Index("build", "s"),
            steps.Index("build", "s", "int8"),
            steps.Index("build", "s", "graph"),
            steps.Ingest(self._folder),
            steps.RenameField("grade", "stage"),
            steps.DropField("dose"),
            steps.Repair(("page", "sets"), ("page", "numbers")),
            steps.Compact(),
            steps.Renumber(),
            steps.Import(second, "t", "int8", commits=5),
            steps.ImportStream(stream, "live", 50),
            steps.RenameSpace("t", "u"),
            steps.Update("remark IS NOT NULL", lambda values: "remark" in values, cleared=["remark"]),
            steps.Repair(("older_page", "zeros")),
            steps.Predict("h"),
            steps.Repair(("older_page", "noise")),
            steps.DropHead("other"),
            steps.Index("drop", "s", "graph"),
            steps.Index("drop", "s"),
            steps.Index("drop", "s", "int8"),
            steps.DropSpace("s"),
            steps.Delete("", None),
            steps.Compact(),
        ]

    def _make(self, own_steps, database):
        """A database that nobody disturbs, and its state."""
        shutil.rmtree(database, ignore_errors=True)
        state = State()
        for step in own_steps:
            subprocess.run(self.command(step, database), check=True, capture_output=True)
            state = step.states(state)[-1]
        if problem := self.fault(database, [state]):
            raise AssertionError(f"{database}: {problem}")
        return state

    def undisturbed(self, step, database):
        """The state that a step leaves where nobody disturbs it."""
        shutil.rmtree("reference", ignore_errors=True)
        shutil.copytree(database, "reference")
        subprocess.run(self.command(step, "reference"), check=True, capture_output=True)
        return State.read(self.cellvec, "reference")

    def command(self, step, database):
        return [self.cellvec, *step.arguments(), "--db", database]

    def check(self, database):
        return subprocess.run([self.cellvec, "check", "--db", database], capture_output=True, text=True)

    def fault(self, database, states):
        """What is wrong with a database that must be sound and in one of the states; None when nothing is."""
        status = self.check(database)
        if status.returncode == 66 and not states[0].images:
            return None  # ended before its first commit made it a database
        if status.returncode != 0:
            return f"check ends with status {status.returncode}: {status.stdout}{status.stderr}"
        found = State.read(self.cellvec, database)
        problems = []
        for state in states:
            problem = state.difference(found)
            if problem is None:
                return None
            problems.append(problem)
        return "; ".join(dict.fromkeys([problems[0], problems[-1]]))
