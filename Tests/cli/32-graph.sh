#!/usr/bin/env bash
# A graph is built, used beside an index, kept while cells come and go, and dropped.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_clustered_files 60 300
cellvec import base.npy --db db --space s --metadata base.csv --quiet >/dev/null

expect_exit 64 cellvec index build --db db --kind tree
expect_exit 0 cellvec index build --db db --kind graph --csv --quiet
expect_stdout '^s,12000,0,0,made,0\.9;0\.95;0\.99[;,]'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,12000,12000,0,0,1,,[0-9]+,768(\.0)?,0\.9;0\.95;0\.99.*,graph$'

# Stopped, a build says what is left of it: nothing of a graph, and of lists nothing before their centres are found.
for kind in graph compact; do
  "$CELLVEC" index build --db db --kind "$kind" --fresh --quiet >/dev/null 2>stopped.err &
  wait_until_it_listens $!
  kill -INT $!
  wait $!
  expect_equal "$kind was stopped" "$? $(cat stopped.err)" \
    "130 cellvec: interrupted; nothing was saved; run the same command to begin again"
done
expect_exit 0 cellvec index status --db db --csv
expect_lines 2
expect_stdout '^s,12000,12000,0,0,1,.*,graph$'

# Most of the same cells, with the same similarities.
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --exact
cp .stdout exact.csv
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain --recall 0.95
expect_stderr '^graph: recall 0\.95; it holds 12000 of 12000 matching vectors$'
expect_stderr '^a query visits [0-9]+ vertices and compares [0-9]+ vectors$'
cp .stdout near.csv
if python3 - <<'PY'; then ok "9 of 10 neighbors are the exact search's"; else not_ok "9 of 10 neighbors are the exact search's"; fi
import csv, sys
def read(path):
    return {(row["query"], row["cell"]): row["similarity"] for row in csv.DictReader(open(path))}
exact, near = read("exact.csv"), read("near.csv")
shared = exact.keys() & near.keys()
sys.exit(len(near) != 3000 or len(shared) < 2760 or any(exact[key] != near[key] for key in shared))
PY

# Conditions that most match go through the graph, others to the index.
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain --where "dose < 95"
expect_stderr '^graph: .* it holds 11400 of 11400 matching vectors$'
expect_exit 0 cellvec index build --db db --csv --quiet
expect_stdout '^s,12000,0,12000,[0-9]+,made$'
expect_exit 0 cellvec index status --db db --csv
expect_stdout ',compact$'
expect_stdout ',graph$'
expect_exit 0 cellvec check --db db

# Queries around which hardly any cell matches, though most cells do.
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --where "cluster >= 5" --explain
expect_stderr '^estimated to be fastest: (the graph|the compact index|comparing all), .* times as long, .* times as long$'
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --where "cluster >= 5" --exact
cut -d, -f1,3,4 "$_out" | sort >exact.txt
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --where "cluster >= 5" --explain
expect_stderr '^(graph|index): recall 0\.99; it holds 10[0-9]+ of 10[0-9]+ matching vectors$'
cut -d, -f1,3,4 "$_out" | sort | comm -12 - exact.txt >common.txt
expect_equal "96 of 100 of the same cells, with the same similarities" \
  "$(($(wc -l <common.txt) * 100 >= $(wc -l <exact.txt) * 96))" 1

# New cells are found at once, deleted ones never again.
expect_exit 0 cellvec import more.npy --db db --space s --quiet
expect_exit 0 cellvec search --db db --vectors more.npy -k 1 --csv --through-index --explain
expect_stderr '^(graph: .* it holds 12000 of 12060 matching vectors|index: .* 12060 of 12060 matching vectors)$'
expect_stderr '^a query (visits .* vectors, and [0-9]+ of the 60 others|scans .* vectors)$'
if awk -F, 'NR > 1 && $4 != 12000 + $1 && $3 != 12000 + $1 { exit 1 }' "$_out"; then
  ok "each new cell is its own nearest"
else
  not_ok "each new cell is its own nearest"
fi
expect_exit 0 cellvec delete --db db --where "dose = 7" --yes --quiet
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain --fields dose
expect_stderr '^(graph: .* it holds 11880|index: .* it holds 11940) of 11940 matching vectors'
if ! grep --quiet ',7$' "$_out"; then ok "no deleted cell is found"; else not_ok "no deleted cell is found"; fi
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec index build --db db --kind graph --csv --quiet
expect_stdout '^s,11940,0,0,made,'
expect_exit 0 cellvec index build --db db --kind graph --csv --quiet
expect_stdout '^s,11940,0,0,kept,'
# A few that go leave their vertices.
expect_exit 0 cellvec delete --db db --where 'dose = 8 AND cluster < 25' --yes --quiet
expect_exit 0 cellvec index build --db db --kind graph --csv --quiet
expect_stdout '^s,118[0-9][0-9],[1-9][0-9],0,kept,'

# A killed build leaves a database that searches and builds as before.
for delay in 0.1 0.4 0.8; do
  { timeout --signal=KILL "$delay" "$CELLVEC" index build --db db --kind graph --fresh --quiet; } >/dev/null 2>&1
  expect_exit 0 cellvec check --db db
  expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain
  expect_stderr '^(graph|index): '
done
expect_exit 0 cellvec index build --db db --kind graph --fresh --csv --quiet
expect_exit 0 cellvec compact --db db --quiet
expect_exit 0 cellvec check --db db
cp -r db other
expect_exit 0 cellvec index drop --db other --kind compact
expect_stderr '^dropped the compact index of space s$'
expect_exit 0 cellvec index drop --db other --kind compact
expect_stderr '^space s had no compact index$'
expect_exit 0 cellvec search --db other --vectors queries.npy --csv --through-index --explain
expect_stderr '^graph: '
expect_exit 0 cellvec search --db other --vectors queries.npy --csv --explain --where "dose < 20"
expect_stderr '^exact: each of [0-9]+ matching vectors is compared; the graph serves where at least 0\.3 of its vectors match$'
expect_exit 0 cellvec check --db other
expect_exit 0 cellvec index drop --db db --kind graph
expect_stderr '^dropped the graph of space s$'
expect_exit 0 cellvec index status --db db --csv
expect_stdout ',compact$'
expect_exit 0 cellvec search --db db --vectors queries.npy --csv --through-index --explain
expect_stderr '^index: '
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec index drop --db db
expect_stderr '^dropped the index of space s$'
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,118[0-9][0-9],0,118[0-9][0-9],,,,,,,,0,0,$'
expect_exit 0 cellvec check --db db

# Vectors of fewer bytes become vertices as they are stored, and are compared as such.
for type in float16 bfloat16 int8; do
  expect_exit 0 cellvec import base.npy --db "$type" --space s --dtype "$type" --quiet
  expect_exit 0 cellvec index build --db "$type" --kind graph --quiet
  expect_exit 0 cellvec check --db "$type"
  cellvec search --db "$type" --vectors queries.npy --exact --csv | cut -d, -f1,3,4 | sort >exact.txt
  expect_exit 0 cellvec search --db "$type" --vectors queries.npy --csv --through-index --explain
  expect_stderr '^graph: recall 0.99'
  cut -d, -f1,3,4 "$_out" | sort | comm -12 - exact.txt >common.txt
  expect_equal "nine in ten of the same cells, with the same similarities" \
    "$(($(wc -l <common.txt) * 10 >= $(wc -l <exact.txt) * 9))" 1
done
finish
