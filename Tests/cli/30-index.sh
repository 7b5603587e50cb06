#!/usr/bin/env bash
# An index is built, used, kept while cells come and go, and dropped.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_clustered_files 300 50
cellvec import base.npy --db db --space s --metadata base.csv --quiet >/dev/null

expect_exit 0 cellvec index --db db --csv
expect_stdout '^s,12000,0,12000,,,,,,,,0,0,$'
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --explain
expect_stderr '^exact: each of 12000 matching vectors is compared; the space has no index$'
cp .stdout exact.csv
expect_exit 0 cellvec index build --db db --csv --quiet
expect_stdout '^s,12000,0,12000,375,made$'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,12000,12000,0,0,1,375,[0-9]+,40,0\.9;0\.95;0\.99;0\.999,'

# Most of the same cells, with the same similarities.
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain --recall 0.95
expect_stderr '^index: recall 0\.95; it holds 12000 of 12000 matching vectors$'
cp .stdout near.csv
if python3 - <<'PY'; then ok "19 of 20 neighbors are the exact search's"; else not_ok "19 of 20 neighbors are the exact search's"; fi
import csv, sys
def read(path):
    return {(row["query"], row["cell"]): row["similarity"] for row in csv.DictReader(open(path))}
exact, near = read("exact.csv"), read("near.csv")
shared = exact.keys() & near.keys()
sys.exit(len(near) != 500 or len(shared) < 460 or any(exact[key] != near[key] for key in shared))
PY
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --explain --exact
if cmp -s .stdout exact.csv; then ok "--exact is as without an index"; else not_ok "--exact is as without an index"; fi
expect_exit 0 cellvec search --db db --cell 5 --where "plate = 'P1'" --explain --json
expect_stderr '^exact: each of 2999 matching vectors is compared; that is estimated to take less time than an index$'
expect_stderr '^estimated to be fastest: comparing all, the compact index [0-9.]+ times as long$'
expect_exit 64 cellvec search --db db --cell 5 --exact --recall 0.95
expect_stderr 'recall goes without --exact'
expect_exit 64 cellvec search --db db --cell 5 --exact --through-index
expect_exit 64 cellvec search --db db --cell 5 --recall 1 --through-index
expect_exit 64 cellvec search --db db --cell 5 --recall 1.5
expect_stderr 'recall'

# New cells are in the index when the import ends, deleted ones are out of it.
expect_exit 0 cellvec import more.npy --db db --space s --quiet
expect_exit 0 cellvec delete --db db --where "dose = 7" --yes --quiet
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,12180,12180,0,120,2,375,'
expect_exit 0 cellvec search --db db --vectors more.npy -k 1 --csv --through-index --explain
expect_stderr '^index: '
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec delete --db db --where "plate = 'P1'" --yes --quiet
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --explain
expect_exit 0 cellvec index build --db db --csv --quiet
expect_stdout ',0,375,completed$'
expect_exit 0 cellvec index build --db db --fresh --csv --quiet
expect_stdout ',made$'
expect_exit 0 cellvec check --db db

# A killed build leaves a database that searches and builds as before.
for delay in 0.05 0.2 0.4; do
  { timeout --signal=KILL "$delay" "$CELLVEC" index build --db db --fresh --quiet; } >/dev/null 2>&1
  expect_exit 0 cellvec check --db db
done
expect_exit 0 cellvec index build --db db --fresh --csv --quiet
expect_exit 0 cellvec compact --db db --quiet
expect_exit 0 cellvec search --db db --vectors queries.npy --explain --csv --where "dose < 1000"
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec index drop --db db
expect_stderr '^dropped the index of space s$'
expect_exit 0 cellvec index drop --db db
expect_stderr '^space s had no index$'
expect_exit 0 cellvec check --db db

# Vectors of fewer bytes are coded from what is stored, and compared as it is.
for type in float16 bfloat16 int8; do
  expect_exit 0 cellvec import base.npy --db "$type" --space s --dtype "$type" --quiet
  expect_exit 0 cellvec index build --db "$type" --quiet
  expect_exit 0 cellvec check --db "$type"
  cellvec search --db "$type" --vectors queries.npy --exact --csv | cut -d, -f1,3,4 | sort >exact.txt
  expect_exit 0 cellvec search --db "$type" --vectors queries.npy --csv --through-index --explain
  expect_stderr '^index: recall 0.99'
  cut -d, -f1,3,4 "$_out" | sort | comm -12 - exact.txt >common.txt
  expect_equal "nine in ten of the same cells, with the same similarities" \
    "$(($(wc -l <common.txt) * 10 >= $(wc -l <exact.txt) * 9))" 1
done
finish
