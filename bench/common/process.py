"""Runs a command and measures it from outside: seconds, those of the processors, and peak memory."""

import dataclasses
import pathlib
import resource
import subprocess
import tempfile
import threading
import time

# Memory is sampled often at first, then in steps of a hundredth of the time so far.
LEAST_SAMPLE_SECONDS, MOST_SAMPLE_SECONDS = 0.003, 0.2


@dataclasses.dataclass
class Run:
    seconds: float
    processor_seconds: float
    """Of all threads, in the program and in the system: what other work on the machine changes less."""
    peak_byte_count: int
    """All pages that were resident at once, among them those of mapped files, which the system can take back."""
    own_byte_count: int
    """The most that was seen of memory that belongs to the process alone, mapped files left out."""
    output: str


class Failure(Exception):
    """A command that failed or took too long; its text is the last line that it said."""


def run(command, timeout=None, **options):
    """Raises Failure. Memory is sampled: what a process has for less than a few milliseconds may be missed."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start, processors_start = time.perf_counter(), children_seconds()
        process = subprocess.Popen(command, stdout=output, stderr=errors, text=True, **options)
        memory = MemorySampler(process.pid)
        try:
            process.wait(timeout)
            seconds = time.perf_counter() - start
        except subprocess.TimeoutExpired:
            raise Failure(f"took more than {timeout:.0f} s") from None
        finally:
            process.kill()
            process.wait()
            memory.stop()
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            ending = f"ended by signal {-process.returncode}" if process.returncode < 0 else last_line(errors.read())
            raise Failure(ending)
        return Run(seconds, children_seconds() - processors_start, memory.peak, memory.own, output.read())


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class MemorySampler:
    """Reads a process's status on a thread until the process has ended."""

    def __init__(self, process):
        self.status = pathlib.Path(f"/proc/{process}/status")
        self.peak = self.own = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self):
        start, pause = time.perf_counter(), LEAST_SAMPLE_SECONDS
        while not self.ended.wait(pause):
            pause = min(max((time.perf_counter() - start) / 100, LEAST_SAMPLE_SECONDS), MOST_SAMPLE_SECONDS)
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            bytes_of = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines if line.endswith(" kB")}
            self.peak = max(self.peak, bytes_of.get("VmHWM", 0))
            self.own = max(self.own, bytes_of.get("RssAnon", 0))

    def stop(self):
        self.ended.set()
        self.thread.join()


def last_line(text):
    return ([line for line in text.splitlines() if line.strip()] or ["ended without a word"])[-1].strip()
