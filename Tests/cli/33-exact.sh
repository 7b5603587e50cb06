#!/usr/bin/env bash
# Exact searches: with int8 copies of the vectors and without they find the same; other metrics than the cosine.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PY'
import json
import random
import npy
random.seed(4)
centres = [[random.gauss(0, 1) for _ in range(48)] for _ in range(30)]
def vectors(count):
    return [[x + random.gauss(0, 0.4) for x in random.choice(centres)] for _ in range(count)]
base = vectors(3000)
for name, rows in [("base", base), ("more", vectors(200)), ("queries", vectors(20)), ("one", base[8:9])]:
    npy.save(f"{name}.npy", (len(rows), 48), (x for row in rows for x in row))
json.dump(base, open("base.json", "w"))
with open("base.csv", "w") as table:
    table.write("gene,lot\n")
    table.writelines(f"G{i % 40},{i % 100}\n" for i in range(3000))
PY
cellvec import base.npy --db db --space s --metadata base.csv --quiet >/dev/null

# same NAME COMMAND...: gives what the command gave before, kept in the file NAME.
keep() { expect_exit 0 "${@:2}" && cp "$_out" "$1"; }
same() {
  expect_exit 0 "${@:2}"
  if cmp -s "$_out" "$1"; then ok "as before: $1"; else not_ok "as before: $1"; fi
}
one=(cellvec search --db db --vectors one.npy --csv)
many=(cellvec search --db db --vectors queries.npy --csv)
where=(--where "lot < 40")
distinct=(--distinct gene -k 5)

keep one.csv "${one[@]}" --explain
expect_stderr '^exact: each of 3000 matching vectors is compared; the space has no index$'
keep many.csv "${many[@]}" --explain
expect_stderr '^int8 copies, made for this search, rule out most: a query is compared with [0-9]+ vectors as they are stored$'
keep where.csv "${many[@]}" "${where[@]}"
keep distinct.csv "${many[@]}" "${distinct[@]}"
keep knn.csv cellvec knn --db db --labels gene --group lot --csv --quiet

expect_exit 0 cellvec index build --kind int8 --db db --csv --quiet
expect_stdout '^s,3000,3000,[0-9]+$'
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,3000,0,3000,,,,,,,,3000,[0-9]+,$'
expect_exit 0 cellvec check --db db
same one.csv "${one[@]}" --explain
expect_stderr '^int8 copies rule out most: a query is compared with [0-9]+ vectors as they are stored$'
same many.csv "${many[@]}" --threads 3
same where.csv "${many[@]}" "${where[@]}"
same distinct.csv "${many[@]}" "${distinct[@]}"
same knn.csv cellvec knn --db db --labels gene --group lot --csv --quiet

# Copies follow what is added; those of changed vectors count as none until the next are made.
expect_exit 0 cellvec import more.npy --db db --space s --quiet
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,3200,0,3200,,,,,,,,3200,'
expect_exit 0 cellvec delete --db db --where "lot = 7" --yes --quiet
expect_exit 0 cellvec check --db db
keep one.csv "${one[@]}"
keep many.csv "${many[@]}"
expect_exit 0 cellvec index build --kind int8 --db db --quiet
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,3170,0,3170,,,,,,,,3170,'
same one.csv "${one[@]}"
same many.csv "${many[@]}"
expect_exit 0 cellvec compact --db db --quiet
expect_exit 0 cellvec spaces rename s t --db db
same one.csv "${one[@]}"
expect_exit 0 cellvec check --db db
# Under other numbers of cells, copies are made anew.
cp -r db moved
expect_exit 0 cellvec compact --renumber --db moved
expect_stderr '^making the int8 copies of space t anew$'
expect_exit 0 cellvec index status --db moved --csv
expect_stdout '^t,3170,0,3170,,,,,,,,3170,[0-9]+,$'
expect_exit 0 cellvec check --db moved
for delay in 0.02 0.05 0.1; do
  { timeout --signal=KILL "$delay" "$CELLVEC" index build --kind int8 --db db --fresh --quiet; } >/dev/null 2>&1
  same many.csv "${many[@]}"
  expect_exit 0 cellvec check --db db
done
expect_exit 0 cellvec index build --kind int8 --db db --fresh --csv --quiet
expect_stdout '^t,3170,3170,'
expect_exit 0 cellvec index drop --kind int8 --db db
expect_stderr '^dropped the int8 copies of space t$'
expect_exit 0 cellvec index drop --kind int8 --db db
expect_stderr '^there were no int8 copies of space t$'
same one.csv "${one[@]}"
expect_exit 0 cellvec check --db db

# A merge makes copies of what it adds.
cellvec import one.npy --db small --space t --quiet >/dev/null
expect_exit 0 cellvec index build --kind int8 --db small --quiet
expect_exit 0 cellvec merge db --db small --quiet
expect_exit 0 cellvec index status --db small --csv
expect_stdout ',3171,[0-9]+,$'

# Products and distances.
expect_exit 0 "${many[@]}" --metric dot -k 3
expect_stdout '^query,rank,cell,dot_product,'
expect_exit 0 cellvec search --db db --vectors one.npy --metric l2 --csv --explain
expect_stdout '^query,rank,cell,distance,'
expect_stdout '^0,1,8,0\.?0*,'
expect_stderr '^exact: each of 3170 matching vectors is compared; an index knows cosines only$'
cp "$_out" near.csv
if python3 - <<'PY'; then ok "distances are those of brute force"; else not_ok "distances are those of brute force"; fi
import csv, json, math, sys
base = json.load(open("base.json"))
kept = sorted((math.dist(base[8], vector), row) for row, vector in enumerate(base) if row % 100 != 7)
found = [(float(row["distance"]), int(row["cell"])) for row in csv.DictReader(open("near.csv")) if int(row["cell"]) < 3000]
sys.exit(any(abs(a[0] - b[0]) > 1e-5 or a[1] != b[1] for a, b in zip(found, kept)) or found[0] != (0, 8))
PY
limit=$(cut -d, -f4 near.csv | sed -n 5p)
expect_exit 0 cellvec search --db db --vectors one.npy --metric l2 --max-distance "$limit" -k all --csv
expect_equal "no farther ones" "$(tail -n +2 "$_out" | awk -F, -v limit="$limit" '$4 > limit' | wc -l)" 0
expect_exit 0 "${many[@]}" --metric l2 "${distinct[@]}"
expect_lines 101
expect_exit 64 "${one[@]}" --metric l2 --min-similarity 0.5
expect_stderr 'min-similarity goes with --metric cosine'
expect_exit 64 "${one[@]}" --max-distance 1
expect_stderr 'max-distance goes with --metric l2'
expect_exit 64 "${one[@]}" --metric l2 --max-distance -1
expect_exit 64 "${one[@]}" --metric dot --by gene
expect_exit 64 "${one[@]}" --metric angle
finish
