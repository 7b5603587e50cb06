#!/usr/bin/env bash
# From simulated images to neighbours, scores and predictions.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect_exit 0 cellvec simulate fields --fields 12 --size 128 --cells-per-field 3 --seed 1 --quiet
expect_silence
expect_exit 0 cellvec models seed tiny.safetensors --width 64 --depth 1 --patch 8 --inputs nucleus,protein \
  --image-size 32 --seed 7
expect_exit 0 cellvec models inspect tiny.safetensors
expect_stdout '^inputs +nucleus;protein$'
expect_exit 0 cellvec models inspect tiny.safetensors --json
expect_json

channels=(nucleus='*_nucleus.png' protein='*_protein.png')
recipe=(--backbone tiny.safetensors --cells masks='*_mask.png' --crop 64 --input-size 32)
metadata=(--metadata fields/metadata.csv)
ingest=(cellvec ingest fields --db db --channels "${channels[@]}" "${recipe[@]}" "${metadata[@]}" --json)
refused() {
  expect_exit 64 "$@"
  expect_equal "and makes no database" "$(ls -d db 2>/dev/null)" ""
}
refused "${ingest[@]/#32/4}"
refused "${ingest[@]}" --commit-every 0
refused "${ingest[@]/#masks=*/nuclei}" --segment-on er
refused "${ingest[@]/#masks=*/nuclei}" --nucleus-diameter inf
refused "${ingest[@]/#masks=*/nuclei}" --nucleus-diameter=-3
refused "${ingest[@]}" --name-pattern '(?<image>.*)'
refused "${ingest[@]}" --type gen=list
expect_exit 64 cellvec ingest fields --db db --channels mask='*_mask.png' "${recipe[@]}"
expect_exit 0 "${ingest[@]}" --dry-run
expect_json
expect_exit 66 cellvec stats --db db
expect_exit 0 "${ingest[@]}"
expect_json
expect_stdout '"images embedded".*:12|"fact":"images embedded","value":12'
for fact in 'bytes read' 'seconds reading' 'seconds finding cells' 'seconds cutting crops' 'seconds embedding' \
  'seconds committing' 'seconds waiting for crops' 'seconds waiting for commits'; do
  expect_stdout "\"fact\":\"$fact\",\"value\":[0-9]"
done
expect_stdout '"fact":"backbone busy","value":(0(\.[0-9]+)?|1)\}'
expect_exit 0 "${ingest[@]}"
expect_stdout '"fact":"images embedded","value":0|"images embedded":0'
expect_exit 0 cellvec list --db db --csv --fields gene,localization,well
expect_stdout '^0,P1_A01_s1,'

# Who does not say what cells are is told that images are.
expect_exit 0 cellvec ingest fields --db whole --channels "${channels[@]}" --backbone tiny.safetensors --input-size 32
expect_stderr "^each image is one cell; to have those in it, give --cells masks='\*_mask.png' or --cells nuclei\$"
expect_exit 0 cellvec ingest fields --db whole --channels "${channels[@]}" --backbone tiny.safetensors --input-size 32 --cells whole
expect_equal "others are not" "$(grep -c 'each image is one cell' "$_err")" 0

# Stopped early, a run says how many images it leaves.
"$CELLVEC" ingest fields --db stopped --channels "${channels[@]}" "${recipe[@]}" --quiet >/dev/null 2>stopped.err &
wait_until_it_listens $!
kill -INT $!
wait $!
expect_equal "it was stopped" "$?" 130
saved=$(cellvec stats --db stopped --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["images"])')
case $saved in
  0) expected="no new images were saved; run the same command to go on" ;;
  *) expected="images that this run saved: $saved; run the same command to go on" ;;
esac
expect_equal "and says what it leaves" "$(cat stopped.err)" "cellvec: interrupted; $expected"

# What a cell is can be asked for like its metadata.
area=$(cellvec show 0 --db db --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["geometry"]["area_px"])')
expect_exit 0 cellvec count --db db \
  --where "cell = 0 AND cell.label > 0 AND cell.x > 0 AND cell.y > 0 AND cell.area = $area AND image = 'P1_A01_s1'"
expect_stdout '^1$'

# What a table does not match is told before anything is ingested, and so is what a square does not fit into afterwards.
head -n 7 fields/metadata.csv >half.csv
printf 'P9_A01_s1,G,,P9,A01,1,U2OS\n' >>half.csv
half=(cellvec ingest fields --db half --channels "${channels[@]}" "${recipe[@]}" --metadata half.csv)
expect_exit 0 "${half[@]}" --dry-run
expect_stderr '^warning: images without metadata: P'
expect_stderr '^warning: metadata lines without image: 8$'
expect_equal "a dry run makes nothing" "$(ls -d half 2>/dev/null)" ""
grep '^warning: ' .stderr >warnings
expect_exit 0 "${half[@]/#64/150}"
expect_stderr '^warning: images smaller than the squares of 150 px that --crop cuts out of them: 12, as P1_A01_s1 of 128 x 128 px; '
expect_equal "the warnings are those of the dry run" "$(grep '^warning: .*metadata' .stderr)" "$(cat warnings)"

# The order in which channels are named is no part of the recipe.
expect_exit 0 cellvec ingest fields --db reversed --channels "${channels[1]}" "${channels[0]}" \
  "${recipe[@]}" --quiet
expect_equal "channels in another order give the same vectors" \
  "$(cellvec show 0 --db db --vector)" "$(cellvec show 0 --db reversed --vector)"

