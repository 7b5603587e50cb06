#!/usr/bin/env bash
# Spaces compared on the same folds of the same samples.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

evaluate=(cellvec evaluate --db db --labels localization --group gene --folds 3 --epochs 20 --learning-rate 0.05 --seed 1)
expect_exit 0 "${evaluate[@]}" --output eval.json
expect_stdout '^samples +36 cells in 9 groups, 3 classes$'
expect_stdout '^left out +4 cells without label$'
expect_stdout '^split +3 folds, grouped by gene$'
expect_stdout '^task +multi: several labels a cell, each class is predicted above its threshold$'
expect_stdout '^validation +none: nothing is tuned, and all train groups teach$'
expect_stdout '^space +macro_f1 +sample_sd +population_sd +pooled +pooled_lower +pooled_upper '
expect_stdout '^s +(0\.[89][0-9]+|1\.000) +0\.[0-9]+ +0\.[0-9]+ '
expect_stdout '^class +samples +f1$'
expect_stderr 'saved the evaluation in eval.json'
expect_equal "the saved file is the version that the schema describes" \
  "$(python3 -c 'import json; e = json.load(open("eval.json")); print(e["version"], len(e["samples"]), len(e["runs"]))')" \
  "2 36 1"
# schema/evaluation.md tells Python how to read predictions.
expect_equal "predictions are float32 in base64" "$(
  python3 - <<'PYTHON'
import base64, json, struct
e = json.load(open("eval.json"))
data = base64.b64decode(e["runs"][0]["predictions"][0]["probabilities"])
values = struct.unpack(f"<{len(data) // 4}f", data)
print(len(values) == len(e["samples"]) * len(e["classes"]) and all(0 <= value <= 1 for value in values))
PYTHON
)" True
expect_exit 0 "${evaluate[@]}" --quiet --csv
expect_lines 2
expect_stdout '^space,macro_f1,macro_f1_sample_sd,macro_f1_population_sd,macro_f1_pooled,macro_f1_pooled_lower,macro_f1_pooled_upper,macro_f1_folds,macro_precision,'
expect_silence
expect_exit 0 "${evaluate[@]}" --quiet --json
expect_json
expect_stdout '"macro_f1":\{"fold_count":3,"mean":0\.[0-9]+,'
expect_equal "without the version of the file" "$(grep -c '"version"' .stdout)" 0
cp .stdout first
expect_exit 0 "${evaluate[@]}" --quiet --json --threads 1
expect_equal "the same on any number of threads" "$(cat first)" "$(cat .stdout)"

# Genes as samples: each the mean of its four cells, which have one label.
python3 - <<'PYTHON'
with open("genes.csv", "w") as file:
    file.write("gene,place\n" + "".join(f"G{i},{'in' if i % 2 else 'out'}\n" for i in range(10)))
PYTHON
cellvec update --db db --metadata genes.csv --join gene --quiet >/dev/null
genes=(cellvec evaluate --db db --labels place --sample gene --folds 2 --epochs 5)
expect_exit 0 "${genes[@]}"
expect_stdout '^samples +10 \(means of the 40 cells of each gene\) in 10 groups, 2 classes$'
expect_stdout '^split +2 folds, grouped by gene$'
# Of a class in fewer groups than folds, it is said how many folds there can be.
expect_exit 0 cellvec evaluate --db db --labels place --group gene --folds 7 --repeats 3 --epochs 1
expect_stdout '^warning: class in: no positives in 2 of the 7 folds, whose macro F1 leaves it out$'
expect_stdout '^warning: only 5 groups have positives of some class: --folds 5, or a finer --group, can let each fold have every class$'
few=(cellvec train --db db --labels place --group gene --folds 7 --epochs 1)
expect_exit 0 "${few[@]}"
expect_stdout '^warning: only 5 groups have positives of some class: --folds 5, or a finer --group, can let each fold have every class$'
expect_exit 0 "${few[@]}" --quiet --json
expect_stdout '"warnings":\["class in: .*","only 5 groups have positives of some class: --folds 5, or a finer --group, can let each fold have every class"\]'
# Who has no groups is told of samples.
for verb in train evaluate; do
  expect_exit 0 cellvec "$verb" --db db --labels gene --ungrouped --folds 5 --epochs 1
  expect_stdout '^warning: only 4 samples are positives of some class: --folds 4 can let each fold have every class$'
