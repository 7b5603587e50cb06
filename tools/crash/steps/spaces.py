"""Steps on fields and spaces, and on what is made from a space."""

from .step import ROWS_PER_COMMIT, Step, parts

# Cells of one transaction of predictions, as the program has them.
PREDICTED_PER_COMMIT = 4096


class Train(Step):
    verb = "train"

    def __init__(self, head, space):
        self.head, self.space = head, space

    def arguments(self):
        return ["train", "--space", self.space, "--labels", "localization", "--group", "gene", "--folds", "2",
                "--epochs", "2", "--save", self.head, "--replace", "--quiet"]

    def states(self, before):
        state = before.copy()
        state.heads[self.head] = self.space
        return [before, state]


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


class DropHead(Step):
    verb = "heads drop"
    is_repeatable = False

    def __init__(self, head):
        self.head = head

    def arguments(self):
        return ["heads", "drop", self.head, "--yes", "--quiet"]

    def states(self, before):
        state = before.copy()
        del state.heads[self.head]
        return [before, state]


class Index(Step):
    """Builds an index of a space, takes new vectors up into it, or drops it: searches find the same cells."""

    def __init__(self, action, space, kind="compact"):
        self.verb = f"index {action}"
        self.space, self.kind = space, kind

    def arguments(self):
        return [*self.verb.split(), "--space", self.space, "--kind", self.kind, "--quiet"]


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
