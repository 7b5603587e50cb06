#!/usr/bin/env bash
# Spaces that keep their vectors as whole numbers of 8 bits with a scale of their own.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cat >bytes.py <<'PYTHON'
"""What a space of int8 must hold and find, by arithmetic on the rounded vectors in double."""
import array, csv, math, struct, sys
import npy


def read(path):
    payload = open(path, "rb").read()[128:]
    return array.array("f", payload)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def rounded(vector):
    largest, = struct.unpack("<I", struct.pack("<f", f32(max(map(abs, vector)) / 127)))
    scale, = struct.unpack("<f", struct.pack("<I", largest & 0xFFFFFF80))
    # Python rounds halves to even.
    return [round(f32(x / scale)) * scale if scale else 0.0 for x in vector]


def rows(path, dimension):
    numbers = read(path)
    return [numbers[i:i + dimension] for i in range(0, len(numbers), dimension)]


def distance(metric, q, x):
    if metric == "l2":
        return math.dist(q, x)
    dot = sum(a * b for a, b in zip(q, x))
    return dot if metric == "dot" else dot / (math.hypot(*q) * math.hypot(*x) or 1)


what, source, result, *more = sys.argv[1:]
dimension = 40
vectors = [rounded(vector) for vector in rows(source, dimension)]
if what == "same":
    found = [list(vector) for vector in rows(result, dimension)]
    sys.exit(0 if found == vectors else "the exported vectors are not those that int8 says")
metric, query = more[0], list(rows(more[1], dimension)[0])
key = {"cosine": "similarity", "dot": "dot_product", "l2": "distance"}[metric]
found = [(int(row["cell"]), float(row[key])) for row in csv.DictReader(open(result))]
truth = sorted(enumerate(distance(metric, query, x) for x in vectors), key=lambda pair: pair[1],
               reverse=metric != "l2")[:len(found)]
for (cell, value), (expected, true) in zip(found, truth):
    if cell != expected or abs(value - true) > 1e-4 * max(1, abs(true)):
        sys.exit(f"{metric}: found cell {cell} at {value}, expected {expected} at {true}")
sys.exit(0 if len(found) == 10 else f"{metric}: {len(found)} neighbors")
PYTHON
python3 - <<'PYTHON'
import random
import npy
random.seed(3)
centers = [[random.gauss(0, 1) for _ in range(40)] for _ in range(30)]
rows = [[(1 + i % 7) * (x + random.gauss(0, 0.3)) for x in centers[i % 30]] for i in range(1500)]
rows[11] = [0.0] * 40
npy.save("vectors.npy", (1500, 40), [x for row in rows for x in row])
npy.save("query.npy", (1, 40), [x + random.gauss(0, 0.1) for x in centers[4]])
npy.save("many.npy", (40, 40), [x + random.gauss(0, 0.1) for i in range(40) for x in centers[i % 30]])
npy.save("extreme.npy", (4, 3), [3.4e38, -3.4e38, 1e-38, 0, 0, 0, 1e-30, -0.0, 1.2e-31, 1e38, 1.0, 1e36])
npy.save("tiny.npy", (2, 3), [1, 0, 0, 1e-38, 0, 0])
with open("cells.csv", "w") as file:
    file.write("gene,localization\n")
    for i in range(1500):
        file.write(f"G{i % 45},{'er' if i % 30 < 15 else 'nucleus'}\n")
PYTHON

expect_exit 0 cellvec import vectors.npy --db lab --space v --dtype int8 --metadata cells.csv --csv --quiet
expect_stdout '^v,40,1500,1500,0,1499$'
expect_exit 0 cellvec import vectors.npy --db lab --space v --csv --quiet
expect_stdout '^v,40,1500,0,0,1499$'
expect_exit 0 cellvec check --db lab
expect_exit 0 cellvec spaces --db lab --csv
expect_stdout '^v,40,1500,,,int8$'
expect_exit 0 cellvec export --db lab --vectors out.npy --quiet
expect_exit 0 python3 bytes.py same vectors.npy out.npy
# Those are imported again without a change.
expect_exit 0 cellvec import out.npy --db again --space v --dtype int8 --quiet
expect_exit 0 cellvec export --db again --vectors again.npy --quiet
expect_equal "what was rounded is not rounded again" "$(sha256sum <again.npy)" "$(sha256sum <out.npy)"

# Exact searches in each metric are those of the rounded vectors.
for metric in cosine dot l2; do
  expect_exit 0 cellvec search --db lab --vectors query.npy -k 10 --exact --metric "$metric" --csv
  cp "$_out" found.csv
  expect_exit 0 python3 bytes.py near vectors.npy found.csv "$metric" query.npy
