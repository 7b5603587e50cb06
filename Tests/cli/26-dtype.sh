#!/usr/bin/env bash
# Spaces that keep their vectors as float16 and bfloat16.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PYTHON'
import random
import npy
random.seed(3)
# Thirty groups of like vectors, so that neighbours are clear.
centers = [[random.gauss(0, 1) for _ in range(24)] for _ in range(30)]
rows = [[x + random.gauss(0, 0.05) for x in centers[i % 30]] for i in range(900)]
npy.save("vectors.npy", (900, 24), [x for row in rows for x in row])
with open("cells.csv", "w") as file:
    file.write("gene,localization\n")
    for i in range(900):
        file.write(f"G{i % 45},{'er' if i % 2 else 'nucleus'}\n")
rows[7][5] = 70000.0
npy.save("large.npy", (900, 24), [x for row in rows for x in row])
PYTHON
# widened FILE TYPE: the digest of what a .npy of float32 holds once it was rounded to the type.
widened() {
  python3 - "$1" "$2" <<'PYTHON'
import hashlib, struct, sys
payload = open(sys.argv[1], "rb").read()[128:]
numbers = struct.unpack(f"<{len(payload) // 4}f", payload)
if sys.argv[2] == "float16":
    numbers = struct.unpack(f"<{len(numbers)}e", struct.pack(f"<{len(numbers)}e", *numbers))
if sys.argv[2] == "bfloat16":
    words = struct.unpack(f"<{len(numbers)}I", payload)
    words = [word + 0x7FFF + (word >> 16 & 1) & 0xFFFF0000 for word in words]
    numbers = struct.unpack(f"<{len(words)}f", struct.pack(f"<{len(words)}I", *words))
print(hashlib.sha256(struct.pack(f"<{len(numbers)}f", *numbers)).hexdigest())
PYTHON
}

cellvec import vectors.npy --db whole --space v --metadata cells.csv --quiet >/dev/null
cellvec search --db whole --cell 3 -k 3 --where "gene = 'G3'" --csv | cut -d, -f1,2 >found.csv
for type in float16 bfloat16; do
  expect_exit 0 cellvec import vectors.npy --db "$type" --space v --dtype "$type" --metadata cells.csv --csv --quiet
  expect_stdout '^v,24,900,900,0,899$'
  expect_exit 0 cellvec import vectors.npy --db "$type" --space v --csv --quiet
  expect_stdout '^v,24,900,0,0,899$'
  expect_exit 0 cellvec check --db "$type"
  expect_exit 0 cellvec spaces --db "$type" --csv
  expect_stdout "^v,24,900,,,$type\$"
  expect_exit 0 cellvec stats --db "$type" --json
  expect_stdout "\"dtype\": ?\"$type\""
  expect_exit 0 cellvec search --db "$type" --cell 3 -k 3 --where "gene = 'G3'" --csv
  expect_equal "the neighbors" "$(cut -d, -f1,2 "$_out")" "$(cat found.csv)"
  expect_exit 0 cellvec export --db "$type" --vectors out.npy --quiet
  expect_equal "exported are the nearest numbers" "$(widened out.npy float32)" "$(widened vectors.npy "$type")"
  # Those are imported again without a change.
  expect_exit 0 cellvec import out.npy --db again-"$type" --space v --dtype "$type" --quiet
  expect_exit 0 cellvec export --db again-"$type" --vectors again.npy --quiet
  expect_equal "what was rounded is not rounded again" "$(widened again.npy float32)" "$(widened out.npy float32)"

  # One type a space.
  for other in float32 float16 bfloat16; do
    if [[ $other == "$type" ]]; then continue; fi
    expect_exit 64 cellvec import vectors.npy --db "$type" --space v --dtype "$other"
    expect_stderr "^cellvec: --dtype: space \"v\" keeps $type, not $other; leave --dtype out"
  done
  expect_exit 65 cellvec merge "$type" --db whole
  expect_stderr "^cellvec: $type: space \"v\": expected vectors of float32, as whole has, found $type; "

  # The verbs that read and write vectors.
  expect_exit 0 cellvec train --db "$type" --labels localization --group gene --folds 3 --epochs 2 --save h --quiet
  expect_exit 0 cellvec predict --db "$type" --head h --quiet
  expect_exit 0 cellvec merge "$type" --db merged-"$type"
  expect_exit 0 cellvec check --db merged-"$type"
  expect_exit 0 cellvec export --db merged-"$type" --vectors merged.npy --quiet
  expect_equal "merged are the same numbers" "$(widened merged.npy float32)" "$(widened out.npy float32)"
  expect_exit 0 cellvec delete --db "$type" --where "gene IN ('G1', 'G2')" --yes --quiet
  expect_exit 0 cellvec compact --db "$type" --quiet
  expect_exit 0 cellvec backup copy-"$type" --db "$type"
  expect_exit 0 cellvec check --db copy-"$type"
  expect_exit 0 cellvec search --db copy-"$type" --cell 3 -k 3 --where "gene = 'G3'" --csv
  expect_equal "the neighbors" "$(cut -d, -f1,2 "$_out")" "$(cat found.csv)"
done

# What float16 cannot hold is refused before anything is written; bfloat16 has the range of float32.
expect_exit 65 cellvec import large.npy --db large --dtype float16
expect_stderr '^cellvec: large.npy: expected numbers up to 65504, which float16 can hold, found 70000.0 in row 7, column 5; '
expect_equal "nothing is left of it" "$(ls -d large 2>/dev/null)" ""
expect_exit 0 cellvec import large.npy --db large --dtype bfloat16 --quiet
python3 -c 'import npy; npy.save("small.npy", (2, 3), [1, 0, 0, 1e-7, 0, 0])'
expect_exit 65 cellvec import small.npy --db small --dtype float16
expect_stderr '^cellvec: small.npy: expected vectors with a number of 6.1e-5 or more, .* in row 1; scale the vectors'
expect_exit 64 cellvec import vectors.npy --db large --dtype float64

# Programs that know float32 alone refuse such a database, and read it again when its last such space is gone.
flags() { grep --text --only-matching --extended-regexp '"readerFlags":\["half-vectors"\]' "$1/data.mdb" | sort -u; }
cellvec backup flagged --db large >/dev/null
expect_equal "the header has the flag" "$(flags flagged)" '"readerFlags":["half-vectors"]'
expect_exit 0 cellvec spaces drop imported --db large --yes --quiet
expect_exit 0 cellvec backup plain --db large
expect_equal "the header has it no more" "$(flags plain)" ""

# From images.
cellvec simulate fields --fields 2 --cells-per-field 4 --size 160 --seed 5 --quiet
ingest() {
  cellvec ingest fields --db lab --channels nucleus='*_nucleus.png' protein='*_protein.png' --cells masks='*_mask.png' \
    --crop 64 "$@"
}
expect_exit 0 ingest --dtype bfloat16 --quiet --csv
expect_exit 0 ingest --quiet --csv
expect_stdout '^images unchanged,2$'
expect_exit 64 ingest --dtype float16
expect_stderr '^cellvec: --dtype: space ".*" keeps bfloat16, not float16; leave --dtype out, or name a new space with --space$'
expect_exit 0 ingest --dtype float16 --space f16 --quiet
expect_exit 0 cellvec spaces --db lab --csv
expect_lines 3
expect_exit 0 cellvec search --db lab --space f16 --cell 0 -k 3
expect_exit 0 cellvec check --db lab
finish
