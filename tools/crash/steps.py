"""What the crash tests do to a database, command by command, and what each command must leave in it.

A step knows its command line and the states that a database may be in while it runs: those of its transactions, one
after another. Ended at any moment, it leaves one of them, and given again it goes on to the last.
"""

import csv
import os
import shutil
import subprocess

from pages import DataFile
from state import State

# Cells that one transaction takes up, as the program has them.
ROWS_PER_COMMIT = 20_000
PREDICTED_PER_COMMIT = 4096
MERGED_PER_COMMIT = 5_000


class Step:
    """A command that writes; the default is one that changes nothing."""

    verb = ""
    # Whether the same command may be given when it has done its work already.
    is_repeatable = True
    # Whether others may read meanwhile, and whether they may be told that the file was replaced.
    bears_readers = True
    replaces_file = False

    def arguments(self):
        raise NotImplementedError

    def begin(self, workload, before, database):
        """Prepares files, or the database, once before the first attempt."""

    def prepare(self):
        """Prepares each attempt."""

    def states(self, before):
        """Every state that a transaction of the step leaves, from `before` on."""
        return [before]

    def is_inside(self, database, process):
        """Whether the process has come as far as to have the database open, and not ended by itself."""
        try:
            with open(f"{database}/writer.lock") as file:
                return file.read() == f"process {process}"
        except FileNotFoundError:
            return False

    def fault(self, workload, database, states):
        """What is wrong with a database in which the step was ended, or has ended; None when nothing is."""
        return workload.fault(database, states)


def parts(rows, size):
    return [rows[start:start + size] for start in range(0, len(rows), size)]


class Import(Step):
    """An array with a table; again, it brings back what was deleted together with its image."""

    verb = "import"

    def __init__(self, source, space):
        self.source, self.space = source, space

    def arguments(self):
        return ["import", self.source.array, "--metadata", self.source.table, "--type", "localization=list", "--space",
                self.space]

    def states(self, before):
        states, state = [before], before.copy()
        vectors = state.vectors.setdefault(self.space, {})
        states.append(state)
        rows, image = state.rows(), self.source.number
        is_done = (image, self.space) in state.outcomes
        for positions in parts(range(self.source.count), ROWS_PER_COMMIT):
            state = state.copy()
            vectors = state.vectors[self.space]
            state.fields.update(self.source.fields)
            for position in positions:
                row = rows.get((image, position))
                if row is not None:
                    state.values[row] = state.values[row] | self.source.values[position]
                elif not is_done:
                    row = state.add_cell((image, position), self.source.array, self.source.values[position])
                if row is not None and row not in vectors:
                    vectors[row] = self.source.vectors[position]
            states.append(state)
        state.outcomes.add((image, self.space))
        return states


class Ingest(Step):
    """A folder of images; each of its transactions takes up whole images."""

    verb = "ingest"

    def __init__(self, folder):
        self.folder = folder

    def arguments(self):
        return self.folder.arguments()

    def states(self, before):
        states, state = [before], before.copy()
        state.vectors.setdefault("cells", {})
        states.append(state)
        rows = state.rows()
        for image, vectors in self.folder.images.items():
            if (image, "cells") in state.outcomes:
                continue
            state = state.copy()
            state.fields["image"] = "string"
            for number, vector in enumerate(vectors):
                row = rows.get((image, number))
                if row is None:
                    row = state.add_cell((image, number), image, {})
                state.vectors["cells"].setdefault(row, vector)
            state.outcomes.add((image, "cells"))
            states.append(state)
        return states


class Train(Step):
    verb = "train"

    def __init__(self, head, space):
        self.head, self.space = head, space

    def arguments(self):
        return ["train", "--space", self.space, "--labels", "localization", "--group", "gene", "--folds", "2",
                "--epochs", "2", "--save", self.head, "--quiet"]

    def states(self, before):
        state = before.copy()
        state.heads[self.head] = self.space
        return [before, state]


class Index(Step):
    """Builds an index of a space, takes new vectors up into it, or drops it: searches find the same cells."""

    def __init__(self, action, space, kind="compact"):
        self.verb = f"index {action}"
        self.space, self.kind = space, kind

    def arguments(self):
        return [*self.verb.split(), "--space", self.space, "--kind", self.kind, "--quiet"]


