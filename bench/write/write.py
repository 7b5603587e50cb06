"""Measures imports beside plain writes of the same bytes; see `run`."""

import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import numpy

DIMENSION = int(os.environ.get("DIMENSION", 384))
SIZES = [int(size) for size in os.environ.get("ROWS", "100000 500000").split()]
ROUNDS = int(os.environ.get("ROUNDS", 5))
PROGRAMS = [pathlib.Path(program).resolve() for program in os.environ["PROGRAMS"].split()]
LMDB = pathlib.Path(os.environ["LMDB_PROGRAM"])
PIECE, PIECES = 4 << 20, 4
# Bytes that cellvec commits at a time.
COMMIT = 32 << 20
# Cells of a commit, and how many commits of them.
SMALL = [(1000, 60), (1, 1000)]
PROCESSES = 20


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
    """Seconds, processor seconds of this process or of the command that it runs, and peak memory of a command."""
    settle()
    start, processors = time.perf_counter(), processor_seconds()
    memory = body()
    return time.perf_counter() - start, processor_seconds() - processors, memory


def processor_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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


def waited_for(arguments, **streams):
    """Runs a command; the peak memory of its process in bytes."""
    process = subprocess.Popen(arguments, **{"stdout": subprocess.DEVNULL} | streams)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench: {arguments[0]} ended with status {process.returncode}")
    return usage.ru_maxrss * 1024


def command(program, vectors, database, *options):
    return waited_for([program, "import", vectors, "--db", database, "--quiet", *options])


