#!/usr/bin/env bash
# An index stays good while cells come and go, a killed build is gone on with, and neighbors vote through the index.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PY'
import random
import npy
random.seed(2)
centres = [[random.gauss(0, 1) for _ in range(16)] for _ in range(60)]
kinds = [random.randrange(60) for _ in range(24000)]
npy.save("base.npy", (24000, 16), (x + random.gauss(0, 0.5) for kind in kinds for x in centres[kind]))
npy.save("again.npy", (7200, 16), (x + random.gauss(0, 0.5) for kind in kinds[:7200] for x in centres[kind]))
npy.save("queries.npy", (50, 16), (x + random.gauss(0, 0.5) for kind in kinds[:50] for x in centres[kind]))
with open("base.csv", "w") as table:
    table.write("lot,kind,gene\n")
    table.writelines(f"{i % 10},K{kind},G{i // 80}\n" for i, kind in enumerate(kinds))
with open("again.csv", "w") as table:
    table.write("lot,kind,gene\n")
    table.writelines(f"{i % 10},K{kind},H{i // 80}\n" for i, kind in enumerate(kinds[:7200]))
PY

# recall FILE: how many of the 500 exact neighbors a search through the index finds.
found() {
  cellvec search --db db --vectors queries.npy --exact --csv "$@" | cut -d, -f1,3 | sort >exact.txt
  cellvec search --db db --vectors queries.npy --csv --through-index "$@" | cut -d, -f1,3 | sort | comm -12 - exact.txt | wc -l
}

cellvec import base.npy --db db --space s --metadata base.csv --quiet >/dev/null
expect_exit 0 cellvec index build --db db --quiet
expect_equal "as built, 19 of 20 neighbors are found" "$(($(found) >= 475))" 1
expect_exit 0 cellvec delete --db db --where "lot < 3" --yes --quiet
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,16800,16800,0,0,1,'
expect_equal "when a third is deleted" "$(($(found) >= 475))" 1
expect_exit 0 cellvec import again.npy --db db --space s --metadata again.csv --quiet
expect_exit 0 cellvec index status --db db --csv
expect_stdout '^s,24000,24000,0,0,1,'
expect_equal "when others came" "$(($(found) >= 475))" 1
expect_equal "under a filter" "$(($(found --where "lot >= 5") >= 475))" 1
expect_exit 0 cellvec search --db db --vectors queries.npy --explain --where "lot >= 5" --csv --through-index
expect_stderr '^index: recall 0\.99; it holds [0-9]+ of [0-9]+ matching vectors$'
expect_exit 0 cellvec check --db db

# A build that was killed is gone on with, or begins anew; either way it ends with an index.
for delay in 0.02 0.1 0.2 0.3; do
  { timeout --signal=KILL "$delay" "$CELLVEC" index build --db db --fresh --quiet; } >/dev/null 2>&1
  expect_exit 0 cellvec check --db db
done
expect_exit 0 cellvec index build --db db --fresh --csv --quiet
expect_stdout '^s,24000,0,24000,750,made$'
expect_exit 0 cellvec check --db db
expect_equal "after it" "$(($(found) >= 475))" 1

# Cells vote through the index where that is estimated to take less time, and what it changes is said.
expect_exit 0 cellvec knn --db db --labels kind --group gene -k 1,10
expect_stdout '^found +through the index, recall 0\.99; 2[45][0-9] of 256 cells are predicted as by comparing all$'
expect_exit 0 cellvec knn --db db --labels kind --group gene -k 1,10 --csv --quiet
cp "$_out" near.csv
expect_exit 0 cellvec knn --db db --labels kind --group gene -k 1,10 --recall 1 --csv --quiet
cp "$_out" all.csv
if python3 - <<'PY'; then ok "scores differ by less than 0.01"; else not_ok "scores differ by less than 0.01"; fi
import csv, sys
rows = [list(csv.DictReader(open(name))) for name in ("near.csv", "all.csv")]
sys.exit(any(abs(float(a["macro_f1"]) - float(b["macro_f1"])) > 0.01 for a, b in zip(*rows)))
PY
expect_exit 0 cellvec knn --db db --labels kind --group gene --where "gene IN ('G1', 'G2')"
expect_stdout '^found +by comparing all$'
expect_exit 64 cellvec knn --db db --labels kind --recall 0
expect_stderr 'recall'
finish
