#!/usr/bin/env bash
# A database of every format version that was released can be read, searched, checked and written.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
fixtures=$(cd "$(dirname "${BASH_SOURCE[0]}")/../Fixtures/databases" && pwd)

for folder in "$fixtures"/v*; do
  rm -rf db && mkdir db && cp "$folder/data.mdb" db
  expect_exit 0 cellvec check --db db
  expect_exit 0 cellvec list --db db --fields gene,localization,dose --csv
  expect_equal "its cells" "$(cat "$_out")" "$(cat "$folder/cells.csv")"
  for space in imported cells; do
    expect_exit 0 cellvec search --db db --space "$space" --cell "$([[ $space == cells ]] && echo 101 || echo 7)" -k 5 --csv
    # The order; similarities differ in their last digit from processor to processor.
    expect_equal "the neighbors in $space" "$(cut -d, -f1,2 "$_out")" "$(cut -d, -f1,2 "$folder/search-$space.csv")"
  done
  expect_exit 0 cellvec predict --db db --head loc
  expect_exit 0 cellvec check --db db
done
finish
