#!/usr/bin/env python3
"""Times all subjects in rounds and prints tables; bench/backbone/run calls it."""

import argparse
import datetime
import importlib.metadata
import json
import pathlib
import subprocess
import sys

import files as model_files
import numpy as np
import table
import work
from common.machine import ROOT, machine
from subjects import RIVALS, Failure, all_subjects


def arguments():
    def names(known):
        def parse(text):
            unknown = [name for name in text.split(",") if name not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"expected {', '.join(known)}, found {', '.join(unknown)}")
            return text.split(",")
        return parse

    def numbers(text):
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(prog="bench/backbone/run")
    parser.add_argument("--models", type=names(model_files.MODELS), help="default: all, s16 with --quick")
    parser.add_argument("--batches", type=numbers, help="default: 1,8,32, or 1,8 with --quick")
    parser.add_argument("--threads", type=numbers, default="1,2", help="default: 1,2")
    parser.add_argument("--rivals", type=names(RIVALS), default=",".join(RIVALS), help="default: all of them")
    parser.add_argument("--quick", action="store_true", help="less of everything, and nothing that PyTorch compiles")
    parser.add_argument("--rounds", type=int, help="default: 3, or 2 with --quick")
    parser.add_argument("--seconds", type=float, help="a timing takes; default: 2, or 0.5 with --quick")
    parser.add_argument("--size", type=int, default=224, help="side of the images; default: 224")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bench/results/local/backbone.json",
                        help="where the raw numbers go, and the tables as .md beside; default: bench/results/local")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    found = parser.parse_args()
    found.models = found.models or (["s16"] if found.quick else list(model_files.MODELS))
    found.batches = sorted(found.batches or ([1, 8] if found.quick else [1, 8, 32]))
    found.rounds = found.rounds or (2 if found.quick else 3)
    found.seconds = found.seconds if found.seconds is not None else 0.5 if found.quick else 2
    return found


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class Measured:
    """One subject with what was found of it."""

    def __init__(self, subject, threads, batches):
        self.subject, self.failure = subject, None
        self.found = {
            "subject": subject.name, "precision": subject.precision, "threads": threads, "loadSeconds": None,
            "batches": {batch: [] for batch in batches}, "error": None, "failure": None}

    def attempt(self, action):
        """Runs the action unless the subject has failed before; a failure becomes its line of the table."""
        if self.found["failure"]:
            return
        try:
            action()
        except Failure as failure:
            say(f"{self.subject.name} {self.subject.precision} failed: {failure}")
            self.found["failure"] = str(failure)

    def start(self):
        self.found["loadSeconds"] = self.subject.start()

    def time(self, batch, seconds):
        timing = self.subject.time(batch, seconds)
        self.found["batches"][batch].append(
            {"median": timing.median, "best": timing.best, "peakByteCount": timing.peak_byte_count})

    def compare(self, files, batch):
        vectors = files.folder / "vectors.npy"
        self.subject.embed(files.folder / "images.npy", vectors, batch)
        self.found["error"] = error(np.load(files.folder / "reference.npy"), np.load(vectors))


def error(reference, vectors):
    """The least cosine, and the mean cosine of what differs from the reference's mean; a row is an image."""
    def cosines(left, right):
        return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)

    reference, vectors = reference.astype(np.float64), vectors.astype(np.float64)
    center = reference.mean(0)
    return {"minimumCosine": cosines(reference, vectors).min(),
            "meanCenteredCosine": cosines(reference - center, vectors - center).mean()}


def measure(options, files, threads):
    """All subjects of one model and number of threads, round by round; each has a process of its own."""
    subjects = all_subjects(options.program, files, options.rivals, threads, compiled=not options.quick)
    all_measured = [Measured(subject, threads, options.batches) for subject in subjects]
    ceilings = []
    try:
        for measured in all_measured:
            measured.attempt(measured.start)
        for number in range(options.rounds):
            say(f"{files.folder.name}, {threads} threads: round {number + 1} of {options.rounds}")
            ceilings.append(ceiling(options, threads))
            # Batches ascend, so that the peak of the first round is that of each batch.
            for measured in all_measured if number % 2 == 0 else reversed(all_measured):
                for batch in options.batches:
                    measured.attempt(lambda: measured.time(batch, options.seconds))
        for measured in all_measured:
            measured.attempt(lambda: measured.compare(files, options.batches[0]))
    finally:
        for subject in subjects:
            subject.stop()
    best = {kind: max((c[kind] for c in ceilings if c[kind]), default=None) for kind in ceilings[0]}
    return {"threads": threads, "ceiling": best, "subjects": [measured.found for measured in all_measured]}


def ceiling(options, threads):
    command = [options.work / "ceiling", str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    options = arguments()
    versions = {name: importlib.metadata.version(name) for name in [*RIVALS, "nncf"]}
    report = {"machine": {**machine(), "versions": versions}, "sizePx": options.size,
              "rounds": options.rounds, "seconds": options.seconds, "batches": options.batches, "models": []}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    print(table.heading(report), flush=True)
    for name in options.models:
        say(f"{name}: weights, ONNX, quantisation")
        files = model_files.make(options.program, name, options.size, options.rivals, options.work)
        model = {"name": name, "multiplyAdds": work.multiply_adds(files.weights, options.size), "runs": []}
        report["models"].append(model)
        for threads in options.threads:
            model["runs"].append(measure(options, files, threads))
            print(table.of_run(model, model["runs"][-1]), flush=True)
            options.output.write_text(json.dumps(report, indent=1) + "\n")
            options.output.with_suffix(".md").write_text(table.of_report(report))
    say(f"wrote {options.output} and {options.output.with_suffix('.md').name}")


main()
