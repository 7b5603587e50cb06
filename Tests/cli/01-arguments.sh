#!/usr/bin/env bash
# Bad command lines and missing things: every one has its exit status and a sentence that helps.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

expect_exit 0 cellvec --version
expect_stdout '^[0-9]+\.[0-9]+\.[0-9]+$'
expect_exit 0 cellvec --help
expect_stdout 'cellvec ingest '
expect_exit 0 cellvec help search

# A terminal of 80 columns breaks no example: what is copied from it runs. No line is longer, that of usage neither.
for verb in ingest import export planes crops search index "index build" "index drop" "index status" list count show stats check \
  train evaluate knn predict heads "heads list" "heads show" "heads drop" "heads export" "heads import" "heads presets" report \
  simulate update delete merge backup compact fields "fields list" "fields rename" "fields drop" spaces "spaces list" \
  "spaces rename" "spaces drop" models "models list" "models add" "models remove" "models inspect" "models presets" "models seed" \
  "models embed" "models time" "models card" "models cache"; do
  read -ra words <<<"$verb"
  shown=$(cellvec "${words[@]}" --help)
  expect_equal "examples of $verb" \
    "$(awk '/^Examples?:/ { inside = 1; next } /^$/ { inside = 0 } inside && !/^  /' <<<"$shown")" ""
  expect_equal "long lines of $verb" "$(awk 'length > 80' <<<"$shown")" ""
done

