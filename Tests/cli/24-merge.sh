#!/usr/bin/env bash
# Parts of a plate that were ingested apart become one database.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec simulate fields --fields 8 --size 128 --cells-per-field 3 --seed 1 --quiet
cellvec models seed tiny.safetensors --width 64 --depth 1 --patch 8 --inputs nucleus,protein --image-size 32 --seed 7 --quiet
ingest() {
  cellvec ingest "$1" --db "$2" --backbone tiny.safetensors --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --cells masks='*_mask.png' --crop 64 --input-size 32 --metadata fields/metadata.csv --quiet --json
}
mkdir one two
for file in fields/*_nucleus.png; do
  name=$(basename "$file" _nucleus.png)
  case $name in *_A01_*) part=one ;; *) part=two ;; esac
  cp fields/"$name"_*.png $part
done
ingest one a >/dev/null
ingest two b >/dev/null
ingest fields whole >/dev/null

expect_exit 64 cellvec merge --db lab
expect_exit 66 cellvec merge a nowhere --db lab
expect_equal "nothing is made for a wrong name" "$(ls -d lab 2>/dev/null)" ""
expect_exit 0 cellvec merge a b --db lab --csv --quiet
expect_silence
expect_stdout '^source,images,new_images,cells,new_cells,changed_cells,vectors,conflicts$'
expect_lines 3
expect_exit 0 cellvec check --db lab
rows() { cellvec list --db "$1" --csv | cut -d, -f2- | sort; }
expect_equal "the cells are those of one ingest" "$(rows lab)" "$(rows whole)"
expect_exit 0 cellvec merge a b --db lab --json
expect_json
expect_stdout '"new_images":0,.*"new_cells":0,"changed_cells":0,"vectors":0,"conflicts":0'
expect_exit 0 ingest fields lab
expect_stdout '"fact":"images embedded","value":0'
expect_exit 0 cellvec spaces --db lab --json
expect_lines 1

expect_exit 0 cellvec update --db b --set gene=other --where "gene IS NOT NULL" --quiet
expect_exit 0 cellvec merge b --db lab
expect_stderr '^warning: b: field gene: [0-9]+ cells have another value, which is left, as cell [0-9]+: "other", here "[^"]+"; cell [0-9]+: "other", here "'
expect_exit 0 cellvec list --db lab --where "gene = 'other'" --json
expect_lines 0
expect_exit 0 cellvec merge b --db lab --prefer-source --quiet
expect_exit 0 cellvec list --db lab --where "gene = 'other'" --json
expect_equal "all of them are taken" "$(wc -l <.stdout)" "$(cellvec list --db b --json | wc -l)"
expect_exit 64 cellvec merge lab --db lab
expect_exit 0 cellvec check --db lab

make_small_database
cellvec fields drop localization --db db --yes --quiet
expect_exit 0 cellvec merge db --db lab --quiet --csv
expect_exit 0 cellvec spaces --db lab --csv
expect_stdout '^s,4,40,,,float32$'
cellvec fields rename area gene2 --db db --quiet
cellvec fields rename gene area --db db --quiet
expect_exit 65 cellvec merge db --db lab
expect_stderr 'db: field "area": expected a number, as lab has it, found a string;.*cellvec fields rename$'
expect_exit 0 cellvec fields rename area gene3 --db db --quiet
cellvec spaces rename s imported --db db --quiet
python3 -c 'import npy; npy.save("wide.npy", (2, 5), range(10))'
cellvec import wide.npy --db lab --quiet >/dev/null
expect_exit 65 cellvec merge db --db lab
expect_stderr 'db: space "imported": expected vectors of 5 numbers, as lab has, found 4; rename it'
cellvec ingest one --db c --backbone tiny.safetensors --channels nucleus='*_nucleus.png' protein='*_protein.png' \
  --cells masks='*_mask.png' --crop 32 --input-size 32 --quiet --space "$(cellvec spaces --db a --csv | tail -n 1 | cut -d, -f1)" >/dev/null
expect_exit 65 cellvec merge c --db a
expect_stderr 'expected the recipe with crop.cropSizePx 64, as a has, found crop.cropSizePx 32; rename it'
expect_exit 0 cellvec check --db lab
finish
