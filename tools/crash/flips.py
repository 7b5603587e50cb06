"""Changes bits of a data file and runs the verbs on it."""

import itertools
import os
import random
import shutil
import subprocess
import time

import steps
from pages import PAGE, DataFile
from state import Lost, State
from workload import Workload

# Bytes at the front of each of the first two pages that mean something, the seal included.
META = 232
# What a command may take on a small database, whatever is in it.
SECONDS_LIMIT = 60
MEMORY_LIMIT = 400 << 20
# A file or the database is damaged; reading or writing failed.
REFUSALS = {65, 74}

READERS = {
    "stats": ["stats", "--json"],
    "list": ["list", "--fields", "all", "--csv"],
    "count": ["count", "--where", "dose > 10 AND gene LIKE 'G0%'", "--csv"],
    "search": ["search", "--space", "s", "--cell", "3", "-k", "20", "--csv"],
    "export": ["export", "--space", "s", "--vectors", "found.npy", "--metadata", "found.csv", "--quiet"],
}


class Ending:
    """How a command has ended."""

    def __init__(self, command):
        started = time.monotonic()
        with open("output", "wb") as output, open("message", "wb") as message:
            process = subprocess.Popen(command, stdout=output, stderr=message, stdin=subprocess.DEVNULL)
            while True:
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                if ended:
                    break
                if time.monotonic() - started > SECONDS_LIMIT:
                    process.kill()
                time.sleep(0.001)
        process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.memory = usage.ru_maxrss << 10
        with open("output", "rb") as output, open("message", "rb") as message:
            self.output, self.message = output.read(), message.read()

    def problem(self):
        """What no damage excuses."""
        if self.status < 0:
            return f"ended by signal {-self.status}"
        if self.memory > MEMORY_LIMIT:
            return f"took {self.memory >> 20} MiB of memory"
        if self.status != 0 and (self.status not in REFUSALS or not self.output + self.message):
            return f"status {self.status}: {self.message.decode(errors='replace')}"
        return None


def flip(cellvec, count, seed):
    """Changes one bit at a time, and runs all that reads and one that writes."""
    workload, generator = Workload(cellvec, seed), random.Random(seed)
    state = State()
    prepared = itertools.takewhile(lambda step: step.verb != "update --metadata", workload.steps)
    for step in [*prepared, steps.RenameField("grade", "stage")]:
        step.begin(workload, state, "db")
        subprocess.run(workload.command(step, "db"), check=True, capture_output=True)
        states = step.states(state)
        state = states[-1]
    with open("db/data.mdb", "rb") as file:
        original = file.read()
    sound = {verb: answer(cellvec, verb)[1] for verb in READERS}
    verbs = {"ingest", "delete", "compact", "update --set", "backup"}
    writers = [step for step in workload.steps if step.verb in verbs] + [steps.Repair()]
    file = DataFile("db/data.mdb")
    leading = {file.newest(), *file.tables_pages()}
    found, endings = {}, {}
    for number in range(count):
        offset = place(number, len(original), generator)
        bit = 1 << generator.randrange(8)
        content = bytearray(original)
        content[offset] ^= bit
        with open("db/data.mdb", "r+b") as file:
            file.write(content)
            file.truncate(len(content))
        where = f"bit {bit} of byte {offset} of page {offset // PAGE}"
        for verb in READERS:
            ending, answered = answer(cellvec, verb)
            if problem := ending.problem():
                raise Lost(f"{where}: {verb}: {problem}")
            # A search does not verify the checksums of vectors, which `check` does.
            is_right = answered == sound[verb] or (verb == "search" and workload.check("db").returncode == 65)
            if ending.status == 0 and not is_right:
                raise Lost(f"{where}: {verb} answers otherwise, and says nothing")
            count_ending(endings, ending, found, verb)
        step = writers[number % len(writers)]
        shutil.rmtree("patient", ignore_errors=True)
        shutil.copytree("db", "patient")
        step.prepare()
        ending = Ending(workload.command(step, "patient"))
        if problem := ending.problem():
            raise Lost(f"{where}: {step.verb}: {problem}")
        count_ending(endings, ending, found, step.verb)
        # Of a damaged newest page, or of what leads from it to the tables, the commit before is what is left.
        begun = states if step.verb == "check --repair" and offset // PAGE in leading else [state]
        if workload.check("patient").returncode == 0:
            reached = [state for before in begun for state in step.states(before)]
            if problem := workload.fault("patient", reached):
                raise Lost(f"{where}: after {step.verb}, which ended with {ending.status}: {problem}")
        elif ending.status == 0 and step.verb == "check --repair":
            raise Lost(f"{where}: the repair says that all is well, and check does not")
    print(f"{count} bits changed, half of them in the first two pages; {endings.get(0, 0)} right answers, "
          + ", ".join(f"{number} ends with status {status}" for status, number in sorted(endings.items()) if status)
          + f"; at most {max(found.values()) >> 20} MiB: no signal, no wrong answer")


def count_ending(endings, ending, memory, verb):
    endings[ending.status] = endings.get(ending.status, 0) + 1
    memory[verb] = max(memory.get(verb, 0), ending.memory)


def place(number, size, generator):
    """Half of the places in the two meta pages, a quarter in the fronts of others, a quarter anywhere."""
    if number % 2 == 0:
        return generator.randrange(2) * PAGE + generator.randrange(META)
    page = generator.randrange(2, size // PAGE) * PAGE
    return page + (generator.randrange(160) if number % 4 == 1 else generator.randrange(PAGE))


def answer(cellvec, verb):
    """How a reading verb ends, and what it gives."""
    ending = Ending([cellvec, *READERS[verb], "--db", "db"])
    content = [ending.output]
    for name in ["found.npy", "found.csv"]:
        if os.path.exists(name):
            with open(name, "rb") as file:
                content.append(file.read())
            os.remove(name)
    return ending, content
