#!/usr/bin/env bash
# Heads are shown, dropped, and carried to another database whose vectors mean the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --epochs 20 --save h
expect_exit 0 cellvec heads show h --db db
expect_stdout '^trained on +36 cells, watched on 0; 36 of them in this database$'
expect_stdout '^macro F1 .* 3 folds, grouped by gene$'
expect_stdout '^class +threshold +f1_of_folds$'
expect_exit 0 cellvec heads show h --db db --json
expect_json
expect_stdout '"rows":\[\[0,36\]\]'
expect_equal "without the version of what is kept" "$(grep -c '"version"' .stdout)" 0
expect_exit 66 cellvec heads show g --db db

expect_exit 0 cellvec predict --db db --head h
expect_stderr 'the head was trained on 36 of these cells'
expect_exit 0 cellvec predict --db db --head h --where "localization IS NULL"
expect_equal "nothing is said of cells that are new to the head" "$(grep -c 'was trained on' .stderr)" 0
expect_exit 0 cellvec predict --db db --head h --threshold 0.9999 --empty unknown
expect_stderr '40 of them "unknown"'
expect_exit 0 cellvec count --db db --where "predicted_localization HAS 'unknown'"
expect_stdout '^40$'
expect_exit 0 cellvec predict --db db --head h --threshold 0.9999 --empty top1
expect_exit 0 cellvec count --db db --where "predicted_localization IS NULL"
expect_stdout '^0$'
expect_exit 64 cellvec predict --db db --head h --empty none

# Cells that only tuned a head are known to it, too.
expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --epochs 5 --thresholds fitted --save tuned
expect_exit 0 cellvec predict --db db --head tuned
expect_stderr 'the head was trained or tuned on 36 of these cells'
expect_exit 0 cellvec heads drop tuned --db db --yes
expect_exit 0 cellvec predict --db db --head h --threshold 0.9999 --empty top1

expect_exit 0 cellvec heads export h h.safetensors --db db
python3 - <<'PYTHON'
import json
with open("h.safetensors", "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
assert header["layers.0.weight"]["shape"] == [3, 4], header
assert json.loads(header["__metadata__"]["cellvec_head"])["classes"] == ["er", "golgi", "nucleus"]
PYTHON
expect_equal "Python reads the file" $? 0
cellvec import vectors.npy --db same --space s --quiet >/dev/null
cellvec import vectors.npy --db other --space t --quiet >/dev/null
expect_exit 0 cellvec heads import h.safetensors --name h2 --db same
expect_exit 64 cellvec heads import h.safetensors --name h2 --db same
expect_stderr 'is there already; choose another --name, or replace it with --replace'
expect_exit 0 cellvec heads import h.safetensors --name h2 --db same --replace
expect_stderr '^replacing head h2$'
expect_exit 0 cellvec predict --db same --head h2
expect_stdout '^nucleus +20$'
expect_exit 64 cellvec heads import h.safetensors --name h2 --db other
expect_stderr 'has no vectors that the head takes: those of space "s", 4 numbers, imported'
expect_exit 66 cellvec heads import h.safetensors --name h2 --db db --space s2
expect_exit 66 cellvec heads import nothing.safetensors --name h2 --db db
printf 'nothing' >bad.safetensors
expect_exit 65 cellvec heads import bad.safetensors --name h2 --db db
sed 's/\\"version\\":2/\\"version\\":9/' h.safetensors >newer.safetensors
expect_exit 69 cellvec heads import newer.safetensors --name h2 --db db
expect_stderr 'found version 9; use a newer cellvec'

# ONNX: tools/parity/heads runs such files by onnxruntime.
expect_exit 0 cellvec heads export h h.onnx --format onnx --db db
expect_equal "the model names its ends, its operators and its classes" "$(
  python3 - <<'PYTHON'
data = open("h.onnx", "rb").read()
texts = [b"vectors", b"probabilities", b"Gemm", b"Sigmoid", b'["er","golgi","nucleus"]', b"cellvec_head"]
print(data[:2] == b"\x08\x07", all(text in data for text in texts))
PYTHON
)" "True True"
expect_exit 64 cellvec heads export h h.onnx --format pickle --db db
expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --epochs 2 --calibrate isotonic --save curved
expect_exit 64 cellvec heads export curved curved.onnx --format onnx --db db
expect_stderr 'head "curved": has isotonic curves, which are not written as ONNX; export it as safetensors'
expect_equal "nothing is written" "$(ls curved.onnx 2>/dev/null)" ""
expect_exit 0 cellvec heads drop curved --db db --yes

expect_exit 64 cellvec heads drop h --db db
expect_exit 0 cellvec heads drop h --db db --yes
expect_exit 66 cellvec heads drop h --db db --yes
expect_exit 0 cellvec heads list --db db --csv
expect_lines 1
expect_exit 0 cellvec check --db db
finish