class Predict(Step):
    """What the head says of each cell is what it says where nobody disturbs it."""

    verb = "predict"

    def __init__(self, head):
        self.head = head

    def arguments(self):
        return ["predict", "--head", self.head, "--quiet"]

    def begin(self, workload, before, database):
        self.undisturbed = workload.undisturbed(self, database)

    def states(self, before):
        states, state = [before], before
        predicted = {name for name in self.undisturbed.fields if name.startswith(("predicted_", "probability_"))}
        for rows in parts(sorted(before.vectors[before.heads[self.head]]), PREDICTED_PER_COMMIT):
            state = state.copy()
            state.fields.update({name: self.undisturbed.fields[name] for name in predicted})
            for row in rows:
                own = {name: value for name, value in state.values[row].items() if name not in predicted}
                found = self.undisturbed.values[row]
                state.values[row] = own | {name: found[name] for name in predicted & found.keys()}
            states.append(state)
        return states


class Update(Step):
    """Values for the cells of a condition, or cleared there."""

    verb = "update --set"

    def __init__(self, where, matches, values=None, cleared=()):
        self.where, self.matches = where, matches
        self.values, self.cleared = values or {}, list(cleared)

    def arguments(self):
        options = ["--set", *(f"{name}={value}" for name, value in self.values.items())] if self.values else []
        options += ["--clear", *self.cleared] if self.cleared else []
        return ["update", "--where", self.where, *options, "--quiet"]

    def states(self, before):
        states, state = [before], before
        chosen = [row for row in sorted(before.values) if self.matches(before.values[row])]
        for rows in parts(chosen, ROWS_PER_COMMIT):
            state = state.copy()
            for name, value in self.values.items():
                state.fields[name] = "string" if isinstance(value, str) else "number"
            for row in rows:
                kept = {name: value for name, value in state.values[row].items() if name not in self.cleared}
                state.values[row] = kept | self.values
            states.append(state)
        return states


