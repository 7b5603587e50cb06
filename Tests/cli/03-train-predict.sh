#!/usr/bin/env bash
# From labelled vectors to predictions that can be searched by.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --epochs 20
expect_stdout '^cells +36 in 9 groups, 3 classes$'
expect_stdout '^left out +4 cells without label$'
expect_stdout '^macro F1 .* sample SD .* population SD.*3 folds, grouped by gene$'
expect_stdout '^class +cells +precision +recall +f1 +auroc +average_precision$'
expect_exit 0 cellvec heads list --db db --csv
expect_lines 1

expect_exit 0 cellvec train --db db --labels localization --ungrouped --folds 3 --epochs 20
expect_stdout 'UNGROUPED'
expect_exit 64 cellvec train --db db --labels localization
expect_stderr 'stay together'
expect_stderr 'at least 5 groups'
expect_exit 64 cellvec train --db db --labels area --group gene
expect_exit 64 cellvec train --db db --labels localization --group gene --folds 1
expect_stderr '^cellvec: folds: expected at least 2, found 1; ask for 2 folds or more, such as 5$'
expect_exit 64 cellvec train --db db --labels localization --group gene --epochs 0

train=(cellvec train --db db --labels localization --group gene --folds 3 --seed 1 --json --save h)
expect_exit 64 cellvec train --db db --labels localization --group gene --replace
expect_exit 0 "${train[@]}"
expect_json
expect_stdout '"group_field":"gene"'
expect_stderr 'saved head h'
cp "$PWD/.stdout" first
expect_exit 64 "${train[@]}" --quiet
expect_stderr 'head "h": is there already; choose another name for --save, or replace it with --replace'
expect_exit 0 "${train[@]}" --replace
expect_stderr 'replacing head h'
expect_equal "the same seed gives the same scores" "$(cat first)" "$(cat .stdout)"
expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --csv --quiet
expect_lines 4
expect_stdout '^class,cells,precision,recall,f1,auroc,average_precision,macro_f1,macro_f1_sample_sd,macro_f1_population_sd$'
expect_silence

expect_exit 0 cellvec heads list --db db
expect_stdout '^h +s +localization +3 .* gene +multi +- +linear$'
expect_exit 0 cellvec stats --db db --json
expect_json
expect_stdout '"grouped_by":"gene"'

expect_exit 0 cellvec predict --db db --head h
expect_stdout '^nucleus +20$'
expect_stderr 'wrote predicted_localization of 40 cells'
expect_exit 0 cellvec list --db db --where "predicted_localization HAS 'golgi' AND localization IS NULL" --csv
expect_lines 3
expect_exit 0 cellvec list --db db --where "probability_localization_golgi > 0.5" --csv
expect_lines 21
expect_exit 0 cellvec predict --db db --head h --where "gene = 'G0'" --threshold 0 --json
expect_json
expect_stdout '^\{"label":"er","cells":4\}$'
# Of a class that the head does not know, no probability of another head is left.
cellvec backup other --db db >/dev/null
cellvec update --db other --set localization=cytosol --where "cell = 39" --quiet >/dev/null
cellvec update --db other --set probability_localization_cytosol=0.9 --where "cell < 9" --quiet >/dev/null
expect_exit 0 cellvec predict --db other --head h --where "cell < 5" --quiet
expect_exit 0 cellvec list --db other --where "probability_localization_cytosol > 0.5" --csv
expect_lines 5
expect_exit 64 cellvec predict --db db --head h --threshold 1
expect_exit 66 cellvec predict --db db --head hh
expect_stderr 'did you mean "h"\?'

cellvec import vectors.npy --db db --space other --quiet >/dev/null
expect_exit 64 cellvec predict --db db --head h --space other
expect_stderr 'trained in space "s"'
expect_exit 64 cellvec search --db db --cell 0
expect_stderr '2 spaces, whose vectors cannot be compared; name one of other, s'
expect_exit 0 cellvec check --db db
finish