done
# Many queries together find what each alone finds.
expect_exit 0 cellvec search --db lab --vectors many.npy -k 5 --exact --csv
cp "$_out" together.csv
for isa in portable avx2; do
  expect_exit 0 env CELLVEC_ISA=$isa cellvec search --db lab --vectors many.npy -k 5 --exact --csv
  expect_equal "cells found with $isa" "$(cut -d, -f1-3 "$_out")" "$(cut -d, -f1-3 together.csv)"
done
expect_exit 0 cellvec search --db lab --cell 11 -k 3 --exact
expect_exit 0 cellvec search --db lab --vectors query.npy --min-similarity 0.9 --exact --csv
expect_exit 0 cellvec knn --db lab --labels localization --group gene -k 5 --csv

# Indexes of all kinds but copies in 8 bits, which the vectors are.
cut -d, -f1-3 together.csv >cells.found
for kind in compact graph; do
  expect_exit 0 cellvec index build --db lab --kind "$kind" --quiet
  expect_exit 0 cellvec check --db lab
  expect_exit 0 cellvec search --db lab --vectors many.npy -k 5 --recall 0.99 --through-index --csv
  same=$(cut -d, -f1-3 "$_out" | sort | comm -12 - <(sort cells.found) | wc -l)
  expect_equal "nearly all that $kind finds" "$((same >= 195))" 1
  expect_exit 0 cellvec index drop --db lab --kind "$kind" --quiet
done
expect_exit 64 cellvec index build --db lab --kind int8
expect_stderr '^cellvec: space "v": keeps its vectors in 8 bits a number: a copy would be as large; '

# One type a space.
expect_exit 64 cellvec import vectors.npy --db lab --space v --dtype float32
expect_stderr '^cellvec: --dtype: space "v" keeps int8, not float32; leave --dtype out'
expect_exit 0 cellvec import vectors.npy --db whole --space v --metadata cells.csv --quiet
expect_exit 65 cellvec merge lab --db whole
expect_stderr '^cellvec: lab: space "v": expected vectors of float32, as whole has, found int8; '

# The verbs that read and write vectors.
expect_exit 0 cellvec train --db lab --labels localization --group gene --folds 3 --epochs 2 --save h --quiet
expect_exit 0 cellvec predict --db lab --head h --quiet
expect_exit 0 cellvec evaluate --db lab --labels localization --group gene --folds 3 --epochs 2 --quiet
expect_exit 0 cellvec merge lab --db merged
expect_exit 0 cellvec check --db merged
expect_exit 0 cellvec export --db merged --vectors merged.npy --quiet
expect_equal "merged are the same numbers" "$(sha256sum <merged.npy)" "$(sha256sum <out.npy)"
expect_exit 0 cellvec delete --db lab --where "gene IN ('G1', 'G2')" --yes --quiet
expect_exit 0 cellvec compact --db lab --renumber --quiet
expect_exit 0 cellvec backup copy --db lab
expect_exit 0 cellvec check --db copy
expect_exit 0 cellvec export --db copy --vectors left.npy --quiet
expect_equal "what is left is as it was" "$(python3 - <<'PYTHON'
payload, left = (open(path, "rb").read()[128:] for path in ("out.npy", "left.npy"))
kept = b"".join(payload[160 * i:160 * i + 160] for i in range(1500) if i % 45 not in (1, 2))
print(kept == left)
PYTHON
)" True

# Any finite number can be kept; of a vector that is all but zero too little would be left.
expect_exit 0 cellvec import extreme.npy --db extreme --dtype int8 --quiet
expect_exit 0 cellvec check --db extreme
expect_exit 0 cellvec search --db extreme --cell 0 -k 4 --metric l2 --csv
expect_exit 65 cellvec import tiny.npy --db tiny --dtype int8
expect_stderr '^cellvec: tiny.npy: expected vectors with a number of 1.5e-36 or more, which int8 keeps as others, .* in row 1; '
expect_equal "nothing is left of it" "$(ls -d tiny 2>/dev/null)" ""

# Programs that do not know int8 refuse such a database, and read it again when its last such space is gone.
flags() { grep --text --only-matching --extended-regexp '"readerFlags":\["byte-vectors"\]' "$1/data.mdb" | sort -u; }
cellvec backup flagged --db extreme >/dev/null
expect_equal "the header has the flag" "$(flags flagged)" '"readerFlags":["byte-vectors"]'
expect_exit 0 cellvec spaces drop imported --db extreme --yes --quiet
expect_exit 0 cellvec backup plain --db extreme
expect_equal "the header has it no more" "$(flags plain)" ""

# From images.
cellvec simulate fields --fields 2 --cells-per-field 4 --size 160 --seed 5 --quiet
ingest() {
  cellvec ingest fields --db images --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --cells masks='*_mask.png' --crop 64 "$@"
}
expect_exit 0 ingest --dtype int8 --quiet --csv
expect_exit 0 ingest --quiet --csv
expect_stdout '^images unchanged,2$'
expect_exit 0 cellvec search --db images --cell 0 -k 3
expect_exit 0 cellvec check --db images
finish
