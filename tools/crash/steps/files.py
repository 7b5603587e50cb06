"""Steps on whole databases: other ones, copies, and damaged ones."""

import os
import shutil
import subprocess

from pages import DataFile

from .step import Step, parts

# Cells of one transaction of a merge, as the program has them.
MERGED_PER_COMMIT = 5_000


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


class Renumber(Compact):
    """Cells get numbers without gaps, in the order that they have."""

    verb = "compact --renumber"

    def arguments(self):
        return ["compact", "--renumber", "--quiet"]

    def states(self, before):
        state = before.copy()
        numbers = {row: number for number, row in enumerate(sorted(before.values))}

        def renumbered(table):
            return {numbers[row]: value for row, value in table.items()}

        state.values, state.images = renumbered(before.values), renumbered(before.images)
        state.identities = renumbered(before.identities)
        state.vectors = {space: renumbered(rows) for space, rows in before.vectors.items()}
        state.next_row = len(numbers)
        return [before, state]


class Backup(Step):
    """A copy that is there and whole, or not there; what a killed one has left is taken over."""

    verb = "backup"
    destination = "db-copy"

    def arguments(self):
        return ["backup", self.destination]

    def prepare(self):
        shutil.rmtree(self.destination, ignore_errors=True)
        self.left = self._unfinished()

    def is_inside(self, database, process):
        """It needs no lock of the database: a copy under another name is what it begins with."""
        return self._unfinished() not in [None, self.left]

    def _unfinished(self):
        """What tells the copy that is being made from one that a killed process has left."""
        try:
            status = os.stat(f"{self.destination}.partial/data.mdb")
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_ctime_ns

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
