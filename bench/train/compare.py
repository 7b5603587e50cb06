"""Runs cellvec train and its rivals in turns, and prints a table of medians."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import data
from common import process
from common.machine import machine, sentence
from common.markdown import megabytes, paragraph, row

HERE = pathlib.Path(__file__).parent
BATCH, RATE, DECAY = 512, 3e-3, 0.04
SCRIPTS = {"torch": "rival_torch.py", "scikit-learn": "rival_sklearn.py"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--classes", type=int, default=17)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--hidden", default="")
    parser.add_argument("--precision", default="float32,bfloat16")
    parser.add_argument("--rivals", default="torch,scikit-learn")
    options = parser.parse_args()
    found = machine()
    data.write(options.work, *data.simulate(options.rows, options.dimension, options.classes))
    subprocess.run(
        ["cellvec", "import", "vectors.npy", "--metadata", "cells.csv", "--type", "localization=list", "--db", "db",
         "--space", "s", "--quiet"], cwd=options.work, check=True, stdout=subprocess.DEVNULL)
    subjects = {f"cellvec, {name}": cellvec(options, name) for name in options.precision.split(",") if name}
    subjects |= {name: rival(options, name) for name in options.rivals.split(",") if name}
    runs = {name: [] for name in subjects}
    for seed in range(options.seeds):
        for name, command in subjects.items():
            run = process.run(command(seed), cwd=options.work)
            runs[name].append((run, macro_f1(json.loads(run.output))))
            print(f"seed {seed}: {name}: {run.seconds:.1f} s, {run.processor_seconds:.1f} s of processors, "
                  f"macro F1 {runs[name][-1][1]:.4f}", file=sys.stderr, flush=True)
    report(options, found, runs)


def common_options(options, seed):
    return ["--epochs", str(options.epochs), "--seed", str(seed)]


def cellvec(options, precision):
    def command(seed):
        hidden = ["--hidden", options.hidden] if options.hidden else []
        return ["cellvec", "train", "--db", "db", "--labels", "localization", "--group", "gene", "--json", "--quiet",
                "--batch-size", str(BATCH), "--learning-rate", str(RATE), "--weight-decay", str(DECAY),
                "--precision", precision, *hidden, *common_options(options, seed)]
    return command


def rival(options, name):
    def command(seed):
        return [sys.executable, str(HERE / SCRIPTS[name]), ".", "--batch", str(BATCH), "--rate", str(RATE),
                "--decay", str(DECAY), "--hidden", options.hidden, *common_options(options, seed)]
    return command


def macro_f1(output):
    return output["macroF1"] if "macroF1" in output else output["evaluation"]["macroF1"]["mean"]


def report(options, found, runs):
    print(paragraph(sentence(found)))
    layers = f"hidden layers {options.hidden}" if options.hidden else "linear"
    print(paragraph(
        f"{options.rows} x {options.dimension}, {options.classes} classes, {layers}, 5 folds of whole groups, "
        f"{options.epochs} epochs, batches of {BATCH}; whole processes, medians of {options.seeds} seeds; memory is "
        "the process's own, without mapped files"))
    print(row("", "s", "s of processors", "times the first", "MB", "macro F1, mean of seeds"))
    print(row(*["---"] * 6))
    first = None
    for name, results in runs.items():
        median = lambda value: statistics.median(value(run) for run, _ in results)
        used = median(lambda run: run.processor_seconds)
        first = first or used
        print(row(name, f"{median(lambda run: run.seconds):.1f}", f"{used:.1f}", f"{used / first:.1f}",
                  megabytes(median(lambda run: run.own_byte_count)), f"{statistics.mean(f1 for _, f1 in results):.4f}"))


if __name__ == "__main__":
    main()
