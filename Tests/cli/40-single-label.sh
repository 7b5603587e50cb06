#!/usr/bin/env bash
# Fields of one label a cell: the likeliest class is predicted, with its probability.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 - <<'PYTHON'
import npy
npy.save("vectors.npy", (60, 4), [float(i % 3 == j) + (i * (j + 5) % 7) / 10 for i in range(60) for j in range(4)])
with open("cells.csv", "w") as file:
    file.write("well,dose,places,dose_low\n")
    for i in range(60):
        file.write(f"A{i // 6:02},{'low mid high'.split()[(i + (i % 10 == 0)) % 3] if i < 54 else ''},{'a;b' if i % 2 else 'c'},{'xy'[i % 4 == 0]}\n")
PYTHON
cellvec import vectors.npy --db db --space s --metadata cells.csv --type places=list --quiet >/dev/null

train=(cellvec train --db db --labels dose --group well --folds 3 --epochs 30 --learning-rate 0.05)
expect_exit 0 "${train[@]}" --calibrate temperature --save one
expect_stdout '^task +single: one label a cell, the likeliest class is predicted$'
expect_stdout '^accuracy +[01]\.[0-9]+ ± .* sample SD .* 3 folds, grouped by well$'
expect_stdout '^balanced accuracy '
expect_stdout "^Cohen's kappa "
expect_stdout '^Matthews '
expect_exit 0 "${train[@]}" --json
expect_json
expect_stdout '"loss":\{"kind":"softmax","smoothing":0\}'
expect_stdout '"task":"single"'
expect_exit 0 "${train[@]}" --csv --quiet
expect_stdout '^class,cells,precision,.*,macro_f1,macro_f1_sample_sd,macro_f1_population_sd$'
expect_exit 0 "${train[@]}" --loss balanced --loss-numbers 0.1 --hidden 6 --patience 3 --json
expect_stdout '"loss":\{"kind":"balanced","smoothing":0\.1'

expect_exit 0 "${train[@]}" --abstain-below 0.5 --save shy
expect_stdout '^abstention +below 0\.5, which counts as predicting none'
expect_stdout '^coverage +[01]\.[0-9]+ ± '
expect_stdout '^accuracy of the decided +[01]\.[0-9]+ ± '
expect_stdout '^macro F1 of the decided '
expect_exit 0 cellvec heads show shy --db db
expect_stdout '^abstention +below 0\.5,'
expect_stdout '^coverage '
expect_exit 0 cellvec heads list --db db --csv
expect_stdout '^head,space,labels,classes,macro_f1,macro_f1_sd,grouped_by,task,abstain_below,kind$'
expect_stdout '^one,s,dose,3,.*,well,single,,linear$'
expect_stdout '^shy,s,dose,3,.*,well,single,0\.5,linear$'
expect_exit 0 "${train[@]}" --abstain-below 1
expect_stdout '^accuracy of the decided +undefined: 3 of 3 folds decide about no sample$'

# What goes with one task alone.
expect_exit 0 "${train[@]}" --task multi --thresholds fitted --calibrate isotonic
expect_stdout '^task +multi: several labels a cell'
expect_exit 0 "${train[@]}" --loss focal
expect_stdout '^task +multi'
expect_stderr '^dose is one label a cell, and --loss focal learns each class by itself \(--task multi\); --loss softmax or balanced'
expect_exit 0 "${train[@]}" --loss focal --task multi
expect_equal "nothing is said of what was asked for" "$(grep -c 'one label' .stderr)" 0
expect_exit 64 "${train[@]}" --task single --loss focal
expect_stderr '--loss focal goes with --task multi'
expect_exit 64 "${train[@]}" --thresholds fitted
expect_stderr 'fitted thresholds: go with several labels a cell'
expect_exit 64 "${train[@]}" --calibrate isotonic
expect_exit 64 "${train[@]}" --task multi --abstain-below 0.5
expect_exit 64 "${train[@]}" --abstain-below 2
expect_exit 64 "${train[@]}" --grades places
expect_stderr 'grades: go with several labels a cell'
expect_exit 65 cellvec train --db db --labels places --group well --folds 3 --task single
expect_stderr '^cellvec: cell 1: expected one label, found "a", "b"; leave it out, or ask for --task multi$'

