#!/usr/bin/env bash
# Losses, grids, early stopping, calibration, ensembles and presets of train; labels that nothing can be learned from.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
train=(cellvec train --db db --labels localization --group gene --folds 3 --epochs 6)

for loss in bce weighted focal asymmetric; do
  expect_exit 0 "${train[@]}" --loss "$loss" --json
  expect_stdout "\"loss\":\{.*\"kind\":\"$loss\""
done
expect_exit 0 "${train[@]}" --loss asymmetric --loss-numbers 1,4,0.1 --schedule one-cycle --sampling class-uniform --json
expect_stdout '"positive":1\b.*"sampling":"class-uniform"'
expect_exit 64 "${train[@]}" --loss focal --loss-numbers 1
expect_stderr '--loss-numbers: expected 2 for focal, found 1'
expect_exit 64 "${train[@]}" --loss focal --loss-numbers 3,2
expect_stderr 'loss: expected an alpha from 0 to 1'
expect_exit 64 "${train[@]}" --loss hinge
# No number of an option ends the program.
expect_exit 64 "${train[@]/#6/9223372036854775807}"
expect_stderr 'epochs: expected 1 to 1000000'
expect_exit 64 "${train[@]/#3/9223372036854775807}"
expect_stderr 'folds: expected at most 100000'
expect_exit 64 "${train[@]}" --learning-rate 1e38 --weight-decay 0
expect_stderr 'learning rate: expected a number above 0 and up to 1000'

expect_exit 0 "${train[@]}" --hidden 6,4 --dropout 0.1 --ensemble 2 --save mlp
expect_exit 0 cellvec heads show mlp --db db
expect_stdout '^layers +4 -> 6 -> 4 -> 3, mean of 2$'

# A fifth of the groups is watched: six train groups a fold are enough, and all nine for the head.
expect_exit 0 "${train[@]}" --learning-rate 1e-3,3e-2 --weight-decay 0,0.1 --patience 3 --thresholds fitted \
  --calibrate temperature --save watched
expect_exit 0 cellvec heads show watched --db db
expect_stdout '^trained on +28 cells, watched on 8; 36 of them in this database$'
expect_stdout '^trained with +rate .*, the best of 4 pairs$'
expect_stdout '^calibration +error .* on 8 cells, each corrected by what was fitted to others \(2 parts\)$'
expect_exit 0 "${train[@]}" --calibrate isotonic --schedule plateau
expect_exit 64 cellvec train --db db --labels localization --group gene --folds 2 --where "gene IN ('G0','G1','G2','G3')" --patience 2
expect_stderr 'early stopping: expected at least 5 groups'

expect_exit 0 cellvec heads presets --csv
expect_lines 5
expect_exit 0 "${train[@]}" --preset dino4cells --json
expect_stdout '"hidden":\[1024\].*"sampling":"class-uniform"'
expect_exit 0 "${train[@]}" --preset subcell --hidden 8 --ensemble 1
expect_exit 64 "${train[@]}" --preset dino
expect_stderr 'dino4cells'

# The seed decides every bit, on any number of threads.
options=(--seed 3 --hidden 8 --dropout 0.2 --batch-size 30 --json)
expect_exit 0 "${train[@]}" "${options[@]}" --threads 1
cp "$PWD/.stdout" one
expect_exit 0 "${train[@]}" "${options[@]}" --threads 2
expect_equal "as many threads as one likes" "$(cat one)" "$(cat .stdout)"
expect_exit 0 "${train[@]}" --precision bfloat16

# Grades become targets.
python3 - <<'PYTHON'
with open("grades.csv", "w") as file:
    file.write("cell,grades,bad\n")
    for i in range(36):
        file.write(f'{i},{"er:3;golgi:1" if i % 2 else "nucleus:2"},{"er:x" if i % 2 else "nucleus:2"}\n')
PYTHON
expect_exit 0 cellvec update --db db --metadata grades.csv --type grades=list --type bad=list
expect_exit 0 "${train[@]}" --grades grades
expect_exit 0 "${train[@]}" --grades grades --grade-targets 3=1,2=0.8,1=0.1
expect_exit 65 "${train[@]}" --grades bad
expect_stderr 'field "bad": expected labels with one of the grades 1, 2, 3.*found "er:x"'
expect_exit 64 "${train[@]}" --grades grades --grade-targets 3=2
expect_exit 64 "${train[@]}" --grades area

# Labels of which no head can be learned are told of at once.
expect_exit 66 "${train[@]}" --where "localization IS NULL"
expect_stderr 'none of the 4 cells has a label'
expect_exit 65 "${train[@]}" --where "localization HAS 'nucleus'"
expect_stderr 'expected at least 2 classes, found 1'
expect_exit 65 "${train[@]}" --where "localization HAS 'er'"
expect_stderr 'class er: has no negative sample'

# Hundreds of classes of one group each are one warning.
alone=(cellvec train --db db --labels gene --group gene --folds 3 --epochs 1)
expect_exit 0 "${alone[@]}"
expect_stdout '^warning: 10 classes, such as G0, G1, G2: all positives of each are in one group'
expect_equal "few warnings" "$(grep -c '^warning' .stdout)" 1
expect_exit 0 "${alone[@]}" --quiet --json
expect_stdout '"warnings":\["10 classes, such as G0, G1, G2: all positives of each are in one group[^"]*"\]'

# A folder without room for the results is told of before any training, which would take days.
python3 - <<'PYTHON'
import npy
npy.save("many.npy", (60000, 2), [float(i % 7) for i in range(120000)])
open("many.csv", "w").write("gene,kind\n" + "".join(f"G{i // 50},k{i % 5}\n" for i in range(60000)))
PYTHON
cellvec import many.npy --db many --space s --metadata many.csv --quiet >/dev/null
for verb in train evaluate; do
  expect_exit 74 timeout 60 env TMPDIR="$PWD/none" "$CELLVEC" "$verb" --db many --labels kind --group gene --epochs 1000000
  expect_stderr '/none: cannot hold 1200000 bytes of intermediate results: no such file or directory; name a folder with room'
done
# So is one that has room for a first part of the groups, and none for the next.
if mkdir little && mount -t tmpfs -o size=2m tmpfs little 2>/dev/null; then
  trap 'umount little' EXIT
  expect_exit 74 timeout 60 env TMPDIR="$PWD/little" "$CELLVEC" evaluate --db many --labels kind --group gene \
    --fraction 0.5,1 --epochs 1000000
  expect_stderr '/little: cannot hold 1200000 bytes of intermediate results: no space left on device; name a folder with room'
  # And one that has room for a first space.
  cellvec import many.npy --db many --space t --quiet >/dev/null
  expect_exit 74 timeout 60 env TMPDIR="$PWD/little" "$CELLVEC" evaluate --db many --labels kind --group gene --epochs 1000000
  expect_stderr '/little: cannot hold 1200000 bytes of intermediate results: no space left on device; name a folder with room'
fi
finish
