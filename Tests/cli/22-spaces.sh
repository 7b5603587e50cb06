#!/usr/bin/env bash
# Several spaces over the same cells, of which one is renamed and another dropped.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
cellvec import vectors.npy --db db --space t --quiet >/dev/null
cellvec train --db db --space t --labels localization --ungrouped --folds 2 --epochs 2 --save h --quiet >/dev/null

expect_exit 0 cellvec spaces --db db --csv
expect_stdout '^space,dimension,vectors,heads,weights,dtype$'
expect_stdout '^t,4,40,h,,float32$'
expect_exit 0 cellvec spaces rename t second --db db
expect_exit 64 cellvec spaces rename second s --db db
expect_exit 66 cellvec spaces rename t third --db db
expect_exit 0 cellvec heads list --db db
expect_stdout '^h +second '
expect_exit 64 cellvec spaces drop second --db db
expect_stderr '^cellvec: --yes: is needed .*, to drop space second with 40 vectors and head h$'
expect_exit 0 cellvec spaces drop second --db db --yes
expect_stderr '^dropped space second with 40 vectors and head h$'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec heads list --db db --json
expect_lines 0
expect_exit 0 cellvec search --db db --cell 1 -k 2

expect_exit 0 cellvec spaces drop s --db db --yes
expect_stderr '^40 cells have no vector any more; cellvec delete --unembedded removes them$'
expect_exit 0 cellvec list --db db --json
expect_lines 40
expect_exit 0 cellvec import vectors.npy --db db --space s --csv --quiet
expect_stdout '^s,4,40,40,0,39$'
expect_exit 0 cellvec delete --db db --unembedded --dry-run --csv
expect_stdout '^0,0,0$'
expect_exit 0 cellvec spaces drop s --db db --yes --quiet
expect_exit 0 cellvec delete --db db --unembedded --yes --csv --quiet
expect_stdout '^40,0,1$'
expect_exit 0 cellvec check --db db
finish
