#!/usr/bin/env bash
# Nearest neighbors as a head: trained by nothing, kept, shown, carried to another database, compared and reported.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PYTHON'
import random
import npy
random.seed(5)
kinds = ["er", "golgi", "nucleus"]
centres = {kind: [random.gauss(0, 1) for _ in range(16)] for kind in kinds}
values, lines = [], []
for cell in range(150):
    kind = kinds[cell // 5 % 3]
    values += [x + random.gauss(0, 1.6) for x in centres[kind]]
    label = "" if cell >= 140 else kind
    lines.append(f"G{cell // 5},{label},{label}" + (f";{kinds[(cell // 5 + 1) % 3]}" if label and cell % 5 == 0 else ""))
npy.save("vectors.npy", (150, 16), values)
open("cells.csv", "w").write("gene,kind,localization\n" + "\n".join(lines) + "\n")
PYTHON
cellvec import vectors.npy --db db --space s --metadata cells.csv --type localization=list --quiet >/dev/null

# Options that cannot be, and options of training beside it.
expect_exit 64 cellvec train --db db --labels kind --group gene --neighbors 0
expect_stderr '^Error: --neighbors: expected whole numbers from 1 such as 1,5,20, found "0"$'
expect_exit 64 cellvec train --db db --labels kind --group gene --neighbors 5,x
expect_exit 64 cellvec train --db db --labels kind --group gene --neighbors 5 --temperature 0
expect_exit 64 cellvec train --db db --labels kind --group gene --temperature 0.1
expect_stderr '--temperature goes with --neighbors'
for option in "--epochs 3" "--hidden 8" "--loss softmax" "--learning-rate 0.1" "--preset subcell" "--ensemble 2" \
  "--precision float32" "--batch-size 8" "--patience 3" "--dropout 0.5"; do
  # shellcheck disable=SC2086
  expect_exit 64 cellvec train --db db --labels kind --group gene --neighbors 5 $option
  expect_stderr "${option%% *} is about training, and with --neighbors nothing is trained"
done
expect_exit 64 cellvec train --db db --labels kind --sample gene --neighbors 5 --pool attention
expect_stderr 'nearest neighbors: have no attention, which is learned; leave out --pool attention'
expect_exit 64 cellvec train --db db --labels kind --group gene --neighbors 20000

# With a fold for each group it says what knn says.
expect_exit 0 cellvec train --db db --labels kind --group gene --neighbors 5 --folds 28 --csv
cut -d, -f1-5 .stdout | sed 1d >train.csv
expect_exit 0 cellvec knn --db db --labels kind --group gene -k 5 --json
python3 - <<'PYTHON' >knn.csv
import json
for score in json.load(open(".stdout"))["results"][0]["scores"]["per_class"]:
    tp, fp, fn = (score[key] for key in ("true_positives", "false_positives", "false_negatives"))
    print(score["class_name"], tp + fn, tp / (tp + fp), tp / (tp + fn), 2 * tp / (2 * tp + fp + fn), sep=",")
PYTHON
expect_equal "precision, recall and F1 of each class are those of knn" "$(
  python3 - <<'PYTHON'
rows = [[line.strip().split(",") for line in open(name)] for name in ("train.csv", "knn.csv")]
print(len(rows[0]), all(a[0] == b[0] and all(abs(float(x) - float(y)) < 1e-9 for x, y in zip(a[1:], b[1:]))
                        for a, b in zip(*rows)))
PYTHON
)" "3 True"

# Several numbers: the best stays. One that is too large is said.
expect_exit 0 cellvec train --db db --labels kind --group gene --neighbors 1,5,1000 --save near
expect_stdout '^neighbors +as many nearest train samples vote as do best on validation samples, of 1, 5, 1000, each'
expect_stderr '^--neighbors 1000: a fold has [0-9]+ samples that may vote, and then all of them do$'
expect_stderr 'saved head near'
expect_exit 0 cellvec heads show near --db db
expect_stdout '^neighbors +the [15] nearest of 110 voters vote, each weighing exp\(cosine / 0.07\)$'
expect_stdout '^chosen by +validation macro F1 of 1: [0-9.]+.*, 1000: [0-9.]+$'
expect_stdout '^trained on +110 cells, watched on 30; 140 of them in this database$'
expect_exit 0 cellvec heads list --db db --csv
expect_stdout '^near,s,kind,3,0\.[0-9]+,.*,gene,single,,[0-9]+ neighbors?$'

# Elsewhere.
expect_exit 0 cellvec train --db db --labels localization --group gene --neighbors 20 --thresholds fitted \
  --calibrate temperature --save several
expect_exit 0 cellvec predict --db db --head several
expect_stderr 'the head has 140 of these cells: each has no vote on itself'
expect_exit 0 cellvec predict --db db --head near --threads 2
expect_stdout '^nucleus +[0-9]+$'
cellvec list --db db --fields predicted_kind,probability_kind --csv >here.csv 2>.stderr
expect_exit 0 cellvec heads export near near.safetensors --db db
expect_exit 64 cellvec heads export near near.onnx --format onnx --db db
expect_stderr 'head "near": has nearest neighbors, which are not written as ONNX; export it as safetensors'
expect_equal "Python reads the voters, and votes as predict does" "$(
  python3 - <<'PYTHON'
import json, math, struct
data = open("near.safetensors", "rb").read()
size = int.from_bytes(data[:8], "little")
header = json.loads(data[8:8 + size])
def tensor(name):
    entry = header[name]
    first, last = entry["data_offsets"]
    numbers = struct.unpack(f"<{(last - first) // 4}f", data[8 + size + first:8 + size + last])
    width = entry["shape"][1] if len(entry["shape"]) > 1 else 1
    return [numbers[place:place + width] for place in range(0, len(numbers), width)]
