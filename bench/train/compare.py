"""Runs cellvec train and its rivals in turns, and prints a table of medians."""

import argparse
import dataclasses
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
# How far the mean macro F1 of heads may be from a rival's, who learns the same, over five seeds.
AGREEMENT = 0.005
SCRIPTS = {"torch": ["rival_torch.py"], "torch-bfloat16": ["rival_torch.py", "--precision", "bfloat16"],
           "scikit-learn": ["rival_sklearn.py"]}


@dataclasses.dataclass
class Head:
    name: str
    hidden: str
    """Widths of hidden layers, as cellvec and the rivals' scripts take them."""
    epochs: int
    seeds: dict
    """Of a rival that runs on fewer than all."""


# An epoch of the larger head is some 45 times the arithmetic of one of the linear head; what is compared is time.
HEADS = {"linear": Head("linear", "", 10, {}), "mlp": Head("512 and 256 hidden", "512,256", 1, {"scikit-learn": 1})}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--classes", type=int, default=17)
    parser.add_argument("--heads", default="linear")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--precision", default="float32,bfloat16")
    parser.add_argument("--rivals", default="torch,scikit-learn")
    options = parser.parse_args()
    found = machine()
    data.write(options.work, *data.simulate(options.rows, options.dimension, options.classes))
    subprocess.run(
        ["cellvec", "import", "vectors.npy", "--metadata", "cells.csv", "--type", "localization=list", "--db", "db",
         "--space", "s", "--quiet"], cwd=options.work, check=True, stdout=subprocess.DEVNULL)
    print(paragraph(sentence(found)))
    for head in [HEADS[name] for name in options.heads.split(",")]:
        head.epochs = options.epochs or head.epochs
        report(options, head, compare(options, head))


def compare(options, head):
    """The runs of each subject with their macro F1, in turns."""
    subjects = {f"cellvec, {name}": cellvec(head, name) for name in options.precision.split(",") if name}
    subjects |= {name: rival(head, name) for name in options.rivals.split(",") if name}
    runs = {name: [] for name in subjects}
    for seed in range(options.seeds):
        for name, command in subjects.items():
            if seed >= head.seeds.get(name, options.seeds):
                continue
            run = process.run(command(seed), cwd=options.work)
            runs[name].append((run, macro_f1(json.loads(run.output))))
            print(f"{head.name}, seed {seed}: {name}: {run.seconds:.1f} s, {run.processor_seconds:.1f} s of "
                  f"processors, macro F1 {runs[name][-1][1]:.4f}", file=sys.stderr, flush=True)
    return runs


def common_options(head, seed):
    return ["--epochs", str(head.epochs), "--seed", str(seed)]


def cellvec(head, precision):
    def command(seed):
        hidden = ["--hidden", head.hidden] if head.hidden else []
        return ["cellvec", "train", "--db", "db", "--labels", "localization", "--group", "gene", "--json", "--quiet",
                "--batch-size", str(BATCH), "--learning-rate", str(RATE), "--weight-decay", str(DECAY),
                "--precision", precision, *hidden, *common_options(head, seed)]
    return command


def rival(head, name):
    def command(seed):
        script, *precision = SCRIPTS[name]
        return [sys.executable, str(HERE / script), ".", *precision, "--batch", str(BATCH), "--rate", str(RATE),
                "--decay", str(DECAY), "--hidden", head.hidden, *common_options(head, seed)]
    return command


def macro_f1(output):
    return output["macro_f1"] if "macro_f1" in output else output["evaluation"]["macro_f1"]["mean"]


def report(options, head, runs):
    print(paragraph(
        f"{options.rows} x {options.dimension}, {options.classes} classes, {head.name}, 5 folds of whole groups, "
        f"{head.epochs} epochs, batches of {BATCH}; whole processes, medians over seeds; ratios are to the first row; "
        "memory is the process's own, without mapped files; macro F1 is the mean over seeds, with its sample SD and "
        "range; differences are the first row's less a rival's"))
    print(row("", "seeds", "s", "ratio", "s of processors", "ratio", "MB", "macro F1", "SD", "range", "difference"))
    print(row(*["---"] * 11))
    first = None
    for name, results in runs.items():
        def median(value):
            return statistics.median(value(run) for run, _ in results)
        seconds, used = median(lambda run: run.seconds), median(lambda run: run.processor_seconds)
        scores = [score for _, score in results]
        mean = statistics.mean(scores)
        deviation = f"{statistics.stdev(scores):.4f}" if len(scores) > 1 else "-"
        first = first or (seconds, used, mean)
        print(row(name, len(results), f"{seconds:.2f}", f"{seconds / first[0]:.1f}", f"{used:.1f}",
                  f"{used / first[1]:.1f}", megabytes(median(lambda run: run.own_byte_count)), f"{mean:.4f}", deviation,
                  f"{min(scores):.4f} to {max(scores):.4f}", f"{first[2] - mean:+.4f}"))
    print()
    for name in SCRIPTS:
        if name in runs:
            print(paragraph(agreement(name, runs)))


def agreement(rival, runs):
    """Whether each of our subjects' macro F1 is that of a rival, as a sentence."""
    def mean(name):
        return statistics.mean(score for _, score in runs[name])
    parts = []
    for name in runs:
        if name in SCRIPTS:
            continue
        difference = mean(name) - mean(rival)
        side = "above" if difference > 0 else "BELOW"
        place = "within" if abs(difference) <= AGREEMENT else f"{side} by more than"
        parts.append(f"{name} {difference:+.4f}, {place} {AGREEMENT}")
    return f"Final macro F1 less that of {rival}, means over {len(runs[rival])} seeds: {'; '.join(parts)}."


if __name__ == "__main__":
    main()
