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
expect_stdout '^warning: space copies: 12 cells have the vector of a cell of another group, or of the other side, such as cell 0 and cell 6;'
# Another database as the test set, as of another microscope: its spaces must mean the same.
python3 - <<'PYTHON'
import npy
names = ["cytoplasmic", "golgi", "nucleoplasm"]
values, lines = [], []
for i in range(30):
    values += [float(i % 3 == j) + (i * (j + 4) % 7) / 25 for j in range(3)]
    lines.append(f"G{50 + i // 3},{names[i % 3]}")
npy.save("wide.npy", (30, 3), values)
open("wide.csv", "w").write("gene,localization\n" + "\n".join(lines) + "\n")
PYTHON
cellvec import wide.npy --db wide --space s --metadata wide.csv --type localization=list --quiet >/dev/null
cellvec import wide.npy --db else --space t --metadata wide.csv --type localization=list --quiet >/dev/null
expect_exit 0 cellvec import vectors.npy --db hpa --space s --metadata cells.csv --type localization=list
other=(cellvec evaluate --db hpa --labels localization --group gene --epochs 30 --learning-rate 0.05 --label-map opencell-hpa)
expect_exit 0 "${other[@]}" --train-where "source = 'HPA'" --test-db wide --output other.json --report other.html
expect_stdout '^split +60 samples teach, 30 of wide test, grouped by gene$'
expect_stdout '^samples +90 cells in 30 groups, 3 classes$'
expect_stdout '^s +1\.000 +- +- '
expect_equal "rows that are tested are those of the other database" "$(
  python3 - <<'PYTHON'
import json
e = json.load(open("other.json"))
tested = [sample["row"] for sample, fold in zip(e["samples"], e["testFolds"][0]) if fold == 0]
print(e["testDatabase"], e["design"]["scheme"], tested == list(range(30)), max(w["row"] for w in e["witnesses"]))
PYTHON
)" "wide transfer True 29"
expect_exit 0 grep --quiet 'tested on others of wide' other.html
expect_exit 0 cellvec report other.json --db wide --output again.html
expect_equal "the same page from the file" "$(cat other.html)" "$(cat again.html)"
expect_exit 0 "${other[@]}" --train-where "source = 'HPA'" --test-db wide --test-where "gene IN ('G50','G51')"
expect_stdout '^split +60 samples teach, 6 of wide test, grouped by gene$'
expect_exit 0 "${other[@]}" --train-where "source = 'HPA'" --test-db wide --where "localization HAS 'golgi' OR localization HAS 'Golgi apparatus' OR localization HAS 'Cytosol' OR localization HAS 'cytoplasmic'"
expect_stdout '^split +40 samples teach, 20 of wide test'

# A cell that lies in both, under two names.
python3 - <<'PYTHON'
import random
import npy
random.seed(1)
cells = [[random.random() for _ in range(2)] for _ in range(24)]
cells[15] = cells[5]
npy.save("left.npy", (12, 2), [number for cell in cells[:12] for number in cell])
npy.save("right.npy", (12, 2), [number for cell in cells[12:] for number in cell])
for name, start in (("left", 0), ("right", 12)):
    open(name + ".csv", "w").write("gene,kind\n" + "".join(f"K{start + i},{'ab'[i % 2]}\n" for i in range(12)))
PYTHON
for name in left right; do
  cellvec import "$name.npy" --db "$name" --space s --metadata "$name.csv" --quiet >/dev/null
done
expect_exit 0 cellvec evaluate --db left --labels kind --group gene --test-db right --epochs 3
expect_stdout '^warning: space s: 2 cells have the vector of .* such as cell 5 and cell 3 of right; a copy may be learned from'
# Images of one name are two; imported cells that name none are one group a database.
expect_exit 0 cellvec evaluate --db left --labels kind --test-db right --epochs 3
expect_stdout '^split +12 samples teach, 12 of right test, grouped by image$'