# One label and its probability.
expect_exit 0 cellvec predict --db db --head one
expect_stderr 'wrote predicted_dose and probability_dose of 60 cells, 0 without a label'
expect_exit 0 cellvec count --db db --where "predicted_dose = 'low' AND probability_dose >= 0.33"
expect_stdout '^20$'
expect_exit 0 cellvec fields --db db --csv
expect_stdout '^predicted_dose,string,60'
expect_equal "one field has probabilities" "$(grep -c '^probability_' .stdout)" 1
expect_exit 64 cellvec predict --db db --head one --threshold 0.5
expect_stderr 'use --abstain-below'
expect_exit 64 cellvec predict --db db --head one --abstain-below 1.5
expect_exit 0 cellvec predict --db db --head one --abstain-below 1 --csv
expect_stdout '^,60$'
expect_exit 0 cellvec count --db db --where "predicted_dose IS NULL AND probability_dose > 0"
expect_stdout '^60$'
expect_exit 0 cellvec predict --db db --head one --abstain-below 1 --empty top1
expect_exit 0 cellvec count --db db --where "predicted_dose IS NULL"
expect_stdout '^0$'

# Heads are shown and carried as others are.
expect_exit 0 cellvec heads show one --db db
expect_stdout '^task +single'
expect_stdout '^accuracy '
expect_stdout '^calibration +error .*, each corrected by what was fitted to others \([2-5] parts\)$'
expect_exit 0 cellvec heads export one one.safetensors --db db
expect_exit 0 cellvec heads import one.safetensors --name two --db db
expect_exit 0 cellvec predict --db db --head two
expect_stdout '^low +20$'
expect_exit 0 cellvec train --db db --labels dose --group well --folds 3 --epochs 2 --task multi --save several
expect_exit 64 cellvec predict --db db --head several
expect_stderr 'field "predicted_dose": expected a string.*rename or drop it with cellvec fields'

# What heads of other labels have predicted is left alone, and nothing is written.
expect_exit 0 cellvec import vectors.npy --db other --space s --metadata cells.csv --quiet
expect_exit 0 cellvec train --db other --labels dose_low --group well --folds 3 --epochs 1 --save low
expect_exit 0 cellvec predict --db other --head low
expect_exit 0 cellvec predict --db other --head low
expect_exit 0 cellvec train --db other --labels dose --group well --folds 3 --epochs 1 --task multi --save doses
expect_exit 64 cellvec predict --db other --head doses
expect_stderr 'field "probability_dose_low": has probabilities of head "low", which predicts dose_low; rename or drop it'
expect_exit 0 cellvec fields --db other --csv
expect_equal "no field is made" "$(grep -c '^predicted_dose,' .stdout)" 0

# Where a fold has one class, agreement is undefined, and a class that is not learned weighs nothing.
expect_exit 0 cellvec train --db db --labels dose --group dose --folds 3 --epochs 1 --loss balanced --loss-numbers 0.1 \
  --save apart
expect_stdout "^Cohen's kappa +undefined: 3 of 3 folds have labels of one class alone\$"
expect_stdout '^Matthews +undefined: 3 of 3 folds'
expect_exit 0 cellvec heads show apart --db db
expect_stdout "^Cohen's kappa +undefined: 3 of 3 folds have labels of one class alone\$"

# Where some folds have one class, both verbs take the mean of the others, and say so.
python3 - <<'PYTHON'
import npy
npy.save("uneven.npy", (60, 2), [float((i % 2 if i < 40 else 0) == j) + i * (j + 3) % 7 / 20 for i in range(60) for j in range(2)])
open("uneven.csv", "w").write("plate,kind\n" + "".join(f"P{i // 20},{'ab'[i % 2 if i < 40 else 0]}\n" for i in range(60)))
PYTHON
cellvec import uneven.npy --db uneven --space s --metadata uneven.csv --quiet >/dev/null
uneven=(--db uneven --labels kind --group plate --folds 3 --epochs 5)
expect_exit 0 cellvec train "${uneven[@]}" --save uneven
expect_stdout "^Cohen's kappa .* 2 of 3 folds \(the other has labels of one class alone\), grouped by plate\$"
expect_stdout '^Matthews .* 2 of 3 folds'
expect_stdout '^accuracy .*, 3 folds, grouped by plate$'
kappa=$(awk '/^Cohen/ { print $3 }' .stdout)
expect_exit 0 cellvec heads show uneven --db uneven
expect_stdout "^Cohen's kappa .* 2 of 3 folds \(the other "
expect_exit 0 cellvec evaluate "${uneven[@]}"
expect_stdout "^note: Cohen's kappa and Matthews' correlation are means of 2 of 3 folds: the other has labels of one class alone\$"
expect_equal "the same kappa" "$(awk '$1 == "space" { for (i = 1; i <= NF; i++) if ($i == "cohen_kappa") k = i } $1 == "s" { print $k }' .stdout)" "$kappa"