class UpdateByTable(Step):
    """A table of values by number of cell; where it has none, those that are there go."""

    verb = "update --metadata"

    def begin(self, workload, before, database):
        self.values = {}
        for row in sorted(before.values):
            if workload.random.random() < 0.7:
                self.values[row] = {"note": f"n{row % 7}" if row % 5 else None, "mark": row / 8 if row % 3 else None}
        with open("update.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["cell", "note", "mark"])
            for row, values in self.values.items():
                table.writerow([row, values["note"], values["mark"]])

    def arguments(self):
        return ["update", "--metadata", "update.csv", "--clear-empty", "--type", "note=string", "mark=number",
                "--quiet"]

    def states(self, before):
        states, state = [before], before
        for rows in parts(list(self.values), ROWS_PER_COMMIT):
            state = state.copy()
            state.fields.update({"note": "string", "mark": "number"})
            for row in rows:
                values = state.values[row] | self.values[row]
                state.values[row] = {name: value for name, value in values.items() if value is not None}
            states.append(state)
        return states


class Delete(Step):
    """Cells of a condition; with their images, ingest and import bring them back."""

    verb = "delete"

    def __init__(self, where, matches, forgets_images=False):
        self.where, self.matches, self.forgets_images = where, matches, forgets_images

    def arguments(self):
        chosen = ["--where", self.where] if self.where else ["--unembedded"]
        return ["delete", *chosen, *(["--images"] if self.forgets_images else []), "--yes", "--quiet"]

    def states(self, before):
        states, state = [before], before
        embedded = {row for rows in before.vectors.values() for row in rows}
        chosen = [row for row, values in sorted(before.values.items())
                  if (self.matches(values, before.images[row]) if self.where else row not in embedded)]
        for rows in parts(chosen, ROWS_PER_COMMIT):
            state = state.copy()
            images = {state.identities[row][0] for row in rows}
            for row in rows:
                for table in [state.values, state.images, state.identities, *state.vectors.values()]:
                    table.pop(row, None)
            if self.forgets_images:
                state.outcomes = {(image, space) for image, space in state.outcomes if image not in images}
            states.append(state)
        return states


class RenameField(Step):
    verb = "fields rename"
    is_repeatable = False

    def __init__(self, name, new):
        self.name, self.new = name, new

    def arguments(self):
        return ["fields", "rename", self.name, self.new, "--quiet"]

    def states(self, before):
        def renamed(table):
            return {self.new if name == self.name else name: value for name, value in table.items()}

        state = before.copy()
        state.fields = renamed(state.fields)
        state.values = {row: renamed(values) for row, values in state.values.items()}
        return [before, state]


class DropField(Step):
    """Its values go first, part by part, and then the field."""

    verb = "fields drop"
    is_repeatable = False

    def __init__(self, name):
        self.name = name

    def arguments(self):
        return ["fields", "drop", self.name, "--yes", "--quiet"]

    def states(self, before):
        states, state = [before], before
        for rows in parts([row for row in sorted(before.values) if self.name in before.values[row]], ROWS_PER_COMMIT):
            state = state.copy()
            for row in rows:
                values = state.values[row]
                state.values[row] = {name: value for name, value in values.items() if name != self.name}
            states.append(state)
        state = state.copy()
        del state.fields[self.name]
        return states + [state]


class RenameSpace(Step):
    verb = "spaces rename"
    is_repeatable = False

    def __init__(self, name, new):
        self.name, self.new = name, new

    def arguments(self):
        return ["spaces", "rename", self.name, self.new, "--quiet"]

    def states(self, before):
        def renamed(space):
            return self.new if space == self.name else space

        state = before.copy()
        state.vectors[self.new] = state.vectors.pop(self.name)
        state.heads = {head: renamed(space) for head, space in state.heads.items()}
        state.outcomes = {(image, renamed(space)) for image, space in state.outcomes}
        return [before, state]


class DropSpace(Step):
    verb = "spaces drop"
    is_repeatable = False

    def __init__(self, name):
        self.name = name

    def arguments(self):
        return ["spaces", "drop", self.name, "--yes", "--quiet"]

    def states(self, before):
        state = before.copy()
        del state.vectors[self.name]
        state.heads = {head: space for head, space in state.heads.items() if space != self.name}
        state.outcomes = {(image, space) for image, space in state.outcomes if space != self.name}
        return [before, state]


class Merge(Step):
    """Another database; where both have a value, the one that is there stays."""

    verb = "merge"

    def __init__(self, database, source):
        self.database, self.source = database, source

    def arguments(self):
        return ["merge", self.database, "--quiet"]

    def pieces(self):
        """Rows of the source by transaction: of images in their order, so many together."""
        images = {}
        for row in sorted(self.source.identities):
            images.setdefault(self.source.identities[row][0], []).append(row)
        pending = []
        for rows in images.values():
            for part in parts(rows, MERGED_PER_COMMIT):
                pending += part
                if len(pending) >= MERGED_PER_COMMIT:
                    yield pending
                    pending = []
        yield pending

    def states(self, before):
        source, states, state = self.source, [before], before.copy()
        state.fields = source.fields | state.fields
        for space in source.vectors:
            state.vectors.setdefault(space, {})
        states.append(state)
        known = state.rows()
        for piece in self.pieces():
            state = state.copy()
            for row in piece:
                target = known.get(source.identities[row])
                if target is None:
                    target = state.add_cell(source.identities[row], source.images[row], source.values[row])
                else:
                    state.values[target] = source.values[row] | state.values[target]
                for space, vectors in source.vectors.items():
                    if row in vectors:
                        state.vectors[space].setdefault(target, vectors[row])
            states.append(state)
        state.heads = source.heads | state.heads
        state.outcomes |= source.outcomes
        return states


class Compact(Step):
    verb = "compact"
    replaces_file = True

    def arguments(self):
        return ["compact"]


class Backup(Step):
    """A copy that is there and whole, or not there."""

    verb = "backup"
    destination = "db-copy"

    def arguments(self):
        return ["backup", self.destination]

    def prepare(self):
        for name in self._copies():
            shutil.rmtree(name)

    def is_inside(self, database, process):
        """It needs no lock: a copy under another name is what it begins with."""
        return any(name != self.destination for name in self._copies())

    def _copies(self):
        return [name for name in os.listdir() if name.startswith(self.destination)]

    def fault(self, workload, database, states):
        if os.path.exists(self.destination):
            if problem := workload.fault(self.destination, states):
                return f"the copy: {problem}"
        return workload.fault(database, states)


class Repair(Step):
    """A database of which records or pages that follow from others, or one of the first two pages, are damaged."""

    verb = "check --repair"
    bears_readers = False

    def __init__(self, *damages):
        self.damages = damages

    def arguments(self):
        return ["check", "--repair", "--quiet"]

    def begin(self, workload, before, database):
        file = DataFile(f"{database}/data.mdb")
        for damage, *where in self.damages:
            getattr(file, f"damage_{damage}")(*where)
        file.save()

    def fault(self, workload, database, states):
        """Ended early, it leaves a database that can be repaired, as a copy of it shows."""
        if workload.check(database).returncode == 0:
            return workload.fault(database, states)
        shutil.rmtree("patient", ignore_errors=True)
        shutil.copytree(database, "patient")
        repair = subprocess.run(workload.command(self, "patient"), capture_output=True, text=True)
        if repair.returncode != 0:
            return f"it cannot be repaired any more: {repair.stdout}{repair.stderr}"
        return workload.fault("patient", states)