def lmdb_alone(vectors, database, rows_per_commit, layout):
    waited_for([LMDB, vectors, database, str(DIMENSION), str(rows_per_commit), layout])


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
                 "copy of the file, fsync": lambda: copy(folder),
                 "LMDB alone, the same blocks": lambda: lmdb_alone(
                     folder / "vectors.npy", folder / "db", min(65_536, COMMIT // (4 * DIMENSION)), "blocks")}
        table = ["--metadata", folder / "cells.csv"]
        for program in PROGRAMS:
            name = "cellvec" if len(PROGRAMS) == 1 else str(program)[-24:]
            cases[f"{name} import"] = lambda program=program: imported(program, folder)()
            cases[f"{name} import, 3 fields"] = lambda program=program: imported(program, folder, *table)()
        seconds = {name: [] for name in cases}
        processors = {name: [] for name in cases}
        peak = {name: 0 for name in cases}
        for _ in range(ROUNDS + 1):
            for name, body in cases.items():
                (folder / "plain").unlink(missing_ok=True)
                shutil.rmtree(folder / "db", ignore_errors=True)
                spent, worked, memory = timed(body)
                seconds[name].append(spent)
                processors[name].append(worked)
                peak[name] = max(peak[name], memory or 0)
        print(f"\n{rows:,} x {DIMENSION} float32, {byte_count / 1e6:.0f} MB, medians of {ROUNDS} rounds after one that is not "
              f"counted, load {os.getloadavg()[0]:.1f}")
        print(f"{'':36} {'seconds':>8} {'fastest':>8} {'processor':>9} {'MB/s':>7} {'vectors/s':>12} {'of plain':>9} "
              f"{'peak MB':>8}")
        plain = seconds["plain write, fsync"][1:]
        for name, all_rounds in seconds.items():
            rounds = all_rounds[1:]
            median = statistics.median(rounds)
            ratio = statistics.median(p / s for p, s in zip(plain, rounds))
            memory = f"{peak[name] / 1e6:8.0f}" if peak[name] else ""
            print(f"{name:36} {median:8.3f} {min(rounds):8.3f} {statistics.median(processors[name][1:]):9.3f} "
                  f"{byte_count / 1e6 / median:7.0f} {rows / median:12,.0f} {ratio:8.0%} {memory}", flush=True)


def save(path, rows, seed):
    numpy.save(path, numpy.random.default_rng(seed).standard_normal((rows, DIMENSION), dtype="float32"))


def stream(program, arrays, database):
    """Sends arrays through a pipe, the next one when the one before is safe; the seconds of each."""
    process = subprocess.Popen([program, "import", "-", "--db", database, "--json", "--quiet"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seconds = []
    for array in arrays:
        start = time.perf_counter()
        process.stdin.write(array)
        process.stdin.flush()
        if not process.stdout.readline():
            raise SystemExit("bench: the stream was not taken")
        seconds.append(time.perf_counter() - start)
    process.stdin.close()
    process.wait()
    return seconds


def flood(program, arrays, database):
    """Sends arrays through a pipe as fast as they are taken; each has its line in the end."""
    process = subprocess.Popen([program, "import", "-", "--db", database, "--json", "--quiet"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout))
    reader.start()
    for array in arrays:
        process.stdin.write(array)
    process.stdin.close()
    reader.join()
    if process.wait() != 0 or len(lines) != len(arrays):
        raise SystemExit("bench: the stream was not taken")


def bench_commits(rows, count):
    """Small commits into a new database, each durable: in one command, and by arrays of which each is waited for."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save(folder / "vectors.npy", rows * count, 1)
        content = (folder / "vectors.npy").read_bytes()
        save(folder / "part.npy", rows, 1)
        head = (folder / "part.npy").read_bytes()[:-rows * DIMENSION * 4]
        numbers = content[-rows * count * DIMENSION * 4:]
        size = rows * DIMENSION * 4
        arrays = [head + numbers[start:start + size] for start in range(0, len(numbers), size)]
        cases = {}
        for program in PROGRAMS:
            name = "cellvec" if len(PROGRAMS) == 1 else str(program)[-24:]
            cases[f"{name} import --commit-rows {rows}"] = lambda program=program: command(
                program, folder / "vectors.npy", folder / "db", "--commit-rows", str(rows)) and None
            cases[f"{name} import -, one array at a time"] = lambda program=program: stream(
                program, arrays, folder / "db")
            cases[f"{name} import -, arrays as they come"] = lambda program=program: flood(
                program, arrays, folder / "db")
        for layout in ["blocks", "keys", "blocks-next"]:
            cases[f"LMDB alone, {layout}"] = lambda layout=layout: lmdb_alone(
                folder / "vectors.npy", folder / "db", rows, layout)
        found = {name: [] for name in cases}
        waits = {}
        for _ in range(ROUNDS):
            for name, body in cases.items():
                shutil.rmtree(folder / "db", ignore_errors=True)
                spent, worked, each = timed(body)
                found[name].append((spent, worked))
                if each:
                    waits.setdefault(name, []).extend(each)
        print(f"\n{count:,} commits of {rows:,} x {DIMENSION}, each synchronised; medians of {ROUNDS} rounds, load "
              f"{os.getloadavg()[0]:.1f}")
        print(f"{'':40} {'seconds':>8} {'processor':>9} {'commits/s':>10} {'vectors/s':>10} {'a commit, ms: median':>21} "
              f"{'slowest %':>9}")
        for name, rounds in found.items():
            median, worked = (statistics.median(values) for values in zip(*rounds))
            each = sorted(waits.get(name, []))
            waited = f"{1000 * each[len(each) // 2]:21.2f} {1000 * each[len(each) * 99 // 100]:9.2f}" if each else ""
            print(f"{name:40} {median:8.3f} {worked:9.3f} {count / median:10,.0f} {rows * count / median:10,.0f} {waited}",
                  flush=True)


def bench_processes():
    """Imports of a few vectors, each a command and a commit of its own."""
    rows = SMALL[0][0]
    print(f"\n{PROCESSES} imports of {rows:,} x {DIMENSION} into one database, medians, each a process")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for number in range(PROCESSES):
            save(folder / f"{number}.npy", rows, number)
        for program in PROGRAMS:
            database = folder / f"db{PROGRAMS.index(program)}"
            seconds = [timed(lambda: command(program, folder / f"{number}.npy", database))[0]
                       for number in range(PROCESSES)]
            median = statistics.median(seconds)
            name = "cellvec" if len(PROGRAMS) == 1 else str(program)[-24:]
            print(f"{name:36} {median:8.3f} s a command, {rows / median:,.0f} vectors/s")


if __name__ == "__main__":
    for size in SIZES:
        bench_size(size)
    for small in SMALL:
        bench_commits(*small)
    bench_processes()