# A page of help has at most 45 lines, and says where the other options are.
for verb in ingest import export planes crops update delete fields spaces merge backup compact search index "index build" \
  list count show stats check train evaluate knn predict heads report models "models add" "models embed" simulate; do
  read -ra words <<<"$verb"
  shown=$(cellvec "${words[@]}" --help)
  all=$(cellvec "${words[@]}" --help-hidden)
  lines=$(wc -l <<<"$shown")
  if ((lines <= 45)); then ok "help of $verb is short"; else not_ok "help of $verb is short" "$lines lines"; fi
  if [[ $(wc -l <<<"$all") -gt $lines && ${shown//$'\n'/ } != *"--help-hidden"* ]]; then
    not_ok "help of $verb leads to its other options"
  else
    ok "help of $verb leads to its other options"
  fi
done

for line in "lisst" "lisst --db db" "lisst --limit 3"; do
  read -ra words <<<"$line"
  expect_exit 64 cellvec "${words[@]}"
  expect_stderr '^cellvec: verb "lisst": does not exist; did you mean "list"\? verbs: '
done
expect_exit 64 cellvec heads lst --db db
expect_stderr '^cellvec: verb "lst": does not exist; did you mean "list"\? verbs: drop, export'
expect_exit 64 cellvec list --limitt 3 --db db
expect_stderr '^cellvec: option "--limitt": does not exist; did you mean "--limit"\? cellvec list --help has all options$'
expect_exit 64 cellvec train --lables localization --db db
expect_stderr '^cellvec: option "--lables": does not exist; did you mean "--labels"\? cellvec train --help-hidden has all options$'
expect_exit 64 cellvec list --db db --where -x
expect_stderr '^cellvec: option "-x": does not exist; as the value of --where, write --where=-x; cellvec list --help has all options$'
expect_exit 64 cellvec train --db db
expect_stderr "Missing expected argument '--labels <field>'"
expect_exit 64 cellvec list --db db --limit 1 --limit 2
expect_stderr '^cellvec: --limit: is given more than once, and takes one value; give the one that is meant$'
expect_exit 64 cellvec search --db db --cell 0 -k1 --limit 2
expect_stderr '^cellvec: --limit: is given more than once'
expect_exit 0 cellvec search --db db --cell 0 -k1
expect_lines 2
for line in "help serach" "help models ad" "models help ad"; do
  read -ra words <<<"$line"
  expect_exit 64 cellvec "${words[@]}"
  expect_stderr '^cellvec: verb "(serach|ad)": does not exist; did you mean "(search|add)"\? verbs: '
done
expect_exit 64 cellvec models help --foo
expect_stderr "Unknown option '--foo'"
expect_exit 0 cellvec models help add
expect_stdout '^USAGE: cellvec models add'
expect_exit 0 cellvec heads help
expect_stdout '^USAGE: cellvec heads <subcommand>'
expect_exit 64 cellvec list --db db --limit -1
expect_exit 64 cellvec list --db db --json --csv
expect_exit 64 cellvec search --db db
expect_stderr 'expected one of --cell, --image, --vectors and --mean-of'
expect_exit 64 cellvec search --db db --cell 0 -k 0
expect_exit 64 cellvec search --db db --cell 0 -k -2
expect_stderr 'found -2|is invalid|-2'
expect_exit 64 cellvec train --db db --labels localization --learning-rate -1
expect_stderr 'learning rate: expected a number above 0 and up to 1000, found -1'
expect_exit 66 cellvec list --db db --where "gene = 'G1'" --fields image
expect_stderr 'field "image": does not exist; imported cells have it where the table of --metadata has a column image'
expect_exit 64 cellvec list --db db --where "image = 'a'"
expect_stderr 'unknown field "image"; imported cells have it where'
expect_exit 66 cellvec search --db db --cell 0 --by image
expect_stderr 'field "image": does not exist; imported cells'
expect_exit 64 cellvec train --db db --labels localization --group gene --ungrouped
expect_exit 64 cellvec list
expect_stderr '^cellvec: --db: .*CELLVEC_DB'

expect_exit 66 cellvec list --db nowhere
expect_stderr '^cellvec: nowhere: is no database'
expect_exit 66 cellvec show 999 --db db
expect_stderr 'cell 999: does not exist'
expect_exit 66 cellvec search --db db --cell 0 --space t
expect_stderr 'space "t": does not exist; did you mean "s"\?'
expect_exit 66 cellvec list --db db --fields gen
expect_stderr 'did you mean "gene"\?'
expect_exit 66 cellvec predict --db db --head loc
expect_stderr 'head "loc": does not exist; there are no heads'
expect_exit 66 cellvec train --db db --labels localisation
expect_stderr 'did you mean "localization"\?'
expect_exit 66 cellvec search --db db --vectors none.npy

expect_exit 64 cellvec list --db db --where "gne = 'G1'"
expect_stderr '^cellvec: --where: column 1: unknown field .gne.; did you mean .gene.\?'
expect_exit 64 cellvec list --db db --where "gene = "
expect_exit 64 cellvec search --db db --image q.png
expect_stderr 'was imported'
expect_exit 64 cellvec models seed m.safetensors --width 96 --heads 5
expect_exit 65 cellvec models inspect cells.csv
expect_exit 65 cellvec search --db db --vectors cells.csv

# Names that are not UTF-8 are refused before anything is written under another name.
cp -r db $'caf\xe9'
cp vectors.npy $'caf\xe9.npy'
for command in "list --db NAME" "import NAME.npy --db new" "export --db db --vectors NAME.npy" "simulate NAME" \
  "list --db db --where gene='NAME'" "NAME" "--help NAME"; do
  read -ra words <<<"$command"
  expect_exit 64 cellvec "${words[@]/NAME/$'caf\xe9'}"
  expect_stderr '^cellvec: argument [1-5]: is not UTF-8: .*caf\\xE9.*; write it in UTF-8, and rename a file or folder that has such a name'
done
CELLVEC_DB=$'caf\xe9' expect_exit 64 cellvec list
expect_stderr '^cellvec: CELLVEC_DB: is not UTF-8: caf\\xE9; '
expect_equal "nothing has another name" "$(ls -d new caf* | wc -l)" 2
mv $'caf\xe9' café
expect_exit 0 cellvec list --db café
rm -r caf*

mkdir -p wrong && printf 'no database' >wrong/data.mdb
expect_exit 65 cellvec list --db wrong

expect_exit 73 cellvec models seed missing/m.safetensors --width 32 --depth 1

CELLVEC_DB=db expect_exit 0 cellvec list --limit 1
expect_lines 2
finish
