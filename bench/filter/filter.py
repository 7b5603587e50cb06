"""Times filters on a database that `cellvec import` makes; bench/filter/run calls it.

Every cell has a vector of 8 numbers, a text of 20 (line), one of 20,000 (gene), a list of one to three of 20 texts
(labels), a real number (dose) and a whole one (passage); one in ten lacks its labels and its dose.
"""

import argparse
import json
import pathlib
import random
import statistics

from common import vectors
from common.machine import machine, sentence
from common.markdown import row
from common.process import run

DIMENSION, LINES, GENES, LABELS = 8, 20, 20_000, 20

FILTERS = [
    ("equality, 1 of 20 texts", "line = 'line7'"),
    ("equality, 1 of 20,000 texts", "gene = 'gene00007'"),
    ("equality, number", "passage = 7"),
    ("NOT equality", "NOT line = 'line7'"),
    ("IS NULL", "labels IS NULL"),
    ("IN, 3 of 20 texts", "line IN ('line1', 'line2', 'line3')"),
    ("IN, 10,000 of 20,000 texts", "gene IN (:genes)"),
    ("IN, 3 numbers", "passage IN (3, 5, 7)"),
    ("IN, 18 numbers", f"passage IN ({', '.join(map(str, range(18)))})"),
    ("LIKE, prefix of 11 texts", "line LIKE 'line1%'"),
    ("LIKE, 2,000 of 20,000 texts", "gene LIKE '%7'"),
    ("range, 1 %", "dose < 0.01"),
    ("range, 50 %", "dose BETWEEN 0.25 AND 0.75"),
    ("NOT range", "NOT dose < 0.01"),
    ("HAS", "labels HAS 'label3'"),
    ("HAS ANY of 3", "labels HAS ANY ('label1', 'label2', 'label3')"),
    ("HAS ALL of 2", "labels HAS ALL ('label1', 'label2')"),
    ("NOT HAS", "NOT labels HAS 'label3'"),
    ("AND of 3", "line = 'line7' AND labels HAS 'label3' AND dose < 0.5"),
    ("OR of 3, nested", "(line = 'line7' OR gene = 'gene00007') AND NOT (dose < 0.5 OR passage = 7)"),
    ("cells by number", "cell < 1000"),
    ("cells by area, read one by one", "cell.area IS NOT NULL"),
]


def make_files(folder, rows):
    vectors.save(folder / "vectors.npy", rows, DIMENSION)
    generator = random.Random(1)
    with open(folder / "cells.csv", "w") as file:
        file.write("line,gene,labels,dose,passage\n")
        for _ in range(rows):
            labels, dose = "", ""
            if generator.random() >= 0.1:
                names = {f"label{generator.randrange(LABELS)}" for _ in range(generator.randint(1, 3))}
                labels, dose = ";".join(sorted(names)), f"{generator.random():.6f}"
            file.write(f"line{generator.randrange(LINES)},gene{generator.randrange(GENES):05},{labels},{dose},"
                       f"{generator.randrange(30)}\n")
    (folder / "genes.txt").write_text("".join(f"gene{number:05}\n" for number in range(0, GENES, 2)))


def explain(folder, condition, runs):
    """The first line of `count --explain`, and the seconds of the whole command."""
    parameters = ["--param-file", f"genes={folder / 'genes.txt'}"] if ":genes" in condition else []
    done = run(["cellvec", "count", "--db", folder / "db", "--where", condition, *parameters, "--explain", "--runs",
                str(runs), "--json"])
    return json.loads(done.output.splitlines()[0]), done.seconds


def main():
    parser = argparse.ArgumentParser(prog="bench/filter/run", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=51, help="evaluations in one process; default: 51")
    parser.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    make_files(options.work, options.rows)
    run(["cellvec", "import", options.work / "vectors.npy", "--db", options.work / "db", "--metadata",
         options.work / "cells.csv", "--type", "labels=list", "--quiet"])
    print(f"{sentence(machine())}. {options.rows:,} cells.\n")
    print(row("filter", "condition", "cells", "first, ms", "then, ms", "command, ms"))
    print("|---|---|---:|---:|---:|---:|", flush=True)
    for name, condition in FILTERS:
        explain(options.work, condition, 1)
        first = [explain(options.work, condition, 1) for _ in range(5)]
        many, _ = explain(options.work, condition, options.runs)
        print(row(name, f"`{condition}`", f"{many['cells']:,}",
                  f"{statistics.median(report['milliseconds'] for report, _ in first):.3f}",
                  f"{many['milliseconds']:.3f}",
                  f"{1000 * statistics.median(seconds for _, seconds in first):.1f}"), flush=True)


if __name__ == "__main__":
    main()
