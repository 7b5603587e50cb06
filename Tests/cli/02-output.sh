#!/usr/bin/env bash
# The same rows in every format, and quiet ends when nobody reads them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

expect_exit 0 cellvec list --db db --limit 2
expect_stdout '^cell +image +gene +localization +area +remark$'
expect_stdout '^ +1 +vectors.npy +G0 +er;golgi +101 +a, "b"$'
expect_lines 3
expect_exit 0 cellvec list --db db --csv --limit 2
expect_stdout '^cell,image,gene,localization,area,remark$'
expect_stdout '^1,vectors.npy,G0,er;golgi,101,"a, ""b"""$'
expect_exit 0 cellvec list --db db --tsv --limit 2 --fields area,gene
expect_stdout '^cell'$'\t''image'$'\t''area'$'\t''gene$'
expect_exit 0 cellvec list --db db --json
expect_lines 40
expect_json
expect_stdout '^\{"cell":1,"image":"vectors.npy","gene":"G0","localization":\["er","golgi"\],"area":101,'
expect_stdout '^\{"cell":39,.*"localization":null'

expect_exit 0 cellvec list --db db --where "gene = 'none'" --json
expect_lines 0
expect_exit 0 cellvec list --db db --where "gene = 'none'"
expect_lines 1

expect_exit 0 cellvec search --db db --cell 1 -k 3 --json
expect_json
expect_lines 3
expect_stdout '^\{"rank":1,"cell":[0-9]+,"similarity":0\.9[0-9]+,"image":"vectors.npy"'
expect_exit 0 cellvec search --db db --cell 1 -k 1 --include-self
expect_stdout '^ +1 +1 +1\.0000 '
expect_exit 0 cellvec search --db db --cell 1 -k 100 --csv
expect_lines 40
expect_exit 0 cellvec search --db db --cell 1 -k 100 --where "gene IN ('G0', 'G3')" --csv
expect_lines 8
expect_exit 0 cellvec search --db db --vectors vectors.npy -k 2 --fields gene --csv
expect_lines 81
expect_stdout '^query,rank,cell,similarity,image,gene$'
expect_stdout '^7,1,7,1,vectors.npy,G1$'
expect_exit 0 cellvec list --db db --fields gene,area,gene --csv
expect_stdout '^cell,image,gene,area$'
python3 -c 'import npy; npy.save("zeros.npy", (3, 4), [1.0] * 4 + [0.0] * 4 + [1.0] * 4)'
expect_exit 0 cellvec search --db db --vectors zeros.npy -k 1 --csv
expect_stderr '^warning: query 1 is a vector of zeros, which has no direction: its similarities to all cells are 0$'
expect_exit 0 cellvec search --db db --vectors zeros.npy -k 1 --metric l2 --csv
expect_silence
expect_exit 0 cellvec search --db db --cell 1 --where "gene = 'none'"
expect_exit 1 cellvec search --db db --cell 1 --where "gene = 'none'" --require-match

expect_exit 0 cellvec show 1 --db db
expect_stdout '^field localization +er;golgi$'
expect_exit 0 cellvec show 1 --db db --json
expect_json
expect_exit 0 cellvec show 1 --db db --vector
expect_lines 4
expect_exit 0 cellvec stats --db db
expect_stdout '^cells +40$'
expect_stdout '^s +4 +40 '
expect_stdout '^localization +list +36 +3$'
expect_stdout '^part +name +entries +bytes$'
expect_stdout '^table +vectors +1 +8192$'
expect_stdout '^space +s +1 +4086$'
expect_stdout '^field +localization +10 +[0-9]+$'
expect_exit 0 cellvec stats --db db --json
expect_json
expect_exit 0 cellvec check --db db
expect_stderr '^no faults found$'

# shellcheck disable=SC2016 # the inner shell expands
expect_exit 0 bash -c 'set -o pipefail; "$CELLVEC" list --db db | head -n 1'
expect_silence
# A pipe that is closed before the first byte, and output of many buffers.
# shellcheck disable=SC2016
expect_exit 0 bash -c 'set -o pipefail; "$CELLVEC" search --db db --vectors vectors.npy -k 40 --json | true'
expect_silence
if [[ -w /dev/full ]]; then
  # shellcheck disable=SC2016
  expect_exit 74 bash -c '"$CELLVEC" list --db db >/dev/full'
  expect_stderr '^cellvec: stdout: cannot write: no space left on device'
fi
finish
