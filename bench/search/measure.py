"""Measures one rival in this process: measure.py RIVAL FOLDER. Prints a line of JSON for each thing that it has found
out, so that what is known when it has to be ended is not lost."""

import json
import os
import pathlib
import sys
import tempfile
import time

import numpy

import rivals
from data import SHARES, load, recall

# Each search is for all queries so often that it takes this long: the first touch of memory counts little.
SECONDS = 0.4


def say(**facts):
    print(json.dumps(facts), flush=True)


def timed(search, queries, threads):
    """What was found and queries a second. One thread's processor time is what the wall clock would show on a machine
    that does nothing else."""
    search(queries[:50])
    count, wall, processors = 0, 0, 0
    while wall < SECONDS:
        start, spent = time.perf_counter(), time.process_time()
        found = search(queries)
        wall += time.perf_counter() - start
        processors += time.process_time() - spent
        count += len(queries)
    return found, count / (min(wall, processors) if threads == 1 else wall)


def byte_count(folder):
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def main():
    name, folder = sys.argv[1:]
    data = load(pathlib.Path(folder))
    rival = rivals.rival(name)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        place = pathlib.Path(place)
        start, spent = time.perf_counter(), time.process_time()
        rival.build(data.base, data.lots, place)
        say(kind="build", seconds=time.perf_counter() - start, processor_seconds=time.process_time() - spent,
            bytes_per_vector=byte_count(place) / len(data.base))
        all_threads = [1] if getattr(rival, "one_thread", False) else sorted({1, os.cpu_count()})
        slow = data.queries[:200] if getattr(rival, "one_thread", False) else data.queries
        for threads in all_threads:
            for setting in rival.settings:
                found, speed = timed(lambda queries: rival.search(queries, setting, threads), slow, threads)
                reached = recall(numpy.asarray(found), data.truth[:len(slow)])
                say(kind="search", threads=threads, setting=setting, speed=speed, recall=reached)
                if reached >= 0.9995:
                    break
        if hasattr(rival, "filtered"):
            queries = data.queries[:200]
            for share in SHARES:
                for setting in rival.settings:
                    found, speed = timed(lambda queries: rival.filtered(queries, setting, share), queries, 1)
                    reached = recall(numpy.asarray(found), data.filtered_truth[share])
                    say(kind="filter", share=share, setting=setting, speed=speed, recall=reached)
                    if reached >= 0.99:
                        break
        # Some libraries leave threads behind that keep the process from ending.
        sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
