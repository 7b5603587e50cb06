#!/usr/bin/env python3
"""Measures all subjects in rounds and prints tables; bench/storage/run calls it."""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import shutil
import sys

import data
import table
from common.machine import ROOT, machine
from common.process import Failure
from rival import SMALL_COMMITS, SMALL_ROWS
from subjects import SUBJECTS

COLD_RUNS, WARM_RUNS = 2, 3


def arguments():
    def names(text):
        unknown = [name for name in text.split(",") if name not in SUBJECTS]
        if unknown:
            raise argparse.ArgumentTypeError(f"expected {', '.join(SUBJECTS)}, found {', '.join(unknown)}")
        return text.split(",")

    parser = argparse.ArgumentParser(prog="bench/storage/run")
    parser.add_argument("--rows", type=int, default=100_000, help="vectors of dimension 384; default: 100,000")
    parser.add_argument("--rounds", type=int, default=3, help="of everything; medians are shown; default: 3")
    parser.add_argument("--limit", type=float, default=120, help="seconds that a step may take; default: 120")
    parser.add_argument("--subjects", type=names, default=",".join(SUBJECTS), help="default: all of them")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bench/results/local/storage.json",
                        help="where the raw numbers go, and the tables as .md beside; default: bench/results/local")
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.rows < SMALL_ROWS * SMALL_COMMITS:
        parser.error(f"--rows: expected at least {SMALL_ROWS * SMALL_COMMITS:,}, found {found.rows:,}")
    return found


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class Measured:
    """A subject with what was found of it. A step that has failed once is not tried again."""

    def __init__(self, subject, truth):
        self.subject, self.truth = subject, truth
        self.found = {"subject": subject.name, "durability": subject.durability, "failures": {}, "steps": {}}

    def step(self, name, folder, step=None, condition=None):
        """What the step found, or nothing where it or the build has failed."""
        if "build" in self.found["failures"] or name in self.found["failures"]:
            return None
        try:
            result = self.subject.step(step or name, folder, condition)
        except Failure as failure:
            say(f"{self.subject.name}, {name}: {failure}")
            self.found["failures"][name] = str(failure)
            return None
        self.found["steps"].setdefault(name, []).append(result)
        return result

    def round(self, work):
        work.mkdir()
        built = work / "built"
        if result := self.step("build", built):
            result["byteCount"] = byte_count(built)
        self.step("small", work / "small")
        for _ in range(WARM_RUNS):
            self.step("first, warm", built, "first")
        for _ in range(COLD_RUNS):
            if built.exists():
                drop_pages(built)
            self.step("first, cold", built, "first")
        if result := self.step("query", built):
            for name, search in result["searches"].items():
                search["recall"] = recall(search.pop("rows"), self.truth.nearest[name])
            for name, count in result["counts"].items():
                count["isRight"] = count["count"] == len(self.truth.rows[name])
        for name, condition in self.truth.deletions.items():
            self.delete(name, condition, built, work / name)
        shutil.rmtree(work)

    def delete(self, name, condition, built, copy):
        if built.exists():
            shutil.copytree(built, copy)
        if result := self.step(f"delete, {name}", copy, "delete", condition):
            result["byteCount"] = byte_count(copy)
            result["isRight"] = result["count"] == self.truth.left[name]


class Truth:
    """By brute force: what searches and counts must give, and the cells that are left after deletions."""

    def __init__(self, cells, rows):
        self.nearest = {name: cells.nearest(condition) for name, condition in data.SEARCHES.items()}
        self.rows = {name: cells.matching(condition) for name, condition in data.SEARCHES.items()}
        self.deletions = data.deletions(rows)
        self.left = {name: rows - len(cells.matching(condition)) for name, condition in self.deletions.items()}


def recall(found, truth):
    """The part of the true neighbours that was found, over all queries."""
    return sum(len(set(rows) & set(true)) for rows, true in zip(found, truth.tolist())) / truth.size


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def byte_count(folder):
    """On the disk: holes of files do not count."""
    return sum(512 * path.stat().st_blocks for path in files_of(folder))


def drop_pages(folder):
    """Takes a store's files out of the system's cache, so that the next process reads them from the disk."""
    for path in files_of(folder):
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main():
    options = arguments()
    subjects = [SUBJECTS[name] for name in options.subjects]
    report = {"machine": machine(), "rows": options.rows, "dimension": data.DIMENSION, "rounds": options.rounds,
              "limitSeconds": options.limit, "subjects": [],
              "versions": {name: importlib.metadata.version(name) for subject in subjects for name in subject.packages}}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    say("making the data and the truth")
    (options.work / "data").mkdir()
    truth = Truth(data.make(options.work / "data", options.rows), options.rows)
    all_measured = [Measured(subject, truth) for subject in subjects]
    report["subjects"] = [measured.found for measured in all_measured]
    for subject in subjects:
        subject.prepare(options.work, options.limit)
    for number in range(options.rounds):
        for measured in all_measured if number % 2 == 0 else reversed(all_measured):
            say(f"round {number + 1} of {options.rounds}: {measured.subject.name}")
            measured.round(options.work / "round")
            options.output.write_text(json.dumps(report, indent=1) + "\n")
    text = table.of_report(report)
    options.output.with_suffix(".md").write_text(text)
    print(text)
    say(f"wrote {options.output} and {options.output.with_suffix('.md').name}")


main()
