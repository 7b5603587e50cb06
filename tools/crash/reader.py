"""A process that reads a database over and over while others write to it."""

import json
import random
import subprocess
import threading

# What a reader may end with: done; no database yet, before the first commit.
ALLOWED = {0, 66}
# While the file is replaced: told to read again.
REPLACED = 69


class Reader:
    """Runs `check` and `stats` beside the steps, one after the other, and kills some of them.

    seed: None for a reader that does nothing.
    """

    def __init__(self, cellvec, database, seed):
        self.cellvec, self.database = cellvec, database
        self.random = random.Random(seed)
        self.count = 0
        self.problem = None
        self.is_replacing = False
        self._ended = threading.Event()
        self._may_read = threading.Event()
        # One read at a time, so that a pause begins when the read before it has ended.
        self._reading = threading.Lock()
        self._thread = threading.Thread(target=self._loop) if seed is not None else None

    def __enter__(self):
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        """Ends it and returns how many reads there were."""
        self._ended.set()
        self._may_read.set()
        if self._thread and self._thread.is_alive():
            self._thread.join()
        return self.count

    def expect(self, step):
        """Reads beside a step, unless that makes the file anew, for which nobody may have it open; None for no step."""
        if step is None or not step.bears_readers:
            self._may_read.clear()
            with self._reading:
                pass
        else:
            self.is_replacing = step.replaces_file
            self._may_read.set()

    def _loop(self):
        while not self._ended.is_set() and self.problem is None:
            self._may_read.wait()
            # It need not take half of a small machine.
            self._ended.wait(self.random.uniform(0, 0.2))
            with self._reading:
                if self._may_read.is_set() and not self._ended.is_set():
                    try:
                        self._read()
                    except (OSError, ValueError, KeyError) as error:
                        self.problem = f"what it says cannot be read: {error!r}"

    def _read(self):
        verb = self.random.choice(["check", "stats"])
        command = [self.cellvec, verb, "--json", "--db", self.database]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            seconds = self.random.uniform(0, 0.1) if self.random.random() < 0.2 else 60
            output, message = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            if seconds == 60:
                self.problem = f"{verb} has not ended after a minute"
            return
        self.count += 1
        if process.returncode not in ALLOWED | ({REPLACED} if self.is_replacing else set()):
            self.problem = f"{verb} ends with status {process.returncode}: {output}{message}"
        elif verb == "stats" and process.returncode == 0:
            self._compare(json.loads(output))

    def _compare(self, statistics):
        """Two counts of one snapshot are equal."""
        entries = {part["name"]: part["entries"] for part in statistics["parts"] if part["kind"] == "table"}
        for table in ["cells", "images"]:
            if statistics[table] != entries.get(table, 0):
                self.problem = f"stats counts {statistics[table]} {table} and {entries.get(table, 0)} records of them"