expect_exit 64 "${other[@]}" --test-db else
expect_stderr 'database "else": has no vectors that mean what those of space "s" do: 3 numbers, imported; import its vectors'
expect_exit 64 "${other[@]}" --test-db hpa
expect_stderr '--test-db: is the database that is learned from; choose cells of it with --train-where'
expect_exit 66 "${other[@]}" --test-db nowhere
expect_exit 64 "${other[@]}" --test-db wide --leave-one-group-out
cellvec update --db wide --set gene=G3 --where "gene = 'G50'" --quiet >/dev/null
expect_exit 65 "${other[@]}" --test-db wide
expect_stderr 'group "G3": has cells among those that are learned from and among those that are tested on.*--shared-groups'
# The same genes under another microscope, where that is the question.
expect_exit 0 "${other[@]}" --test-db wide --shared-groups --output shared.json --report shared.html
expect_stdout '^split +90 samples teach, 30 of wide test, grouped by gene, 1 of 10 tested groups LEARNED FROM, TOO$'
expect_stdout '^samples +120 cells in 39 groups, 3 classes$'
expect_stdout '^warning: 1 of the 10 groups that are tested, such as group "G3", are learned from, too: scores tell how heads'
expect_exit 0 grep --quiet '1 of 10 tested groups learned from, too' shared.html
expect_exit 0 "${transfer[@]}" --test-where "source = 'OpenCell'" --shared-groups
expect_stdout '^split +60 samples teach, 30 test, grouped by gene, 0 of 10 tested groups LEARNED FROM, TOO$'
expect_exit 64 cellvec evaluate --db db --labels localization --group gene --shared-groups
expect_stderr '--shared-groups goes with --test-db, or --train-where and --test-where'
# In one database images are not shared; the remedy holds where they are of names that no condition can be written with.
python3 - <<'PYTHON'
names = {"HPA": ["Cytosol", "Golgi apparatus", "Nucleoplasm"], "OpenCell": ["cytoplasmic", "golgi", "nucleoplasm"]}
with open("named.csv", "w") as table:
    table.write("image,gene,localization\n")
    for i in range(90):
        table.write(f"\"it's {i // 5}\",G{i // 30}{i % 3},{names['HPA' if i < 60 else 'OpenCell'][i % 3]}\n")
PYTHON
cellvec import vectors.npy --db named --space s --metadata named.csv --type localization=list --quiet >/dev/null
shared=(cellvec evaluate --db named --labels localization --label-map opencell-hpa --epochs 3 --train-where "cell < 62" --shared-groups)
expect_exit 65 "${shared[@]}" --group gene --test-where "cell >= 62"
expect_stderr 'the selection to test on: has an image that is learned from, too: "it.s 12"; leave them out'
expect_equal "a remedy of cells" "$(grep -o 'cell NOT BETWEEN [0-9]* AND [0-9]*' .stderr)" "cell NOT BETWEEN 62 AND 64"
expect_exit 0 "${shared[@]}" --group gene --test-where "cell >= 62 AND cell NOT BETWEEN 62 AND 64"
expect_stdout '^split +62 samples teach, 25 test, grouped by gene, 2 of 3 tested groups LEARNED FROM, TOO$'
expect_exit 0 "${shared[@]}" --sample gene --test-where "cell >= 65" --json --quiet
expect_stdout '"group_count":9,.*"sample_count":11,.*"shared_group_count":2,.*"tested_group_count":3'
expect_exit 64 "${shared[@]}" --test-where "cell >= 65"
expect_stderr 'shared groups: would be images, of which none is learned from and tested on; group by a field'
# What was imported in both is on both sides, whatever it is called.
cp wide.npy again.npy
cellvec import again.npy --db twin --space s --metadata wide.csv --type localization=list --quiet >/dev/null
expect_exit 65 cellvec evaluate --db wide --labels localization --group gene --shared-groups --test-db twin
expect_stderr 'database "twin": has an image that is learned from, too: "again.npy"; leave them out on one side'
finish
