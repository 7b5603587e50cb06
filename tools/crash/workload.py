"""What the crash tests do to a database, and what must then be in it.

A workload is a list of commands, each of which can be killed or fail at any moment and be given again. After each, what
is in the database lies between the state before the command and the state after it, and nothing else.
"""

import array
import csv
import json
import os
import pathlib
import random
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import npy

DIMENSION = 48


class Workload:
    """Imports of random vectors, images ingested, and heads trained and used, in the folder that is current."""

    _ingested = None

    def __init__(self, cellvec, seed, imports=4):
        self.cellvec = cellvec
        self.random = random.Random(seed)
        self.arrays = []
        self.steps = []
        for number in range(imports):
            self.arrays.append(self._write_import(number))
            self.steps.append(("import", number))
            self.steps += [("train", number), ("ingest", 0)] if number == 0 else [("predict", number)]
        self._prepare_ingest()

    def _prepare_ingest(self):
        """Makes images and a model once, and notes the vectors that an undisturbed ingest gives."""
        if Workload._ingested is not None:
            return
        self._run("simulate", "fields", "--fields", "5", "--cells-per-field", "5", "--size", "96",
                  "--seed", "5", "--quiet")
        self._run("models", "seed", "tiny.safetensors", "--width", "32", "--depth", "1", "--patch", "8",
                  "--inputs", "nucleus,protein", "--image-size", "32", "--seed", "7")
        subprocess.run(self.command(("ingest", 0), "undisturbed"), check=True, capture_output=True)
        Workload._ingested = self._stored_vectors("undisturbed", "cells")

    def _write_import(self, number):
        count = self.random.randrange(20, 900)
        vectors = array.array("f", (self.random.gauss(0, 1) for _ in range(count * DIMENSION)))
        npy.save(f"vectors{number}.npy", (count, DIMENSION), vectors)
        with open(f"cells{number}.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["gene", "localization", "dose"])
            for row in range(count):
                table.writerow([f"G{number}-{row % 23}", ["er;golgi", "nucleus", "golgi"][row % 3], row / 4])
        return vectors.tobytes()

    def command(self, step, database):
        kind, number = step
        match kind:
            case "import":
                arguments = ["import", f"vectors{number}.npy", "--metadata", f"cells{number}.csv",
                             "--type", "localization=list", "--space", "s"]
            case "ingest":
                arguments = ["ingest", "fields", "--backbone", "tiny.safetensors", "--channels", "nucleus=*_nucleus.png",
                             "protein=*_protein.png", "--cells", "masks=*_mask.png", "--crop", "32", "--space", "cells",
                             "--commit-every", "4", "--precision", "float32", "--quiet"]
            case "train":
                arguments = ["train", "--space", "s", "--labels", "localization", "--group", "gene", "--folds", "2",
                             "--epochs", "2", "--save", "h", "--quiet"]
            case "predict":
                arguments = ["predict", "--head", "h", "--quiet"]
        return [self.cellvec, *arguments, "--db", database]

    def verify(self, done, current, database):
        """The difference between a database and what must be in it; None when there is none.

        done: how many steps have succeeded. current: the step that may have been begun after them, or None.
        """
        status = subprocess.run([self.cellvec, "check", "--db", database, "--quiet"], capture_output=True, text=True)
        if status.returncode == 66 and done == 0:
            return None  # ended before its first commit made it a database
        if status.returncode != 0:
            return f"check ends with status {status.returncode}: {status.stdout}{status.stderr}"
        ingested = self._stored_vectors(database, "cells")
        is_complete = ("ingest", 0) in self.steps[:done]
        if (ingested != self._ingested if is_complete else not self._ingested.startswith(ingested)):
            return f"{len(ingested)} bytes of ingested vectors are not the {len(self._ingested)} of an undisturbed run"
        stored = self._stored_vectors(database, "s")
        complete = b"".join(self.arrays[number] for kind, number in self.steps[:done] if kind == "import")
        begun = self.arrays[current[1]] if current and current[0] == "import" else b""
        if not stored.startswith(complete) or not (complete + begun).startswith(stored):
            return f"{len(stored)} bytes of vectors are not {len(complete)} and a part of {len(begun)}"
        heads = json.loads(self._run("stats", "--db", database, "--json"))["heads"]
        if ("train", 0) in self.steps[:done] and not heads:
            return "the head that was saved is gone"
        predicted = max((number for kind, number in self.steps[:done] if kind == "predict"), default=-1)
        expected = sum(len(self.arrays[number]) for number in range(predicted + 1)) // (4 * DIMENSION)
        if predicted >= 0:
            lines = self._run("list", "--db", database, "--where", "probability_localization_nucleus is not null",
                              "--fields", "gene", "--csv").splitlines()
            if len(lines) - 1 < expected:
                return f"{len(lines) - 1} cells have predictions, {expected} must have them"
        return None

    def _run(self, *arguments):
        return subprocess.run([self.cellvec, *arguments], check=True, capture_output=True, text=True).stdout

    def _stored_vectors(self, database, space):
        """The payload of a space's vectors in order of rows; empty when there is no such space."""
        result = subprocess.run([self.cellvec, "export", "--db", database, "--space", space, "--vectors", "stored.npy",
                                 "--quiet"], capture_output=True, text=True)
        if result.returncode != 0:
            return b""
        with open("stored.npy", "rb") as file:
            content = file.read()
        os.remove("stored.npy")
        return content[128:]