# Of a single fold train gives the value; a head keeps none, as earlier programs know none without deviations.
python3 - <<'PYTHON'
import npy
kinds = ["ab"[i % 2] if i < 20 else "ab"[i // 40] for i in range(60)]
npy.save("lone.npy", (60, 2), [float("ab".index(kinds[i]) == j) + i * (j + 3) % 7 / 20 for i in range(60) for j in range(2)])
open("lone.csv", "w").write("plate,kind\n" + "".join(f"P{i // 20},{kind}\n" for i, kind in enumerate(kinds)))
PYTHON
cellvec import lone.npy --db lone --space s --metadata lone.csv --quiet >/dev/null
lone=(--db lone --labels kind --group plate --folds 3 --epochs 5)
expect_exit 0 cellvec train "${lone[@]}" --save lone
expect_stdout "^Cohen's kappa +[^ ]+, 1 of 3 folds \(the others have labels of one class alone\), grouped by plate\$"
expect_exit 0 cellvec train "${lone[@]}" --json
expect_stdout '"cohen_kappa":\{"mean":[^,]*\}'
expect_exit 0 cellvec heads show lone --db lone
expect_stdout "^Cohen's kappa +not kept, 1 of 3 folds \(the others have labels of one class alone\)\$"
expect_exit 0 cellvec heads show lone --db lone --json
expect_equal "no mean without deviations" "$(grep -c -E 'cohen_kappa|matthews' .stdout)" 0

# Neighbors vote for one label or several.
expect_exit 0 cellvec knn --db db --labels dose --group well -k 1,5
expect_stdout '^task +single: one label a cell$'
expect_stdout '^k +macro_f1 +accuracy +balanced_accuracy +cohen_kappa +matthews +cells_without_prediction$'
expect_exit 0 cellvec knn --db db --labels dose --group well --task multi --csv
expect_stdout '^k,macro_f1,micro_f1,cells_without_prediction$'
expect_exit 0 cellvec knn --db db --labels dose --group well -k 5 --json
expect_stdout '"accuracy":[01].*"balanced_accuracy":.*"cohen_kappa":.*"task":"single"'
expect_exit 65 cellvec knn --db db --labels places --group well --task single
expect_stderr 'cell 1: expected one label, found "a", "b"'

evaluate=(cellvec evaluate --db db --labels dose --group well --folds 3 --epochs 20 --learning-rate 0.05)
expect_exit 0 "${evaluate[@]}" --abstain-below 0.4 --output eval.json --report page.html
expect_stdout '^task +single'
expect_stdout '^validation +none: nothing is tuned, and all train groups teach$'
expect_stdout '^space +macro_f1 .* accuracy +balanced_accuracy +cohen_kappa +matthews +macro_auroc$'
expect_stdout '^loss +softmax$'
expect_stdout '^abstention +below 0\.4, which counts as predicting none of the classes$'
expect_stdout '^space +coverage +coverage_sample_sd +decided_accuracy +decided_accuracy_sample_sd +decided_macro_f1 '
expect_equal "the decided are scored as NumPy would" "$(
  python3 - <<'PYTHON'
import base64, json, struct
e = json.load(open("eval.json"))
run = e["runs"][0]
data = base64.b64decode(run["predictions"][0]["probabilities"])
k = len(e["classes"])
values = struct.unpack(f"<{len(data) // 4}f", data)
rows = [values[i * k:(i + 1) * k] for i in range(len(e["samples"]))]
good = []
for fold in run["folds"]:
    decided = [(max(r), r.index(max(r)) in s["labels"]) for r, s, f in zip(rows, e["samples"], e["testFolds"][0])
               if f == fold["fold"] and max(r) >= 0.4]
    good.append(abs(fold["values"]["coverage"] - len(decided) / fold["testCount"]) < 1e-9
                and abs(fold["values"]["decidedAccuracy"] - sum(right for _, right in decided) / len(decided)) < 1e-9)
print(all(good))
PYTHON
)" True
expect_equal "the saved file says so" "$(
  python3 - <<'PYTHON'
import json
e = json.load(open("eval.json"))
run = e["runs"][0]
print(e["version"], e["task"], run["folds"][0]["thresholds"], run["summary"]["accuracy"]["foldCount"], "microF1" in run["summary"])
PYTHON
)" "2 single [0.4, 0.4, 0.4] 3 False"
expect_exit 0 grep --quiet 'one label a sample, the likeliest class is predicted' page.html
expect_exit 0 grep --quiet 'below a probability of 0.400, which counts as' page.html
expect_exit 0 grep --quiet 'Errors by the part that is decided' page.html
expect_exit 0 "${evaluate[@]}" --csv --quiet
expect_stdout '^space,macro_f1,.*,accuracy,accuracy_sample_sd,accuracy_population_sd,accuracy_folds,'
# Wells brought together have several doses.
expect_exit 65 cellvec evaluate --db db --labels dose --sample well --folds 3 --epochs 2 --task single
expect_stderr 'sample "A00": expected one label, found "high", "low", "mid"'
# One well at a time has every class; one cell at a time has one, and no ranking.
expect_exit 0 cellvec evaluate --db db --labels dose --group dose --folds 2 --epochs 1 --leave-one-group-out
expect_stdout '^note: AUROC and average precision are undefined: all 3 folds have no class with positives and negatives$'

