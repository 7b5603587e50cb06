"""Steps that bring cells, change their values and take them away."""

import csv

from .step import ROWS_PER_COMMIT, Step, chunk_parts, parts


class Import(Step):
    """An array with a table; again, it brings back what was deleted together with its image."""

    verb = "import"

    def __init__(self, source, space, dtype=None, commits=1):
        """An import in so many commits, of which all but the last are durable with the next one."""
        self.source, self.space, self.dtype = source, space, dtype
        self.rows_per_commit = -(-source.count // commits)

    def arguments(self):
        return ["import", self.source.array, "--metadata", self.source.table, "--type", "localization=list", "--space",
                self.space, "--commit-rows", str(self.rows_per_commit),
                *(["--dtype", self.dtype] if self.dtype else [])]

    def states(self, before):
        states, state = [before], before.copy()
        vectors = state.vectors.setdefault(self.space, {})
        states.append(state)
        rows, image = state.rows(), self.source.number
        is_done = (image, self.space) in state.outcomes
        for positions in parts(range(self.source.count), self.rows_per_commit):
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


class ImportStream(Step):
    """Arrays that come through stdin one after another; the line of each says that it is safe."""

    verb = "import -"

    def __init__(self, sources, space, rows_per_commit):
        self.sources, self.space, self.rows_per_commit = sources, space, rows_per_commit
        with open("arrays.npys", "wb") as arrays:
            for source in sources:
                with open(source.array, "rb") as array:
                    arrays.write(array.read())

    def arguments(self):
        return ["import", "-", "--space", self.space, "--commit-rows", str(self.rows_per_commit), "--json", "--quiet"]

    def input(self):
        return open("arrays.npys", "rb")

    def states(self, before):
        states, state = [before], before
        self.ends = []  # the number of the state that holds an array whole, by array
        for source in self.sources:
            for positions in parts(range(source.count), self.rows_per_commit):
                state = state.copy()
                vectors = state.vectors.setdefault(self.space, {})
                for position in positions:
                    row = state.add_cell((source.number, position), "stdin", {})
                    vectors[row] = source.vectors[position]
                states.append(state)
            state.outcomes.add((source.number, self.space))
            self.ends.append(len(states) - 1)
        return states

    def safe_count(self, output):
        lines = output.count("\n")
        return self.ends[lines - 1] if lines else 0


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
        for rows in chunk_parts(chosen):
            state = state.copy()
            images = {state.identities[row][0] for row in rows}
            for row in rows:
                for table in [state.values, state.images, state.identities, *state.vectors.values()]:
                    table.pop(row, None)
            if self.forgets_images:
                state.outcomes = {(image, space) for image, space in state.outcomes if image not in images}
            states.append(state)
        return states
