"""Means of cells beside attention over them, where some cells of a sample tell its class and the others do not.

  attention.py PROGRAM FOLDER [--samples 600] [--cells 50] [--dimension 384] [--seed 1]

A cell is noise of length sqrt(dimension). A part of the cells of each sample tell: to these the direction of the sample's
class, one of six, and a direction that is the same for all classes are added, 0.35 and 0.6 times as long as the noise. Linear
heads are evaluated on samples, 3 folds, 3 times, with the same folds for both ways.

Prints Markdown: macro F1 (± sample SD over folds), and seconds of all processors together.
"""

import argparse
import json
import pathlib
import resource
import subprocess

import numpy

SHARES = [0.02, 0.1, 0.3, 1]
CLASSES = 6


def simulate(folder, share, given):
    random = numpy.random.default_rng(given.seed)
    kinds = random.integers(0, CLASSES, given.samples)
    directions = random.standard_normal((CLASSES, given.dimension))
    common = random.standard_normal(given.dimension)
    shape = (given.samples, given.cells, given.dimension)
    vectors = random.standard_normal(shape)
    tells = (random.random(shape[:2]) < share)[:, :, None]
    vectors += tells * (0.35 * directions[kinds][:, None, :] + 0.6 * common)
    numpy.save(folder / "vectors.npy", vectors.astype(numpy.float32).reshape(-1, given.dimension))
    with open(folder / "cells.csv", "w") as table:
        table.write("gene,kind\n")
        for sample, kind in enumerate(kinds):
            table.write(f"G{sample},k{kind}\n" * given.cells)


def evaluate(program, database, pool):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(
        [program, "evaluate", "--db", database, "--labels", "kind", "--sample", "gene", "--folds", "3", "--repeats", "3",
         "--seed", "1", "--pool", pool, "--resamplings", "0", "--json", "--quiet"],
        check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(output)["runs"][0]["summary"]["macro_f1"]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{summary['mean']:.3f} ± {summary['sample_sd']:.3f} | {seconds:.1f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=600)
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("| cells that tell | means | s | attention | s |")
    print("|---:|---:|---:|---:|---:|")
    for share in SHARES:
        folder = given.folder / f"share-{share}"
        folder.mkdir(parents=True)
        simulate(folder, share, given)
        database = str(folder / "db")
        subprocess.run(
            [given.program, "import", str(folder / "vectors.npy"), "--db", database, "--metadata", str(folder / "cells.csv"),
             "--quiet"], check=True, stdout=subprocess.DEVNULL)
        print(f"| {share:.0%} | {evaluate(given.program, database, 'mean')} | "
              f"{evaluate(given.program, database, 'attention')} |", flush=True)


if __name__ == "__main__":
    main()