head = json.loads(header["__metadata__"]["cellvec_head"])
neighbors = head["neighbors"]
voters, targets, own = tensor("voters.vectors"), tensor("voters.targets"), [int(n[0]) for n in tensor("voters.of_cells")]
raw = open("vectors.npy", "rb").read()
vectors = [struct.unpack("<16f", raw[-150 * 64:][64 * i:64 * i + 64]) for i in range(150)]
rows = [row for first, end in head["data"]["rows"] for row in range(first, end)]
voter_of_row = dict(zip(rows, own))
def unit(x):
    length = math.sqrt(sum(n * n for n in x))
    return [n / length for n in x]
units = [unit(x) for x in voters]
worst = 0
lines = open("here.csv").read().splitlines()
columns = lines[0].split(",")
for row, line in enumerate(lines[1:]):
    line = dict(zip(columns, line.split(",")))
    query = unit(vectors[row])
    near = sorted(((sum(a * b for a, b in zip(query, x)), -place) for place, x in enumerate(units)
                   if place != voter_of_row.get(row)), reverse=True)[:neighbors["k"]]
    weights = [math.exp((s - near[0][0]) / neighbors["temperature"]) for s, _ in near]
    shares = [sum(w * targets[-place][c] for w, (_, place) in zip(weights, near)) / sum(weights) for c in range(3)]
    assert head["classes"][shares.index(max(shares))] == line["predicted_kind"], line
    worst = max(worst, abs(max(shares) - float(line["probability_kind"])))
print(header["voters.vectors"]["shape"], len(lines) - 1, worst < 1e-5)
PYTHON
)" "[110, 16] 150 True"
cellvec import vectors.npy --db other --space s --quiet >/dev/null
cellvec import vectors.npy --db different --space t --quiet >/dev/null
expect_exit 0 cellvec heads import near.safetensors --name near --db other
expect_exit 0 cellvec heads show near --db other
expect_stdout '^neighbors +the [15] nearest of 110 voters'
expect_exit 0 cellvec predict --db other --head near
cellvec list --db other --fields predicted_kind,probability_kind --csv >there.csv 2>.stderr
expect_equal "a cell has no vote on itself there either" "$(cmp here.csv there.csv 2>&1)" ""
expect_exit 64 cellvec heads import near.safetensors --name near --db different
expect_stderr 'has no vectors that the head takes'
expect_exit 0 cellvec check --db other
python3 - <<'PYTHON'
data = bytearray(open("near.safetensors", "rb").read())
data[-64:-60] = bytes([0, 0, 192, 127])
open("damaged.safetensors", "wb").write(data)
PYTHON
expect_exit 65 cellvec heads import damaged.safetensors --name damaged --db other
expect_stderr 'tensor voters.vectors: expected finite numbers, found NaN or infinity; train the head again'

# The head outlives its cells.
expect_exit 0 cellvec delete --db db --where "kind IS NOT NULL" --yes
expect_exit 0 cellvec predict --db db --head near
expect_equal "what it says of cells that are left stays" \
  "$(cellvec list --db db --fields predicted_kind,probability_kind --csv | sed 1d)" "$(tail -n 10 here.csv)"
cellvec import vectors.npy --db again --space s --metadata cells.csv --type localization=list --quiet >/dev/null

# Samples of several cells.
expect_exit 0 cellvec train --db again --labels kind --sample gene --neighbors 3 --save genes
expect_exit 0 cellvec heads show genes --db again
expect_stdout '^sample +the mean of the cells of each gene$'
expect_stdout '^neighbors +the 3 nearest of 28 voters'
expect_exit 0 cellvec predict --db again --head genes
expect_stderr 'the head has 140 of these cells: each has no vote on itself'

# Comparisons and reports.
expect_exit 0 cellvec evaluate --db again --labels kind --group gene --neighbors 5 --output alone.json
expect_stdout '^neighbors +the 5 nearest train samples vote, each weighing exp\(cosine / 0.07\)$'
expect_equal "nothing is said of a loss" "$(grep -c '^loss' .stdout)" 0
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --neighbors 5 --epochs 3
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads linear,forest
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads neighbors,neighbors --epochs 3
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads linear --neighbors 5
expect_stderr '--neighbors and --temperature go with neighbors among --heads'
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads linear,neighbors --hidden 8
expect_stderr '--hidden and --dropout go with hidden among --heads'
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads neighbors --epochs 3
expect_stderr '--epochs is about training, and with --heads neighbors nothing is trained'
expect_exit 64 cellvec evaluate --db again --labels kind --group gene --heads hidden
expect_stderr '--heads hidden: has no hidden layers; give their widths, as in --hidden 512'
expect_exit 0 cellvec evaluate --db again --labels kind --group gene --heads linear,neighbors --neighbors 1,5 --epochs 5 \
  --output eval.json --report page.html
expect_stdout '^space +head +macro_f1'
expect_stdout '^s +neighbors +0\.[0-9]+'
expect_stdout '^s \(linear\) +s \(neighbors\) '
expect_equal "the file has both heads" "$(
  python3 -c 'import json; e = json.load(open("eval.json")); print(e["version"], [run["head"] for run in e["runs"]])'
)" "3 ['linear', 'neighbors']"
expect_exit 0 cellvec report alone.json --output alone.html
expect_equal "what is not trained has no learning curve" "$(grep -c 'Learning curves' alone.html)" 0
expect_equal "the report says who votes" "$(grep -c 'the 5 nearest train samples vote, each weighing' alone.html)" 1
expect_equal "bars are of both heads" "$(grep -c 'Macro F1 by space and head' page.html)" 1
finish
