#!/usr/bin/env bash
# Heads on samples of several cells: means, and attention that finds the cells that tell.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PYTHON'
import random
import npy
random.seed(3)
values, lines = [], []
for gene in range(48):
    teller = random.randrange(6)
    for cell in range(6):
        x = [random.gauss(0, 0.5) for _ in range(4)]
        if cell == teller:
            x[0] += 5
            x[1] += 3 if gene % 2 else -3
        values += x
        lines.append(f"G{gene:02},{'ab'[gene % 2]},{int(cell == teller)}")
lines += [",a,0"] * 2
values += [0.1] * 8
npy.save("vectors.npy", (290, 4), values)
open("cells.csv", "w").write("gene,kind,tells\n" + "\n".join(lines) + "\n")
PYTHON
cellvec import vectors.npy --db db --space s --metadata cells.csv --quiet >/dev/null
learn=(--db db --labels kind --sample gene --folds 3 --epochs 60 --learning-rate 0.02)

expect_exit 0 cellvec evaluate "${learn[@]}" --pool attention --attention-width 8 --output eval.json --report page.html
advice=$(grep -c "stay together" .stderr)
expect_equal "genes are groups" "$advice" 0
expect_stdout '^samples +48 \(attention over the 288 cells of each gene\) in 48 groups, 2 classes$'
expect_stdout '^task +single'
expect_equal "attention is kept in the file" "$(
  python3 -c 'import json; r = json.load(open("eval.json"))["runs"][0]; print(r["configuration"]["attention"], r["summary"]["accuracy"]["mean"] > 0.85)'
)" "{'cellsAStep': 256, 'width': 8} True"
expect_exit 0 grep --quiet 'attention of 8 gates over 288 cells' page.html
# What stands for a gene is the cell that a head which had not seen it looked at most; others can be asked for.
expect_equal "the file names the most attended cells" "$(
  python3 - <<'PYTHON'
import csv, json
e = json.load(open("eval.json"))
tells = [row["tells"] == "1" for row in csv.DictReader(open("cells.csv"))]
attended = e["runs"][0]["predictions"][0]["attended"]
inside = all(any(a <= cell["row"] < b for a, b in ranges) for cell, ranges in zip(attended, e["sampleCells"]))
# By chance it is one of six.
print(len(attended), inside, sum(tells[cell["row"]] for cell in attended) > 24,
      all(1 / 6 - 1e-6 <= cell["weight"] <= 1 for cell in attended))
PYTHON
)" "48 True True True"
expect_exit 0 grep --quiet 'Of each sample it is the cell that the attention weighs most' page.html
expect_exit 0 grep --quiet -E '6 cells, cell [0-9]+ with [01]\.[0-9]+ of the attention' page.html
expect_exit 0 cellvec report eval.json --output cells.html --cells 7,9
expect_exit 0 grep --quiet '6 cells, cell 7' cells.html
expect_exit 0 grep --quiet '6 cells, cell 9' cells.html
expect_exit 66 cellvec report eval.json --output x.html --cells 289
expect_stderr 'cell 289: is no sample that was tested, and in none; name cells of the evaluation, such as 0, 6, 12'

expect_exit 0 cellvec train "${learn[@]}" --pool attention --attention-width 8 --attention-cells 4 --save told
expect_stdout '^samples +48 \(attention over the 288 cells of each gene\) in 48 groups, 2 classes$'
expect_stdout '^left out +0 cells without label, 2 without gene$'
expect_exit 0 cellvec heads show told --db db
expect_stdout '^sample +the attention of 8 gates over the cells of each gene$'
expect_stdout '^trained on +288 cells, watched on 0; 288 of them in this database$'

# Each cell gets its gene's label, and its weight among the gene's cells.
expect_exit 0 cellvec predict --db db --head told
expect_stderr 'wrote predicted_kind and probability_kind and attention_kind of 288 cells, 0 without a label'
expect_stderr 'left out 2 cells without gene'
expect_exit 0 cellvec list --db db --fields gene,attention_kind --limit 288
expect_stdout '^ +0 +.* G00 +[0-9.e-]+$'
expect_equal "small weights are shown in few digits" "$(awk 'NR > 1 && length($NF) > 8' .stdout)" ""
expect_exit 0 cellvec show 0 --db db
expect_stdout '^field attention_kind +[0-9.e-]{1,8}$'
expect_exit 0 cellvec list --db db --csv --limit 1000
expect_equal "weights of a gene add up to 1, and the telling cells have most" "$(
  python3 - <<'PYTHON'
