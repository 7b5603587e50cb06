"""Measures a database at growing numbers of rows; bench/scale/run calls it."""

import pathlib
import random
import shutil
import statistics
import sys

from common import vectors
from common.machine import machine, sentence
from common.markdown import megabytes, paragraph, row
from common.process import Failure, run

DIMENSION, GENES, PLATES = 64, 20_000, 20
# Beyond the vectors' own bytes, of the table that is imported and of a cell in the database.
TABLE_BYTES, CELL_BYTES = 25, 150
RUNS = 5

# Name, arguments, and how often: what changes the database runs once.
STEPS = [
    ("import", ["import", "vectors.npy", "--metadata", "cells.csv", "--quiet"], 1),
    ("open, count `gene = …` (1 of 20,000 texts)", ["count", "--where", "gene = 'gene00007'"], RUNS),
    ("open, count `dose < 0.01` (1 %)", ["count", "--where", "dose < 0.01"], RUNS),
    ("open, count `NOT plate = …` (95 %)", ["count", "--where", "NOT plate = 'P7'"], RUNS),
    ("search among `gene = …`", ["search", "--cell", "4711", "--where", "gene = 'gene00007'"], RUNS),
    ("search among `dose < 0.01`", ["search", "--cell", "4711", "--where", "dose < 0.01"], RUNS),
    ("search among all, exact", ["search", "--cell", "4711"], RUNS),
    ("check", ["check", "--quiet"], 1),
    ("delete 10 %: two plates of 20", ["delete", "--where", "plate IN ('P0', 'P1')", "--yes", "--quiet"], 1),
    ("compact", ["compact", "--quiet"], 1),
    ("delete 10 % of the rest, scattered", ["delete", "--where", "dose < 0.1", "--yes", "--quiet"], 1),
    ("compact after it", ["compact", "--quiet"], 1),
    ("compact --renumber", ["compact", "--renumber", "--quiet"], 1),
    ("check at last", ["check", "--quiet"], 1),
]


def make_files(folder, rows):
    vectors.save(folder / "vectors.npy", rows, DIMENSION)
    generator = random.Random(2)
    with open(folder / "cells.csv", "w") as table:
        table.write("plate,gene,dose\n")
        for number in range(rows):
            gene, dose = generator.randrange(GENES), generator.random()
            table.write(f"P{number * PLATES // rows},gene{gene:05},{dose:.6f}\n")


def require_room(folder, rows):
    """The array, which goes when it is imported, and the table; the database, and two copies beside it."""
    needed = rows * (TABLE_BYTES + 3 * (DIMENSION * 4 + CELL_BYTES))
    free = shutil.disk_usage(folder).free
    if free < needed:
        sys.exit(f"bench: {folder} has {megabytes(free)} MB free, and {rows:,} rows need {megabytes(needed)}; "
                 "name another folder in TMPDIR, or fewer rows in ROWS")
    return needed, free


def measure(folder, rows):
    """By step: seconds, peak and own memory, and bytes of the database's file afterwards."""
    make_files(folder, rows)
    found = {}
    for name, arguments, times in STEPS:
        print(f"{rows:,} rows: {name}", file=sys.stderr, flush=True)
        command = ["cellvec", *arguments, "--db", "db"]
        try:
            runs = [run(command, cwd=folder) for _ in range(times)]
        except Failure as failure:
            sys.exit(f"bench: {' '.join(command)}: {failure}")
        found[name] = {
            "seconds": statistics.median(one.seconds for one in runs),
            "processors": statistics.median(one.processor_seconds for one in runs),
            "peak": max(one.peak_byte_count for one in runs),
            "own": max(one.own_byte_count for one in runs),
            "bytes": (folder / "db/data.mdb").stat().st_size,
        }
        if name == "import":
            (folder / "vectors.npy").unlink()
    return found


def memory_available():
    with open("/proc/meminfo") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable"))


def table_of(found, smallest):
    """A row a step; beside the figures how they have grown from the smallest size, unless that is this one."""
    has_growth = found is not smallest
    yield row("step", "seconds", "processor seconds", "own MB", "MB with the map", "file, MB",
              *(["seconds ×", "processor seconds ×", "own MB ×", "file ×"] if has_growth else []))
    yield "|---" + "|---:" * (9 if has_growth else 5) + "|"
    for name, step in found.items():
        growth = [times(step[key], smallest[name][key]) for key in ("seconds", "processors", "own", "bytes")]
        yield row(name, f"{step['seconds']:.3f}", f"{step['processors']:.3f}", megabytes(step["own"]),
                  megabytes(step["peak"]), megabytes(step["bytes"]), *(growth if has_growth else []))


def times(larger, smaller):
    return f"{larger / smaller:.1f}" if smaller else "-"


def main():
    work, sizes = pathlib.Path(sys.argv[1]), [int(text) for text in sys.argv[2:]]
    needed, free = require_room(work, max(sizes))
    print(paragraph(
        f"{sentence(machine())}. Dimension {DIMENSION}; fields: plate, gene, dose. {megabytes(needed)} MB of disk "
        f"needed, {megabytes(free)} free; {megabytes(memory_available())} MB of memory available. Each command is a "
        f"process of its own; what only reads is the median of {RUNS}. \"Own\" is memory of the process alone; the "
        "map is the system's cache of the file."), flush=True)
    smallest = None
    for size in sizes:
        folder = work / str(size)
        folder.mkdir()
        found = measure(folder, size)
        shutil.rmtree(folder)
        smallest = smallest or found
        built = found["import"]
        print(f"\n### {size:,} rows\n\n{size / built['seconds']:,.0f} vectors/s imported; the file has "
              f"{built['bytes'] / size - DIMENSION * 4:.0f} bytes a cell beyond its vectors.\n")
        print(*table_of(found, smallest), sep="\n", flush=True)


if __name__ == "__main__":
    main()
