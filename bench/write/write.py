"""Measures imports beside plain writes of the same bytes; see `run`."""

import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy

DIMENSION = int(os.environ.get("DIMENSION", 384))
SIZES = [int(size) for size in os.environ.get("ROWS", "100000 500000").split()]
ROUNDS = int(os.environ.get("ROUNDS", 5))
PROGRAMS = [pathlib.Path(program).resolve() for program in os.environ["PROGRAMS"].split()]
PIECE, PIECES = 4 << 20, 4
SMALL, SMALL_COUNT = 1000, 20


def make_input(folder, rows):
    numbers = numpy.random.default_rng(1).standard_normal((rows, DIMENSION), dtype="float32")
    numpy.save(folder / "vectors.npy", numbers)
    with open(folder / "cells.csv", "w") as table:
        table.write("gene,localization,area\n")
        for row in range(rows):
            table.write(f"gene{row % 500:03},site{row % 13};site{row % 7},{row % 977}\n")


def settle():
    """What one row leaves to be written must not be written in the time of the next."""
    os.sync()


def timed(body):
    settle()
    start = time.perf_counter()
    memory = body()
    return time.perf_counter() - start, memory


def plain_write(folder, pieces, byte_count):
    """As many bytes from memory into a file, in large pieces, with one fsync. The pieces come round again: a process that is
    started from a large one counts its memory as its own."""
    file = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for start in range(0, byte_count, PIECE):
        os.write(file, pieces[start // PIECE % PIECES][:byte_count - start])
    os.fsync(file)
    os.close(file)


def copy(folder):
    """The same from the .npy file, through a buffer."""
    buffer = memoryview(bytearray(PIECE))
    target = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with open(folder / "vectors.npy", "rb", buffering=0) as source:
        while count := source.readinto(buffer):
            os.write(target, buffer[:count])
    os.fsync(target)
    os.close(target)


def command(program, vectors, database, *options):
    """Runs an import; the peak memory of its process in bytes."""
    process = subprocess.Popen([program, "import", vectors, "--db", database, "--quiet", *options],
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench: {program} import ended with status {process.returncode}")
    return usage.ru_maxrss * 1024


def imported(program, folder, *options):
    shutil.rmtree(folder / "db", ignore_errors=True)
    return lambda: command(program, folder / "vectors.npy", folder / "db", *options)


def bench_size(rows):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # In a process of its own, whose memory goes with it.
        maker = multiprocessing.get_context("spawn").Process(target=make_input, args=(folder, rows))
        maker.start()
        maker.join()
        byte_count = rows * DIMENSION * 4
        pieces = [memoryview(os.urandom(PIECE)) for _ in range(PIECES)]
        cases = {"plain write, fsync": lambda: plain_write(folder, pieces, byte_count),
                 "copy of the file, fsync": lambda: copy(folder)}
        table = ["--metadata", folder / "cells.csv"]
        for program in PROGRAMS:
            name = "cellvec" if len(PROGRAMS) == 1 else str(program)[-24:]
            cases[f"{name} import"] = lambda program=program: imported(program, folder)()
            cases[f"{name} import, 3 fields"] = lambda program=program: imported(program, folder, *table)()
        seconds = {name: [] for name in cases}
        peak = {name: 0 for name in cases}
        for _ in range(ROUNDS + 1):
            for name, body in cases.items():
                (folder / "plain").unlink(missing_ok=True)
                shutil.rmtree(folder / "db", ignore_errors=True)
                spent, memory = timed(body)
                seconds[name].append(spent)
                peak[name] = max(peak[name], memory or 0)
        print(f"\n{rows:,} x {DIMENSION} float32, {byte_count / 1e6:.0f} MB, medians of {ROUNDS} rounds after one that is not "
              f"counted, load {os.getloadavg()[0]:.1f}")
        print(f"{'':36} {'seconds':>8} {'fastest':>8} {'MB/s':>7} {'vectors/s':>12} {'of plain':>9} {'peak MB':>8}")
        plain = seconds["plain write, fsync"][1:]
        for name, all_rounds in seconds.items():
            rounds = all_rounds[1:]
            median = statistics.median(rounds)
            ratio = statistics.median(p / s for p, s in zip(plain, rounds))
            memory = f"{peak[name] / 1e6:8.0f}" if peak[name] else ""
            print(f"{name:36} {median:8.3f} {min(rounds):8.3f} {byte_count / 1e6 / median:7.0f} {rows / median:12,.0f} "
                  f"{ratio:8.0%} {memory}", flush=True)


def bench_small():
    """Imports of a few vectors, each a command and a commit of its own."""
    print(f"\n{SMALL_COUNT} imports of {SMALL:,} x {DIMENSION} into one database, medians")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for number in range(SMALL_COUNT):
            generator = numpy.random.default_rng(number)
            numpy.save(folder / f"{number}.npy", generator.standard_normal((SMALL, DIMENSION), dtype="float32"))
        for program in PROGRAMS:
            database = folder / f"db{PROGRAMS.index(program)}"
            seconds = [timed(lambda: command(program, folder / f"{number}.npy", database))[0]
                       for number in range(SMALL_COUNT)]
            median = statistics.median(seconds)
            name = "cellvec" if len(PROGRAMS) == 1 else str(program)[-24:]
            print(f"{name:36} {median:8.3f} s a command, {SMALL / median:,.0f} vectors/s")


if __name__ == "__main__":
    for size in SIZES:
        bench_size(size)
    bench_small()
