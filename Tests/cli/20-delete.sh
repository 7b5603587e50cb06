#!/usr/bin/env bash
# Cells are deleted for good, and come back only when they are asked for.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

expect_exit 64 cellvec delete --db db
expect_exit 64 cellvec delete --db db --where "gene = 'G1'"
expect_stderr '^cellvec: --yes: is needed where nobody can be asked, to delete 4 of 40 cells$'
expect_exit 64 cellvec delete --db db --where "gne = 'G1'" --yes
expect_exit 0 cellvec delete --db db --where "gene = 'G1'" --dry-run --json
expect_stdout '^\{"cells":4,"vectors":4,"images":1\}$'
expect_exit 0 cellvec list --db db --json
expect_lines 40

expect_exit 0 cellvec delete --db db --where "gene = 'G1'" --yes --quiet
expect_silence
expect_stdout '^cells +vectors +images$'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec list --db db --json
expect_lines 36
expect_exit 66 cellvec show 4 --db db
expect_exit 66 cellvec search --db db --cell 4
expect_exit 0 cellvec search --db db --vectors vectors.npy -k 40 --csv
expect_lines $((40 * 36 + 1))
expect_exit 0 cellvec delete --db db --where "gene = 'G1'" --yes --csv
expect_stdout '^0,0,0$'

# The same array again leaves them deleted, and finds the right lines for the others.
sed -i 's/^\(G[0-9]*\),/\1new,/' cells.csv
expect_exit 0 cellvec import vectors.npy --db db --space s --metadata cells.csv --csv --quiet
expect_stdout '^s,4,40,0,0,39$'
expect_exit 0 cellvec list --db db --fields gene --csv
expect_lines 37
expect_stdout '^8,vectors.npy,G2new$'
# Another space takes all of the array.
expect_exit 0 cellvec import vectors.npy --db db --space t --metadata cells.csv --csv --quiet
expect_stdout '^t,4,40,40,0,43$'
expect_exit 0 cellvec list --db db --where "gene = 'G1new'" --space t --fields gene --csv
expect_stdout '^40,vectors.npy,G1new$'
expect_exit 0 cellvec show 8 --db db --vector --space t
cp "$PWD/.stdout" eight
expect_exit 0 cellvec show 8 --db db --vector --space s
expect_equal "vectors keep to their cells" "$(cat eight)" "$(cat .stdout)"
expect_exit 0 cellvec check --db db

expect_exit 0 cellvec delete --db db --where "gene = 'G3new'" --images --yes --quiet
expect_exit 0 cellvec import vectors.npy --db db --space s --metadata cells.csv --csv --quiet
expect_stdout '^s,4,40,8,0,47$'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec list --db db --csv
expect_lines 41

# So does a folder of images.
cellvec simulate fields --fields 6 --size 128 --cells-per-field 3 --seed 1 --quiet
cellvec models seed tiny.safetensors --width 64 --depth 1 --patch 8 --inputs nucleus,protein --image-size 32 --seed 7 --quiet
ingest() {
  cellvec ingest fields --db lab --backbone tiny.safetensors --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --cells masks='*_mask.png' --crop 64 --input-size 32 --metadata fields/metadata.csv --quiet --json
}
expect_exit 0 ingest
cells=$(cellvec list --db lab --json | wc -l)
cellvec export --db lab --vectors whole.npy --quiet
expect_exit 0 cellvec delete --db lab --where "image = 'P1_A01_s1'" --yes --quiet
expect_exit 0 ingest
expect_stdout '"fact":"images embedded","value":0'
expect_exit 0 cellvec list --db lab --where "image = 'P1_A01_s1'" --json
expect_lines 0
expect_exit 0 cellvec delete --db lab --where "image = 'P1_A02_s1' OR image = 'P1_A01_s2'" --images --yes --quiet
expect_exit 0 ingest
expect_exit 0 cellvec check --db lab
expect_exit 0 cellvec list --db lab --json
expect_equal "some came back, some did not" "$(($(wc -l <.stdout) < cells && $(wc -l <.stdout) > 0))" 1
finish
