"""Trains heads on databases of more and more rows, and prints the memory that it takes."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import numpy

import data
from common import process
from common.machine import machine, sentence
from common.markdown import megabytes, paragraph, row

PART = 50_000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rows", default="250000,1000000,10000000")
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--classes", type=int, default=17)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--verbs", default="train")
    options = parser.parse_args()
    print(paragraph(sentence(machine())))
    print(paragraph(f"dimension {options.dimension}, {options.classes} classes, linear, 5 folds, {options.epochs} epochs"))
    print(row("rows", "verb", "s", "s of processors", "own MB", "bytes a row more", "macro F1"))
    print(row(*["---"] * 7))
    before = {}
    for count in map(int, options.rows.split(",")):
        folder = options.work / str(count)
        folder.mkdir()
        write(folder, count, options.dimension, options.classes)
        subprocess.run(
            ["cellvec", "import", "vectors.npy", "--metadata", "cells.csv", "--type", "localization=list", "--db", "db",
             "--space", "s", "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        for name in ["vectors.npy", "cells.csv"]:
            (folder / name).unlink()
        for verb in options.verbs.split(","):
            run = process.run(
                ["cellvec", verb, "--db", "db", "--labels", "localization", "--group", "gene", "--json", "--quiet",
                 "--epochs", str(options.epochs)], cwd=folder)
            growth = ""
            if verb in before:
                growth = f"{(run.own_byte_count - before[verb][1]) / (count - before[verb][0]):.0f}"
            before[verb] = (count, run.own_byte_count)
            print(row(f"{count:,}", verb, f"{run.seconds:.1f}", f"{run.processor_seconds:.1f}",
                      megabytes(run.own_byte_count), growth, f"{macro_f1(json.loads(run.output)):.4f}"))
            sys.stdout.flush()
        shutil.rmtree(folder)


def macro_f1(output):
    if "runs" in output:
        return output["runs"][0]["summary"]["macro_f1"]["mean"]
    return output["evaluation"]["macro_f1"]["mean"]


def write(folder, count, dimension, classes):
    """The same cells again and again, with noise of their own and in groups of their own."""
    vectors, labels, groups = data.simulate(min(PART, count), dimension, classes)
    deviations = vectors.std(axis=0) * 0.3
    random = numpy.random.default_rng(2)
    texts = [";".join(f"c{index:02}" for index in numpy.flatnonzero(sample)) for sample in labels]
    written = numpy.lib.format.open_memmap(folder / "vectors.npy", "w+", numpy.float32, (count, dimension))
    with open(folder / "cells.csv", "w") as file:
        file.write("gene,localization\n")
        for part, start in enumerate(range(0, count, PART)):
            size = min(PART, count - start)
            noise = random.standard_normal((size, dimension), dtype=numpy.float32)
            written[start:start + size] = vectors[:size] + noise * deviations
            file.writelines(f"G{part}-{groups[index]},{texts[index]}\n" for index in range(size))
    written.flush()


if __name__ == "__main__":
    main()