# Numbers are no classes, until they are read as texts.
python3 -c '
with open("numbers.csv", "w") as file:
    file.write("cell,amount\n" + "".join(f"{i},{i % 3 / 10}\n" for i in range(60)))'
expect_exit 0 cellvec update --db db --metadata numbers.csv
expect_exit 64 cellvec train --db db --labels amount --group well --folds 3 --epochs 1
expect_stderr 'field "amount": holds numbers, which are no classes.*with --type amount=string.*fields drop amount'
expect_exit 0 cellvec fields drop amount --db db --yes
expect_exit 0 cellvec update --db db --metadata numbers.csv --type amount=string
expect_exit 0 cellvec train --db db --labels amount --group well --folds 3 --epochs 1
expect_stdout '^task +single'

# Who stops an evaluation hears that nothing is saved, and finds no empty folder.
"$CELLVEC" evaluate --db db --labels dose --group well --folds 3 --epochs 1000000 --report drawn >.stdout 2>.stderr &
pid=$!
until [[ -d drawn ]]; do kill -0 "$pid" || break; done
kill -TERM "$pid"
wait "$pid"
expect_equal "the status of an interruption" $? 130
expect_stderr 'interrupted; nothing was saved; run the same command to begin again'
expect_equal "no folder is left" "$(ls -d drawn 2>/dev/null)" ""
# A text that another program would take for a list is one label, which is said.
expect_exit 0 "${train[@]}"
expect_equal "nothing of it where there is none" "$(grep -c 'is one label;' .stderr)" 0
cellvec update --db db --set 'dose=low|mid' --where "well = 'A03'" --quiet >/dev/null
advice='^"low\|mid" is one label; where several are meant, drop the field with cellvec fields drop, and read its table again with --type dose=list$'
for verb in train evaluate knn; do
  expect_exit 0 cellvec $verb --db db --labels dose --group well
  expect_stderr "$advice"
done
cellvec list --db db --fields well,dose --csv | awk -F, '!seen[$3]++ { print $3 "," $4 }' >doses.csv
expect_exit 0 cellvec fields drop dose --db db --yes
expect_exit 0 cellvec update --db db --metadata doses.csv --join well --type dose=list --quiet
expect_exit 0 cellvec count --db db --where "dose HAS 'low' AND dose HAS 'mid' AND well = 'A03'"
expect_equal "both labels are there" "$(cat "$_out")" "$(cellvec count --db db --where "well = 'A03'")"
# Votes of many cells on many classes lie in the folder that TMPDIR names, not in memory: names taken for labels would ask for
# more than there is.
python3 - <<'PYTHON'
import npy
npy.save("names.npy", (600, 2), (i * 7 % 11 - 5 + i % 3 / 7 for i in range(1200)))
open("names.csv", "w").write("name\n" + "".join(f"cell{i}\n" for i in range(600)))
PYTHON
cellvec import names.npy --db names --metadata names.csv --quiet >/dev/null
expect_exit 0 cellvec knn --db names --labels name --ungrouped -k 1 --quiet
expect_exit 74 env TMPDIR="$PWD/none" "$CELLVEC" knn --db names --labels name --ungrouped -k 1 --quiet
expect_stderr 'none: cannot hold 1440000 bytes of intermediate results: .*; name a folder with room for them in TMPDIR$'
finish