# An image of the database as a query finds its own cells.
image=(nucleus=fields/P1_A01_s1_nucleus.png protein=fields/P1_A01_s1_protein.png)
expect_exit 0 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png -k 1 --csv --fields gene
expect_stdout '^query,object,rank,cell,similarity,image,gene$'
expect_stdout '^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),P1_A01_s1,'
expect_lines 4
expect_exit 0 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png --object 2 -k 1 --csv
expect_stdout '^0,2,1,1,(1|0\.99999[0-9]*|1\.0000[0-9]*),P1_A01_s1,'
expect_lines 2
expect_silence
expect_exit 66 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png --object 9
expect_stderr 'object "9": does not exist; objects: 1, 2, 3$'
expect_exit 64 cellvec search --db db --cell 0 --object 1
python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
rows = zlib.compress(b"".join(b"\0" + bytes(2 * 128) for _ in range(128)))
open("black.png", "wb").write(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 128, 128, 16, 0, 0, 0, 0)) + chunk(b"IDAT", rows)
    + chunk(b"IEND", b""))
PYTHON
expect_exit 0 cellvec search --db db --image nucleus=black.png protein=fields/P1_A01_s1_protein.png \
  mask=fields/P1_A01_s1_mask.png -k 1
expect_stderr '^warning: --image: all pixels of nucleus are equal, which says nothing of a cell$'

# The same images with another set of channels are other images.
expect_exit 0 cellvec ingest fields --db db --channels "${channels[1]}" "${recipe[@]}" --dry-run
expect_stderr '^warning: images that the database has with other channels \(nucleus, protein\): 12; with protein their objects '
expect_exit 64 cellvec search --db db --image "${image[@]}"
expect_stderr 'lacks the file of mask; give nucleus=file protein=file mask=file'
expect_exit 64 cellvec search --db db --image er=x.png
mv tiny.safetensors moved.safetensors # the path that the space remembers
expect_exit 66 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png
expect_stderr 'with --backbone'
expect_exit 0 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png \
  --backbone moved.safetensors
cellvec models seed other.safetensors --width 64 --depth 1 --patch 8 --image-size 32 --seed 8 --quiet
expect_exit 65 cellvec search --db db --image "${image[@]}" mask=fields/P1_A01_s1_mask.png \
  --backbone other.safetensors

expect_exit 0 cellvec train --db db --labels localization --folds 2 --epochs 2 --group gene --save h --json
expect_json
expect_exit 0 cellvec predict --db db --head h --quiet
field=$(cellvec list --db db --fields all --limit 1 --csv | head -n 1 | tr , '\n' | grep -m 1 '^probability_')
expect_exit 0 cellvec search --db db --cell 0 -k 3 --where "\"$field\" >= 0" --csv
expect_lines 4
expect_exit 0 cellvec list --db db --where "predicted_localization IS NULL AND \"$field\" IS NOT NULL"
expect_exit 0 cellvec check --db db

mv moved.safetensors tiny.safetensors
# A damaged image is named, the others are ingested.
cp fields/P1_A01_s1_mask.png fields/P9_A01_s1_mask.png
cp fields/P1_A01_s1_protein.png fields/P9_A01_s1_protein.png
printf 'no image' >fields/P9_A01_s1_nucleus.png
expect_exit 2 "${ingest[@]}"
expect_stderr 'P9_A01_s1_nucleus.png: expected a PNG or TIFF image'

# An image that lacks a file counts as failed from the start, one without cells is told.
mkdir dark
cp fields/P1_A01_s1_{nucleus,protein}.png dark
cp black.png dark/P1_A02_s1_nucleus.png
cp black.png dark/P1_A02_s1_protein.png
cp black.png dark/P1_A03_s1_protein.png
expect_exit 2 cellvec ingest dark --db nuclei --channels "${channels[@]}" --backbone tiny.safetensors \
  --cells nuclei --crop 64 --input-size 32 --json
expect_stderr '^3/3 images \(100%\).* cells, 1 failed$'
expect_stderr '^warning: images without cells: P1_A02_s1$'
expect_stderr '^cellvec: P1_A03_s1: has no file for nucleus'
for fact in 'images","value":3' 'images embedded","value":2' 'images failed","value":1' \
  'images without cells","value":1'; do
  expect_stdout "\"fact\":\"$fact\\}"
done
expect_exit 0 cellvec search --db nuclei --image nucleus=black.png protein=black.png
expect_stderr '^warning: --image: no cell was found in the image$'
# Names of nuclei have commas in them, so that others stand between.
expect_exit 66 cellvec search --db nuclei --image "${image[@]}" --object 1
expect_stderr 'objects: [0-9]+,[0-9]+,[0-9]+,[0-9]+(; [0-9]+,[0-9]+,[0-9]+,[0-9]+)+$'

expect_exit 0 cellvec export --db nuclei --metadata cells.csv
expect_stderr "^wrote the metadata of $(cellvec list --db nuclei --csv | tail -n +2 | wc -l) cells to cells.csv\$"
# A file whose name is not UTF-8 is named, and is no image.
mkdir latin
cp fields/P1_A01_s1_nucleus.png latin/a_nucleus.png
cp fields/P1_A02_s1_nucleus.png $'latin/caf\xe9_nucleus.png'
cellvec models seed nucleus.safetensors --width 32 --depth 1 --patch 8 --inputs nucleus --image-size 32 --quiet
expect_exit 2 cellvec ingest latin --db latindb --channels nucleus='*_nucleus.png' --backbone nucleus.safetensors --json
for fact in 'images","value":1' 'images embedded","value":1' 'images failed","value":0'; do
  expect_stdout "\"fact\":\"$fact\\}"
done
expect_stderr '^cellvec: latin/caf\\xE9_nucleus.png: has a name that is not UTF-8, and is passed over; rename it'
finish
