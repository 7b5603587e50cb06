#!/usr/bin/env bash
# Heads of one data set tested on another: conditions, label maps, and leaks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PYTHON'
import npy
names = {"HPA": ["Cytosol", "Golgi apparatus", "Nucleoplasm"], "OpenCell": ["cytoplasmic", "golgi", "nucleoplasm"]}
values, lines = [], []
for i in range(90):
    source = "HPA" if i < 60 else "OpenCell"
    kind = i % 3
    values += [float(kind == j) + (i * (j + 5) % 7) / 30 for j in range(3)]
    lines.append(f"{source},G{i // 3},{names[source][kind]}")
npy.save("vectors.npy", (90, 3), values)
open("cells.csv", "w").write("source,gene,localization\n" + "\n".join(lines) + "\n")
PYTHON
cellvec import vectors.npy --db db --space s --metadata cells.csv --type localization=list --quiet >/dev/null

transfer=(cellvec evaluate --db db --labels localization --group gene --epochs 30 --learning-rate 0.05 --train-where "source = 'HPA'")
expect_exit 0 "${transfer[@]}" --test-where "source = 'OpenCell'" --label-map opencell-hpa --output eval.json
expect_stdout '^labels +localization by the map opencell-hpa$'
expect_stdout '^split +60 samples teach, 30 test, grouped by gene$'
expect_stdout '^s +1\.000 +- +- '
expect_stdout '^cytosol +10 '
expect_equal "cells that teach are not predicted" "$(
  python3 -c 'import json; e = json.load(open("eval.json")); print(e["testFolds"][0].count(-1), e["testFolds"][0].count(0))'
)" "60 30"

# Without the map no class is on both sides.
expect_exit 0 "${transfer[@]}" --test-where "source = 'OpenCell'"
expect_stdout '^warning: class golgi: nothing to learn it from, so it cannot be found$'
expect_stdout '^warning: class Cytosol: nothing to test it on$'

printf 'label,class\nCytosol,cyto\ncytoplasmic,cyto\nNucleoplasm,nuc\nnucleoplasm,nuc\ngolgi,\nGolgi apparatus,\n' >map.csv
expect_exit 0 "${transfer[@]}" --test-where "source = 'OpenCell'" --label-map map.csv
expect_stdout '^left out +30 cells without label$'
expect_stdout '^samples +60 cells in 30 groups, 2 classes$'
sed -i '/^golgi/d' map.csv
expect_exit 65 "${transfer[@]}" --test-where "source = 'OpenCell'" --label-map map.csv
expect_stderr 'label "golgi": is not in the label map map.csv, and 10 cells have it'
expect_exit 66 "${transfer[@]}" --test-where "source = 'OpenCell'" --label-map opencell
expect_stderr 'opencell-hpa'

# Leaks: the same cells, or cells of one gene, on both sides.
expect_exit 65 "${transfer[@]}" --test-where "source = 'HPA'"
expect_stderr '60 of those to learn from are to be tested on, too'
expect_exit 65 cellvec evaluate --db db --labels localization --group gene \
  --train-where "localization HAS 'Cytosol'" --test-where "NOT localization HAS 'Cytosol' AND source = 'HPA'"
expect_stderr 'group "G0": has cells among those that are learned from and among those that are tested on'
expect_exit 66 "${transfer[@]}" --test-where "source = 'JUMP'"
expect_exit 64 "${transfer[@]}" --test-where "sauce = 'OpenCell'"
expect_stderr '^cellvec: --test-where'

# Identical vectors of two groups are told of.
python3 - <<'PYTHON'
import npy
npy.save("copies.npy", (12, 2), [float(value) for i in range(12) for value in (i % 6, i % 2)])
open("copies.csv", "w").write("gene,label\n" + "".join(f"H{i},{'ab'[i % 2]}\n" for i in range(12)))
PYTHON
cellvec import copies.npy --db copies --space copies --metadata copies.csv --quiet >/dev/null
cellvec import vectors.npy --db copies --space other --quiet >/dev/null
expect_exit 66 cellvec evaluate --db copies --labels label --group gene --folds 3
expect_stderr 'have no cell in common'
expect_exit 0 cellvec evaluate --spaces copies --db copies --labels label --group gene --folds 3 --epochs 5
expect_stdout '^warning: space copies: 12 samples have the vector of a sample of another group, such as cell 0 and cell 6;'
finish
