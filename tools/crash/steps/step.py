"""What every step is."""

import subprocess

# Cells that one transaction takes up or changes, as the program has them.
ROWS_PER_COMMIT = 20_000
# Rows of a chunk of row sets, in which the program deletes. It also ends a transaction after 256 blocks of vectors, which no
# deletion of the workload comes to.
ROWS_PER_CHUNK = 65_536


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

    def input(self):
        """What the command reads from stdin, as subprocess takes it."""
        return subprocess.DEVNULL

    def begin(self, workload, before, database):
        """Prepares files, or the database, once before the first attempt."""

    def prepare(self):
        """Prepares each attempt."""

    def states(self, before):
        """Every state that a transaction of the step leaves, from `before` on."""
        return [before]

    def safe_count(self, output):
        """How many of these states are past, however a command ends that has written so much to stdout."""
        return 0

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


def chunk_parts(rows):
    """Ascending rows in parts of whole chunks, each of as many rows as a chunk has at most."""
    found, start = [], 0
    while start < len(rows):
        end = start + ROWS_PER_CHUNK
        if end < len(rows):
            while rows[end] // ROWS_PER_CHUNK == rows[end - 1] // ROWS_PER_CHUNK:
                end -= 1
        found.append(rows[start:end])
        start = end
    return found


def parts(rows, size):
    return [rows[start:start + size] for start in range(0, len(rows), size)]