import csv
genes = {}
for row in csv.DictReader(open(".stdout")):
    if row["gene"]:
        genes.setdefault(row["gene"], []).append(row)
sums = all(abs(sum(float(c["attention_kind"]) for c in cells) - 1) < 1e-4 for cells in genes.values())
one = all(len({c["predicted_kind"] for c in cells}) == 1 for cells in genes.values())
found = sum(max(cells, key=lambda c: float(c["attention_kind"]))["tells"] == "1" for cells in genes.values())
print(len(genes), sums, one, found > 40)
PYTHON
)" "48 True True True"
expect_exit 0 cellvec predict --db db --head told --where "gene = 'G01'"
expect_stdout '^b +6$'

# Heads travel with their attention.
expect_exit 0 cellvec heads export told told.safetensors --db db
expect_exit 0 cellvec heads import told.safetensors --name same --db db
expect_exit 0 cellvec predict --db db --head same --where "gene = 'G01'"
expect_stdout '^b +6$'
python3 - <<'PYTHON'
import json
with open("told.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
assert header["attention.gates.weight"]["shape"] == [16, 4] and header["attention.scores"]["shape"] == [8], header
summary = json.loads(header["__metadata__"]["cellvec_head"])
assert (summary["version"], summary["sampleUnit"], summary["attentionWidth"]) == (4, "gene", 8), summary
PYTHON
expect_equal "Python reads the file" $? 0

expect_exit 64 cellvec heads export told told.onnx --format onnx --db db
expect_stderr 'has an attention over cells, which is not written as ONNX'

# Means are the default.
expect_exit 0 cellvec train "${learn[@]}" --save means
expect_stdout '^samples +48 \(means of the 288 cells of each gene\)'
expect_exit 0 cellvec predict --db db --head means
expect_stderr 'wrote predicted_kind and probability_kind of 288 cells'
expect_exit 0 cellvec heads export means means.onnx --format onnx --db db
expect_exit 0 grep --quiet --text 'the mean of all cells of each gene' means.onnx
# What the head before has written goes with its predictions.
expect_exit 0 cellvec count --db db --where "attention_kind IS NOT NULL"
expect_stdout '^0$'
expect_exit 0 cellvec update --db db --where "gene = 'G01'" --clear gene
expect_exit 0 cellvec predict --db db --head means
expect_stderr 'left out 8 cells without gene'
expect_exit 0 cellvec count --db db --where "gene IS NULL AND (predicted_kind IS NOT NULL OR probability_kind IS NOT NULL)"
expect_stdout '^0$'
expect_exit 0 cellvec update --db db --where "gene IS NULL AND kind = 'b'" --set gene=G01
expect_exit 0 cellvec train "${learn[@]}" --json
expect_stdout '"cell_count":288,"cells_without_group":2,.*"cells_without_sample":0,.*"group_count":48,.*"sample_count":48,"sample_unit":"gene"'
expect_exit 0 cellvec train "${learn[@]}" --ungrouped --json
expect_stdout '"cell_count":288,"cells_without_group":0,.*"cells_without_sample":2,.*"sample_count":48,"sample_unit":"gene"'

# Everything that is tuned is tuned with attention, too; the seed decides every bit.
options=(--pool attention --attention-width 4 --patience 4 --calibrate temperature --schedule plateau --hidden 6 --dropout 0.1)
expect_exit 0 cellvec evaluate "${learn[@]}" "${options[@]}" --json --quiet --threads 1
cp .stdout one
expect_exit 0 cellvec evaluate "${learn[@]}" "${options[@]}" --json --quiet --threads 2
expect_equal "as many threads as one likes" "$(cat one)" "$(cat .stdout)"

expect_exit 64 cellvec train --db db --labels kind --folds 3 --pool attention
expect_stderr 'attention: goes with samples of several cells; name what brings cells together with --sample'
expect_exit 64 cellvec evaluate "${learn[@]}" --pool attention --ensemble 2
expect_stderr 'an ensemble: goes with means of cells'
expect_exit 64 cellvec evaluate "${learn[@]}" --attention-width 8
expect_stderr '--attention-width goes with --pool attention'
expect_exit 64 cellvec train "${learn[@]}" --pool median
expect_exit 64 cellvec train "${learn[@]}" --group tells
expect_stderr 'sample "G00": has cells of groups'
expect_exit 0 cellvec check --db db
finish
