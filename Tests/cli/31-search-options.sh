#!/usr/bin/env bash
# Which results a search gives: all, near ones only, one for each value of a field, values in place of cells.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

column() { cut -d, -f"$1" "$_out" | tail -n +2; }

expect_exit 0 cellvec search --db db --cell 3 -k all --csv
expect_lines 40
expect_exit 0 cellvec search --db db --cell 3 -k all --include-self --csv
expect_lines 41
least=$(column 3 | sed -n 7p)
expect_exit 0 cellvec search --db db --cell 3 -k all --include-self --min-similarity "$least" --csv
expect_equal "those at least as similar" "$(column 3 | awk -v least="$least" '$1 < least' | wc -l)" 0
expect_lines 8
expect_exit 0 cellvec search --db db --cell 3 -k 2 --min-similarity "$least" --csv
expect_lines 3
expect_exit 1 cellvec search --db db --cell 3 --min-similarity 1 --require-match
expect_exit 64 cellvec search --db db --cell 3 --min-similarity 2
expect_stderr 'expected -1 to 1, found 2'
expect_exit 64 cellvec search --db db --cell 3 -k some

# One cell of each gene: the first of each in the list of all.
expect_exit 0 cellvec search --db db --cell 3 -k all --csv
first=$(awk -F, 'NR > 1 && !seen[$5]++ { print $2 }' "$_out")
expect_exit 0 cellvec search --db db --cell 3 -k all --distinct gene --csv
expect_equal "the nearest of each gene" "$(column 2)" "$first"
expect_exit 0 cellvec search --db db --cell 3 -k 4 --distinct gene --csv
expect_equal "the nearest genes" "$(column 2)" "$(head -4 <<<"$first")"
expect_exit 0 cellvec search --db db --cell 3 --distinct gene --explain
expect_stderr '^exact: all matching vectors of cells with a value of gene are compared, some of them again$'
expect_stderr '^1 query in [0-9.e-]+ s, with [0-9.e-]+ s of processors$'
expect_exit 64 cellvec search --db db --cell 3 --distinct localization
expect_stderr 'field "localization": expected a field of strings or numbers, of which a cell has one, found lists'
expect_exit 66 cellvec search --db db --cell 3 --distinct gine
expect_stderr 'did you mean "gene"'

# Cells that share a value with the query: cell 3 has gene G0 (cells 0 to 3), labels er and golgi (odd cells).
expect_exit 0 cellvec search --db db --cell 3 -k all --exclude-same gene --csv
expect_equal "other genes" "$(column 2 | awk '$1 < 4' | wc -l) $(column 2 | wc -l)" "0 36"
expect_exit 0 cellvec search --db db --cell 3 -k all --exclude-same localization --csv
expect_equal "other labels" "$(column 2 | awk '$1 % 2 && $1 < 36' | wc -l) $(column 2 | wc -l)" "0 22"
expect_exit 0 cellvec search --db db --cell 3 -k all --exclude-same gene --include-self --csv
expect_equal "the cell itself" "$(column 2 | head -1) $(column 2 | wc -l)" "3 37"
expect_exit 0 cellvec search --db db --cell 38 -k all --exclude-same localization --csv
expect_stderr 'warning: --exclude-same: cell 38 has no value of field "localization"'
expect_exit 64 cellvec search --db db --vectors vectors.npy --exclude-same gene

# The mean of many cells, and values by the means of theirs.
expect_exit 0 cellvec search --db db --mean-of "gene = 'G0'" -k all --csv
expect_equal "without the cells of the query" "$(column 2 | awk '$1 < 4' | wc -l) $(column 2 | wc -l)" "0 36"
expect_exit 0 cellvec search --db db --mean-of "cell = 3" -k all --csv
mean=$(column 2)
expect_exit 0 cellvec search --db db --cell 3 -k all --csv
expect_equal "the mean of one cell is the cell" "$mean" "$(column 2)"
expect_exit 0 cellvec search --db db --mean-of "gene = 'G0'" --by gene --where "area > 110" -k all --csv
expect_stdout '^rank,gene,cell_count,similarity'
expect_equal "genes" "$(column 2 | sort | tr '\n' ' ')" "G2 G3 G4 G5 G6 G7 G8 G9 "
expect_equal "cells of a gene" "$(awk -F, '$2 == "G2" { print $3 }' "$_out")" 1
expect_exit 0 cellvec search --db db --mean-of "gene = 'G0'" --by gene --include-self -k 1 --csv
expect_equal "nearest to itself" "$(column 2) $(column 3)" "G0 4"
expect_exit 0 cellvec search --db db --cell 3 --by localization --csv
expect_equal "labels" "$(column 2 | sort | tr '\n' ' ')" "er golgi nucleus "
expect_exit 0 cellvec search --db db --cell 3 --by localization --explain
expect_stderr '^exact: the mean vector of each value of localization is made of all cells that match$'
expect_exit 64 cellvec search --db db --cell 3 --by area
expect_stderr 'field "area": expected a field of strings or lists, found numbers'
expect_exit 66 cellvec search --db db --mean-of "gene = 'G99'"
expect_stderr '^cellvec: --mean-of: no cell that matches has a vector in space "s"; count cells with cellvec count --where$'
python3 -c 'import npy; npy.save("opposite.npy", (3, 2), [1, 2, -1, -2, 1, 0])'
cellvec import opposite.npy --db opposite --space s --quiet >/dev/null
expect_exit 64 cellvec search --db opposite --mean-of "cell < 2"
expect_stderr '^cellvec: --mean-of: the mean of the vectors in space "s" is zero, which has no direction; search with other cells'
expect_exit 64 cellvec search --db db --cell 3 --by gene --distinct gene

# What neighbors say of a cell.
expect_exit 0 cellvec knn --db db --labels localization --group gene -k 1,3 --csv --quiet
expect_stdout '^k,macro_f1,micro_f1,cells_without_prediction$'
expect_lines 3
expect_exit 0 cellvec knn --db db --labels localization --group gene
expect_stdout '^cells +36 in 9 groups, 3 classes$'
expect_stdout '^left out +4 cells without label$'
expect_stdout '^neighbors +of another gene$'
expect_exit 0 cellvec knn --db db --labels localization --ungrouped --json --quiet
expect_equal "scores of classes" "$(python3 -c 'import json, sys; print([len(r["scores"]["per_class"]) for r in json.load(sys.stdin)["results"]])' <"$_out")" "[3, 3, 3]"
expect_exit 64 cellvec knn --db db --labels localization -k 1,x
expect_exit 0 cellvec knn --db db --labels localization --ungrouped -k 9223372036854775807 --csv --quiet
expect_exit 64 cellvec knn --db db --labels localization --temperature 0
expect_exit 65 cellvec knn --db db --labels localization
expect_stderr '^cellvec: the cells: expected cells of two groups or more, found one group; group by another field'

# The text of many results is made by several threads, and is the same.
python3 - <<'PYTHON'
import array
import npy
npy.save("many.npy", (1200, 4), array.array("f", open("vectors.npy", "rb").read()[128:]) * 30)
PYTHON
for format in --csv --tsv --json ""; do
  # shellcheck disable=SC2086 # none is no argument
  cellvec search --db db --vectors many.npy -k 3 $format --threads 1 >one
  # shellcheck disable=SC2086
  expect_exit 0 cellvec search --db db --vectors many.npy -k 3 $format --threads 4
  expect_equal "text of one thread and of four $format" "$(cksum <"$_out")" "$(cksum <one)"
done
expect_lines 3601
finish
