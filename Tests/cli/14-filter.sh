#!/usr/bin/env bash
# Filters as a user writes them: counts, parameters, what each part selects, and where a mistake is.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

# expect_count COUNT CONDITION OPTION...
expect_count() {
  expect_exit 0 cellvec count --db db --where "${@:2}"
  expect_equal "$1 cells" "$1" "$(cat "$_out")"
}

expect_exit 0 cellvec count --db db
expect_stdout '^40$'
expect_exit 0 cellvec count --db db --where "gene = 'G1'" --json
expect_stdout '^\{"cells":4\}$'
expect_count 8 "gene IN ('G1', 'G2')"
expect_count 6 "gene LIKE '%1' OR area BETWEEN 130 AND 131"
expect_count 18 "localization HAS LIKE 'gol%'"
expect_count 4 "localization IS NULL"
expect_count 5 "cell < 5"
expect_count 0 "cell.area > 0"
expect_silence

# Parameters: by hand, as a list, from a file and from a pipe; never read as language.
expect_count 4 "gene = :g" --param g=G1
expect_count 12 "gene IN :g" --param g=G1 g=G2 --param g=G3
expect_count 3 "gene IN :g AND area > :a" --param g=G1 a=1.04e2
printf '\xef\xbb\xbfG1\r\n\n  G2\n' >genes.txt
expect_count 8 "gene IN :g" --param-file g=genes.txt
expect_count 40 "gene NOT IN :g" --param-file g=/dev/null
# shellcheck disable=SC2016 # the inner shell expands
expect_exit 0 bash -c '"$CELLVEC" search --db db --cell 0 -k 99 --csv --where "gene IN :g" --param-file g=<(printf "G1\nG2\n")'
expect_lines 9
expect_count 0 "gene = :g" --param "g=x' OR gene = 'G1"
expect_exit 64 cellvec count --db db --where "gene = :g" --param h=G1
expect_stderr 'column 8: the parameter :g has no value'
expect_exit 64 cellvec count --db db --where "gene = 'G1'" --param g=G1
expect_exit 64 cellvec count --db db --param g=G1
expect_exit 64 cellvec count --db db --where "gene = :g" --param g
expect_stderr '^cellvec: --param: expected name=value, found "g"'
expect_exit 66 cellvec count --db db --where "gene IN :g" --param-file g=nowhere.txt
printf 'G1\nG\xff\n' >bad.txt
expect_exit 65 cellvec count --db db --where "gene IN :g" --param-file g=bad.txt
expect_stderr '^cellvec: bad.txt line 2: is not UTF-8'

expect_exit 0 cellvec count --db db --where "NOT (gene = 'G1' OR area > 120)" --explain
expect_lines 4
expect_stdout '^ +0 +17 .*  NOT \(gene = .G1. OR area > 120\)$'
expect_stdout '^ +1 +36 .*    gene != .G1.$'
expect_exit 0 cellvec count --db db --where "NOT (gene = 'G1' OR area > 120)" --explain --runs 3 --json
expect_json
expect_stdout '^\{"depth":1,"cells":21,"milliseconds":[0-9.e-]+,"condition":"NOT area > 120"\}$'

# The place of a mistake stands below the sentence.
expect_exit 64 cellvec count --db db --where "area > 3 AND gne = 'G1'"
expect_stderr '^cellvec: --where: column 14: unknown field .gne.; did you mean .gene.\?'
expect_stderr "^  area > 3 AND gne = 'G1'$"
expect_stderr '^               \^$'
expect_exit 64 cellvec count --db db --where "area LIKE '1%'"
expect_stderr 'holds one number per cell; LIKE compares with a text'

# Nothing found: what was probably meant.
expect_count 0 "gene = 'g1'"
expect_stderr '^cellvec: no cell has .g1. in "gene"; did you mean .G1.\?$'
expect_exit 0 cellvec list --db db --where "localization HAS 'golgy'" --csv
expect_lines 1
expect_stderr 'did you mean .golgi.\?$'

expect_count 0 "gene LIKE 'G'"
expect_stderr "^cellvec: no cell has 'G' in \"gene\"; LIKE compares whole texts: write '%G%' for a part of them; did you mean 'G0'\?\$"
expect_count 0 "localization HAS LIKE 'golgy'"
expect_stderr "LIKE compares whole texts: write '%golgy%' for a part of them; did you mean 'golgi'\?\$"
expect_count 0 "gene LIKE 'X%'"
expect_silence
expect_exit 64 cellvec count --db db --where "cell line = 'U2OS'"
expect_stderr "found 'line'; write a name of several words in double quotes, as in \"cell line\"\$"

# A hostile text is a fault, not a crash.
expect_exit 64 cellvec count --db db --where "$(printf '(%.0s' {1..60000})"
expect_stderr 'more than 200 nested parentheses and NOTs$'
finish