done
expect_exit 64 "${genes[@]}" --group area
expect_stderr 'sample "G0": has cells of groups "100" and of groups "101", which cannot be split; group by gene'
expect_exit 0 "${evaluate[@]}" --repeats 2 --absent-classes zero --validation 0
expect_stdout '^split +3 folds, 2 times, grouped by gene$'
expect_stdout '^absent classes +count zero in means over classes$'
# Thresholds and calibration are fitted on the validation groups, and need some.
expect_exit 0 "${evaluate[@]}" --thresholds fitted --calibrate temperature --output tuned.json
expect_stdout '^validation +0\.2 of the train groups, for fitted thresholds, [a-z]+ calibration$'
expect_equal "thresholds are those of each fold" "$(
  python3 -c 'import json; r = json.load(open("tuned.json"))["runs"][0]; print(any(t != 0.5 for f in r["folds"] for t in f["thresholds"]))'
)" True
expect_exit 64 "${evaluate[@]}" --thresholds fitted --validation 0
expect_stderr 'needs validation samples'
expect_exit 64 "${genes[@]}" --grades localization
expect_stderr 'grades: go with cells as samples'
expect_exit 0 "${evaluate[@]}" --leave-one-group-out
expect_stdout '^split +one of 9 groups left out at a time, grouped by gene$'
expect_exit 0 "${evaluate[@]}" --fraction 0.5,1 --csv --quiet
expect_lines 3
expect_stdout '^s,0\.5,'
expect_exit 0 cellvec evaluate --db db --labels localization --ungrouped --folds 3 --epochs 5
expect_stdout 'UNGROUPED'

expect_exit 64 cellvec evaluate --db db --labels localization --folds 3 --epochs 5
expect_stderr 'stay together'
expect_exit 0 "${evaluate[@]}" --validation 0.2
expect_stdout '^validation +0\.2 of the train groups, though nothing is tuned on them$'
expect_exit 64 "${evaluate[@]}" --fraction 0.1 --validation 0.2
expect_stderr '^cellvec: fraction 0.1: expected at least 2 groups, one of them to validate on, found 1 of 6;'
expect_exit 64 "${evaluate[@]}" --fraction x
expect_exit 64 "${evaluate[@]/#20/9223372036854775807}"
expect_stderr 'epochs: expected 1 to 1000000'
expect_exit 64 "${evaluate[@]/#3/9223372036854775807}"
# What cannot be written is known before anything is trained.
expect_exit 73 "${evaluate[@]}" --output none/e.json
expect_stderr '^cellvec: none/e.json: cannot create'
expect_exit 64 "${evaluate[@]}" --output same.html --report same.html
expect_stderr 'same.html: would be written over same.html'
# A report that fails at last costs neither scores nor the saved evaluation.
mkdir blocked && touch blocked/figures
expect_exit 73 "${evaluate[@]}" --output kept.json --report blocked
expect_stdout '^s +(0|1)\.[0-9]+ '
expect_exit 0 test -s kept.json
expect_exit 64 "${evaluate[@]}" --validation 0.9
expect_exit 64 "${evaluate[@]}" --train-where "gene = 'G0'"
expect_exit 66 "${evaluate[@]}" --spaces s,none
expect_stderr 'space "none": does not exist'
expect_exit 66 cellvec evaluate --db db --labels localization --sample clone
expect_exit 64 cellvec evaluate --db db --labels localization --sample localization

# Two spaces of the same cells: two ways of channels into the backbone.
cellvec simulate fields --fields 12 --fields-per-gene 2 --cells-per-field 3 --size 192 --quiet
for strategy in map replicate; do
  cellvec ingest fields --db images --space "$strategy" --strategy "$strategy" --crop 96 --quiet \
    --channels nucleus='*_nucleus.png' protein='*_protein.png' --cells masks='*_mask.png' \
    --metadata fields/metadata.csv >/dev/null
done
spaces=(cellvec evaluate --db images --labels localization --group gene --folds 2 --epochs 5 --resamplings 50)
expect_exit 0 "${spaces[@]}" --spaces replicate,map --output two.json
expect_stdout '^replicate +[0-9.]+ '
expect_stdout '^first +second +macro_f1_difference +lower +upper +p_corrected_t +p_holm +p_wilcoxon$'
expect_stdout '^replicate +map +-?[0-9.]+ '
expect_stdout '^class +samples +f1_replicate +f1_map$'
expect_equal "runs tell backbone and strategy" "$(
  python3 -c 'import json; print([(r["space"]["backbone"], r["space"]["strategy"].split()[0].strip(",")) for r in json.load(open("two.json"))["runs"]])'
)" "[('cellvec-small-1', 'replicate'), ('cellvec-small-1', 'map')]"
expect_exit 64 cellvec train --db images --labels localization
finish
