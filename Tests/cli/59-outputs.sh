#!/usr/bin/env bash
# No output replaces a database's file or what the command reads; what is left of a damaged database is written and marked;
# a merge writes nothing when one of its sources does not fit; a killed backup leaves nothing in the way.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
cp db/data.mdb sound.mdb
for name in data.mdb lock.mdb writer.lock; do
  for path in "db/$name" "./db//$name" "$name"; do
    expect_exit 73 cellvec models seed "$path" --width 32 --depth 1
    expect_stderr 'has the name of a file of a database; give another name'
  done
  expect_exit 64 cellvec export --db db --vectors "db/$name"
done
# A name has the ending of what is in the file.
for output in "--vectors out.csv" "--vectors out" "--metadata cells.npy" "--metadata out.npy --vectors out.npy"; do
  read -ra words <<<"$output"
  expect_exit 64 cellvec export --db db "${words[@]}"
  expect_stderr '^Error: --(vectors: expected a name that ends in .npy|metadata: expected a name that ends in .csv or .tsv or .tab), found'
done
expect_exit 0 cellvec evaluate --db db --labels localization --folds 2 --epochs 1 --group gene --output eval.json --quiet
for output in "export --db db --vectors db/out.npy" "export --db db --metadata db/new/out.csv" "simulate db" "simulate db/new" \
  "report eval.json --output db" "report eval.json --output db/report" "report eval.json --output db/report.html" \
  "evaluate --db db --labels localization --output db/eval.json" "evaluate --db db --labels localization --report db" \
  "backup db/copy --db db" "import vectors.npy --db db/inner" "models seed db/m.safetensors --width 32 --depth 1"; do
  read -ra words <<<"$output"
  expect_exit 73 cellvec "${words[@]}"
  expect_stderr 'would lie among the files of database /.*/db;'
done
mkdir db/inner
for output in "export --db db --vectors db/inner/out.npy" "simulate db/inner" "backup db/inner/copy --db db"; do
  read -ra words <<<"$output"
  expect_exit 73 cellvec "${words[@]}"
  expect_stderr 'would lie among the files of database .*db; give'
done
rmdir db/inner
expect_exit 73 cellvec backup ./db/ --db db
expect_stderr 'db/: is the database itself; give another name for its copy'
expect_equal "the folder has the files of a database" "$(ls db)" "$(printf 'data.mdb\nlock.mdb\nwriter.lock')"
printf 'mine' >out.npy
ln -s out.npy out.csv
expect_exit 64 cellvec export --db db --vectors out.npy --metadata ./out.csv
expect_stderr 'out.csv: would be written over out.npy, which is written already by the same command'
expect_equal "nothing was written" "$(cat out.npy)" "mine"
rm out.npy out.csv
expect_exit 0 cmp sound.mdb db/data.mdb

cellvec simulate fields --fields 2 --size 96 --cells-per-field 3 --seed 1 --quiet
image=$(echo fields/*_nucleus.png | cut -d' ' -f1)
cp "$image" image.png
expect_exit 64 cellvec planes image.png --output ./image.png
expect_stderr 'would be written over image.png, which is read by the same command'
expect_exit 0 cmp "$image" image.png
crops=(cellvec crops fields --channels "nucleus=*_nucleus.png" --cells "masks=*_mask.png" --crop 32 --input-size 32 --quiet)
expect_exit 64 "${crops[@]}" --output "$image"
expect_exit 64 "${crops[@]}" --output crops.npy --table fields/metadata.csv --metadata fields/metadata.csv
expect_exit 0 cmp "$image" image.png
expect_equal "nothing was written" "$(ls ./*.npy)" "./vectors.npy"
expect_exit 64 cellvec models embed --input vectors.npy --output vectors.npy
cellvec models seed weights.safetensors --width 32 --depth 1 --quiet
expect_exit 64 cellvec models embed --backbone weights.safetensors --input vectors.npy --output ./weights.safetensors
expect_stderr 'would be written over weights.safetensors, which is read by the same command'
printf 'G1\n' >genes.csv
expect_exit 64 cellvec export --db db --where "gene IN :g" --param-file g=genes.csv --metadata genes.csv
expect_stderr 'would be written over genes.csv, which is read by the same command'
printf 'label,class\ner,a\ngolgi,b\nnucleus,c\n' >map.csv
expect_exit 64 cellvec evaluate --db db --labels localization --group gene --label-map map.csv --output map.csv
expect_stderr 'would be written over map.csv, which is read by the same command'
expect_equal "inputs are what they were" "$(cat genes.csv map.csv)" "$(printf 'G1\nlabel,class\ner,a\ngolgi,b\nnucleus,c')"
mkdir folder
cp weights.safetensors folder/model.safetensors
for output in folder/out.npy folder/new/out.npy ./folder/../folder/model.safetensors; do
  expect_exit 64 cellvec models embed --backbone folder --input vectors.npy --output "$output"
  expect_stderr 'would be written into folder, which is read by the same command; give a place outside it'
done
expect_equal "the folder is what it was" "$(ls folder)" model.safetensors
# A model's name is no folder's.
cellvec models seed one.safetensors --width 32 --depth 1 --patch 8 --inputs nucleus --image-size 32 --quiet
cellvec models add one one.safetensors >/dev/null
mkdir one
python3 -c 'import npy; npy.save("inputs.npy", (1, 1, 32, 32), (i % 7 for i in range(32 * 32)))'
expect_exit 0 cellvec models embed --backbone one --input inputs.npy --output one/out.npy
rm -r weights.safetensors map.csv genes.csv folder one one.safetensors inputs.npy

# Images that were ingested are kept, and nothing goes into the folder that is read, or that images came from.
channels=(--channels "nucleus=*_nucleus.png" "protein=*_protein.png")
cellvec models seed own.safetensors --width 32 --depth 1 --patch 8 --inputs nucleus,protein --image-size 32 --seed 1 --quiet
cellvec ingest fields --db lab "${channels[@]}" --backbone own.safetensors --quiet >/dev/null
expect_exit 64 cellvec crops fields "${channels[@]}" --crop 32 --input-size 32 --output fields/crops.npy
expect_exit 64 cellvec report eval.json --db lab --output fields/report
expect_exit 64 cellvec report eval.json --db lab --output fields/report.html
expect_stderr 'would be written into /.*/fields, which has an image that is in the database; give a place outside it'
expect_exit 64 cellvec evaluate --db lab --labels gene --report fields/new/report
expect_exit 64 cellvec evaluate --db lab --labels gene --output "$image"
expect_exit 64 cellvec heads export none "$image" --db lab
expect_stderr "^cellvec: $image: is an image, or a file that cannot be read, and would be written over; give another name"
# An image is kept wherever it was moved.
cp "$image" moved.csv
expect_exit 64 cellvec export --db lab --metadata moved.csv
expect_stderr '^cellvec: moved.csv: is an image, or a file that cannot be read, and would be written over; give another name'
expect_exit 0 cmp "$image" moved.csv
rm moved.csv
# So they are from another folder than that of the ingest, beside their database and elsewhere.
mkdir -p sub elsewhere
cp -r lab elsewhere/lab
for db in lab elsewhere/lab; do
  for folder in sub fields /; do
    cd "$folder" || exit 1
    expect_exit 64 cellvec heads export none "$OLDPWD/$image" --db "$OLDPWD/$db"
    expect_exit 64 cellvec report "$OLDPWD/eval.json" --db "$OLDPWD/$db" --output "$OLDPWD/fields/report"
    cd "$OLDPWD" || exit 1
  done
  cd sub || exit 1
  expect_exit 64 cellvec report ../eval.json --db "../$db" --output ../fields/report
  expect_exit 0 cellvec export --db "../$db" --vectors nucleus.npy --quiet
  expect_exit 0 cellvec export --db "../$db" --vectors nucleus.npy --quiet
  cd ../fields || exit 1
  expect_exit 64 cellvec report ../eval.json --db "../$db" --output report.html
  cd .. || exit 1
done
# A database may lie among the images that it has.
cd fields || exit 1
expect_exit 0 cellvec ingest . --db inner "${channels[@]}" --backbone ../own.safetensors --quiet
expect_exit 0 cellvec ingest . --db inner "${channels[@]}" --backbone ../own.safetensors --quiet
expect_equal "all of them" "$(cellvec count --db inner)" "$(cellvec count --db ../lab)"
expect_exit 64 cellvec ingest . --db inner "${channels[@]}" --backbone ../own.safetensors --space $'a\nb'
cd .. || exit 1
rm -r sub elsewhere fields/inner
expect_exit 0 cmp "$image" image.png
expect_equal "nothing new among the images" "$(ls fields | grep -cv '\.png$')" 2
expect_exit 0 cellvec export --db lab --metadata fields/exported.csv --quiet
rm fields/exported.csv own.safetensors

# So are masks and the table of metadata that ingest read, wherever they lie by now.
mkdir plates
cellvec simulate plates/one --fields 2 --size 96 --cells-per-field 3 --quiet
cellvec models seed own.safetensors --width 32 --depth 1 --patch 8 --inputs nucleus,protein --image-size 32 --seed 1 --quiet
cd plates || exit 1
expect_exit 0 cellvec ingest one --db lab "${channels[@]}" --cells masks='*_mask.png' --crop 64 --input-size 32 \
  --backbone ../own.safetensors --metadata one/metadata.csv --quiet
cd .. || exit 1
cp -r plates moved
for folder in plates moved; do
  kept=$(sha256sum "$folder"/one/*)
  for place in . "$folder" "$folder/one" /; do
    cd "$place" || exit 1
    expect_exit 64 cellvec export --db "$OLDPWD/$folder/lab" --metadata "$OLDPWD/$folder/one/metadata.csv"
    expect_stderr "would be written over /.*/plates/one/metadata.csv, a table that ingest read metadata from; give another name"
    expect_exit 64 cellvec heads export none "$OLDPWD/$folder/one/P1_A01_s1_mask.png" --db "$OLDPWD/$folder/lab"
    expect_stderr 'P1_A01_s1_mask.png: is an image, or a file that cannot be read, and would be written over'
    cd "$OLDPWD" || exit 1
  done
  expect_exit 0 cellvec export --db "$folder/lab" --metadata "$folder/out.csv" --quiet
  expect_exit 0 cellvec export --db "$folder/lab" --metadata "$folder/out.csv" --quiet
  expect_equal "what was read is as it was" "$(sha256sum "$folder"/one/*)" "$kept"
done
rm -r plates moved own.safetensors

# A simulation takes the place of an earlier one where it is told to, as a whole, and writes over nothing else.
expect_exit 73 cellvec simulate fields --fields 2 --size 96 --cells-per-field 3 --seed 1 --quiet
expect_stderr '^cellvec: fields: has a simulation already; name another folder, or let this one .* with --replace'
expect_exit 0 cellvec simulate fields --fields 2 --size 96 --cells-per-field 3 --seed 1 --replace --quiet
expect_exit 0 cmp "$image" image.png
mkdir plate
printf 'mine' >plate/P1_A01_s1_protein.png
expect_exit 73 cellvec simulate plate --fields 2 --size 96 --cells-per-field 3 --quiet
expect_stderr 'plate/P1_A01_s1_protein.png: is there already, .*; name another folder, or write over .* with --replace'
expect_equal "nothing was written" "$(ls plate) $(cat plate/*)" "P1_A01_s1_protein.png mine"
expect_exit 0 cellvec simulate plate --fields 2 --size 96 --cells-per-field 3 --replace --quiet
# Interrupted or killed half-way, it is done again by the same command, and by no other.
simulation=(simulate plate --fields 60 --size 256 --cells-per-field 8 --quiet)
for signal in INT KILL; do
  rm -r plate
  # Without a terminal, the shell has its background jobs ignore Ctrl-C.
  env --default-signal=INT "$CELLVEC" "${simulation[@]}" 2>.said &
  until ls plate/*_mask.png >/dev/null 2>&1 || ! kill -0 $! 2>/dev/null; do :; done
  # Nobody else writes into the folder meanwhile.
  expect_exit 75 cellvec "${simulation[@]}" --replace
  expect_stderr '^cellvec: plate: is being written by another simulation; wait until it has finished'
  kill -$signal $!
  wait $! 2>/dev/null
  expect_equal "it ended before the end" "$(ls plate/metadata.csv 2>/dev/null)" ""
  if [[ $signal == INT ]]; then
    complete=$(sed -nE 's/^cellvec: plate: interrupted: the images of ([0-9]+) of 60 fields are complete, P1_A01_s1.*/\1/p' .said)
    expect_equal "all that is there is whole, and counted" "$(ls plate | wc -l)" "$((3 * complete + 1))"
  fi
  expect_exit 73 cellvec "${simulation[@]}" --seed 2
  expect_stderr '^cellvec: plate: has a simulation of other options that was not finished; name another folder'
  expect_exit 0 cellvec "${simulation[@]}"
  expect_equal "all is there" "$(ls plate | wc -l)" 182
done
expect_exit 0 cellvec simulate plate --fields 1 --size 96 --cells-per-field 3 --replace --quiet
expect_equal "nothing is left of another" "$(ls plate | wc -l)" 5
# Where nothing tells which images are the earlier one's, none is removed, and none is left to count as the new one's.
rm plate/*.csv
expect_exit 73 cellvec simulate plate --layers --fields 1 --size 96 --cells-per-field 3 --replace --quiet
expect_stderr '^cellvec: plate: has images such as P1_A01_s1_protein.png, .*; remove its images or name another folder'
expect_equal "all are there" "$(ls plate | wc -l)" 3
rm -r plate lab

# What a terminal takes for a command reaches none, whoever says it.
escape=$(printf '\033[31m')
expect_exit 64 cellvec list --db db --limit "${escape}red"
expect_stderr "'.u\\{1b\\}\\[31mred' is invalid for"
expect_exit 64 cellvec count --db db --where "gene = 'a' AND \"$escape\" = 1"
expect_equal "nothing raw in a fault and its place" "$(grep -cF "$escape" .stderr)" 0
expect_exit 0 cellvec count --db db --where "gene = '${escape}x'"
expect_stderr "no cell has '.u\\{1b\\}\\[31mx' in"
cp -r db "${escape}db"
cp -r db target
cellvec update --db "${escape}db" --set "gene=$escape" --where "gene = 'G1'" --quiet
expect_exit 0 cellvec merge "${escape}db" --db target
expect_stderr '^warning: .u\{1b\}\[31mdb: field gene: .* here "G1"'
expect_equal "nothing raw in a warning" "$(grep -cF "$escape" .stderr)" 0
rm -r "${escape}db" target
expect_exit 64 cellvec heads import none.safetensors --db db --name "a${escape}b"
expect_stderr '^cellvec: head "a.u\{1b\}\[31mb": cannot have a name with control characters'
expect_exit 64 cellvec train --db db --labels localization --save $'two\nlines'
expect_exit 64 cellvec import vectors.npy --db db --space $'two\nlines'
expect_exit 64 cellvec spaces rename s "$escape" --db db
expect_exit 64 cellvec fields rename gene "$escape" --db db

# Texts of several lines are read back as they were, by this program and by others.
python3 - <<'PYTHON'
import csv
texts = ["two\nlines", "cr\rlf\r\nend", '"quoted"\nx', "tab\tin", "a,b;c", "c\n\ne"]
with open("texts.csv", "w", newline="") as file:
    csv.writer(file).writerows([["remark", "other"]] + [[text, text] for text in texts])
import npy
npy.save("six.npy", (6, 2), range(12))
PYTHON
cellvec import six.npy --db texts --metadata texts.csv --type remark=string other=string --quiet >/dev/null
for format in csv tsv; do
  cellvec list --db texts --fields remark,other --$format >"listed.$format"
  cellvec export --db texts --metadata "exported.$format" --quiet
  python3 - $format <<'PYTHON'
import csv, sys
delimiter = "," if sys.argv[1] == "csv" else "\t"
rows = [list(csv.reader(open(name, newline=""), delimiter=mark))
        for name, mark in [("texts.csv", ","), (f"listed.{sys.argv[1]}", delimiter), (f"exported.{sys.argv[1]}", delimiter)]]
assert [row[-2:] for row in rows[1]] == rows[0] == [row[-2:] for row in rows[2]], rows
PYTHON
  expect_equal "Python reads $format" "$?" 0
  cellvec import six.npy --db "again-$format" --metadata "listed.$format" --type remark=string other=string --quiet >/dev/null
  expect_equal "and so does this program" "$(cellvec list --db "again-$format" --fields remark,other --json)" \
    "$(cellvec list --db texts --fields remark,other --json)"
done

# A block of vectors that does not match its checksum, and a record that does not.
python3 - <<'PYTHON'
import array, struct
numbers = array.array("f")
numbers.frombytes(open("vectors.npy", "rb").read()[128:])
content = bytearray(open("db/data.mdb", "rb").read())
# Cell 7: the vectors lie as they were imported.
place = content.index(numbers[28:32].tobytes())
content[place + 4] ^= 1
record = content.index(struct.pack("<IBBHI", 0, 3, 0, 4, 5))
while record >= 0:
    content[record + 13] ^= 1
    record = content.find(struct.pack("<IBBHI", 0, 3, 0, 4, 5), record + 1)
open("db/data.mdb", "wb").write(content)
PYTHON
expect_exit 65 cellvec export --db db --vectors rest.npy --metadata rest.csv
expect_exit 2 cellvec export --db db --vectors rest.npy --metadata rest.csv --salvage
expect_stderr 'cell 5: cannot be read: the record is damaged'
expect_stderr 'cells 0 to 4, 6 to 39: may have another vector than was written: their block does not match its checksum'
expect_equal "metadata of every other cell" "$(wc -l <rest.csv)" 40
expect_equal "are marked" "$(cut -d, -f1,2,4 rest.csv | head -3)" "$(printf 'cell,gene,area\n0,G0,100\n1,G0,101')"
expect_equal "as unverified" "$(grep -c ',vector unverified$' rest.csv)" 39
python3 - <<'PYTHON'
import array
def rows(path, count):
    numbers = array.array("f")
    numbers.frombytes(open(path, "rb").read()[128:])
    assert len(numbers) == 4 * count, len(numbers)
    return [tuple(numbers[4 * row:4 * row + 4]) for row in range(count)]
sound, left = rows("vectors.npy", 40), rows("rest.npy", 39)
del sound[5]
assert [number for number in range(39) if sound[number] != left[number]] == [6], "one vector differs"
PYTHON
expect_equal "the vectors are as they lie there" "$?" 0
expect_exit 0 cellvec import rest.npy --metadata rest.csv --db again --space s --type localization=list damage=string --quiet
expect_exit 0 cellvec count --db again --where "damage IS NULL"

# Of two sources the second does not fit: neither is taken up.
rm -r db again
make_small_database
cp -r db one
cp -r db two
cellvec fields drop area --db two --yes --quiet
cellvec update --db two --set area=wide --where "gene = 'G1'" --quiet
cellvec import vectors.npy --db target --space t --quiet >/dev/null
cellvec stats --db target --json >before.json
expect_exit 65 cellvec merge one two --db target
expect_stderr 'two: field "area": expected a number, as one has it, found a string; rename it .*cellvec fields rename$'
expect_equal "nothing was taken up" "$(cellvec stats --db target --json)" "$(cat before.json)"

# What fails before its first commit leaves nothing that was not there.
nothing_new() {
  expect_exit "$1" cellvec "${@:3}"
  expect_equal "$2 is not left behind" "$(ls -d -- "$2" 2>/dev/null)" ""
}
mkdir images there
printf 'no image' >images/a_nucleus.png
printf 'no array' >bad.npy
nothing_new 65 new merge one two --db new
nothing_new 65 new import bad.npy --db new
nothing_new 66 new import none.npy --db new
nothing_new 65 new import - --db new
expect_stderr 'stdin: had no array: nothing was changed'
cellvec models seed tiny.safetensors --width 64 --depth 1 --patch 8 --inputs nucleus --image-size 32 --quiet
nothing_new 66 new ingest there --db new --channels "nucleus=*_nucleus.png" --backbone tiny.safetensors
nothing_new 2 new ingest images --db new --channels "nucleus=*_nucleus.png" --backbone tiny.safetensors
expect_stderr 'a_nucleus.png: expected a PNG or TIFF image'
python3 -c 'import npy; npy.save("large.npy", (2, 4), [1e9] * 8)'
nothing_new 65 new import large.npy --db new --dtype float16
expect_exit 65 cellvec import large.npy --db there --dtype float16
expect_equal "a folder that was there stays empty" "$(ls -A there)" ""
expect_exit 0 cellvec import vectors.npy --db there --quiet
expect_exit 0 cellvec check --db there

# What a killed writer of a file has left, the next one to the same file removes.
python3 -c 'import npy; npy.save("many.npy", (60000, 64), ((i % 97) / 97 for i in range(3840000)))'
cellvec import many.npy --db many --quiet >/dev/null
unfinished() { stat -c '%n %z' out.npy.*.partial 2>/dev/null; }
killed=0
for _ in {1..50}; do
  before=$(unfinished)
  "$CELLVEC" export --db many --vectors out.npy --quiet &
  until [[ $(unfinished) != "$before" ]] || ! kill -0 $! 2>/dev/null; do :; done
  kill -KILL $! 2>/dev/null
  wait $! 2>/dev/null
  # One that was faster, or was killed before it had a file, leaves none.
  left=$(unfinished)
  if [[ -n $left && $left != "$before" ]] && ((++killed == 3)); then break; fi
done
expect_equal "three were killed while they wrote" "$killed" 3
expect_equal "of which the last has left its file" "$(unfinished | cut -d' ' -f1)" out.npy.cellvec-1.partial
expect_exit 0 cellvec export --db many --vectors out.npy --quiet
expect_exit 0 cmp many.npy out.npy
expect_equal "none is left beside the next" "$(ls out.npy*)" out.npy

# Nor does a limit of the size of files.
limited() (
  ulimit -f 1
  cellvec "$@"
)
expect_exit 74 limited export --db many --vectors limited.npy --quiet
expect_stderr 'limited.npy: cannot write .*: file too large'
expect_equal "nothing is left of the file" "$(ls limited.npy* 2>/dev/null)" ""

# Ctrl-C, a closed terminal and kill leave none.
for signal in INT HUP TERM; do
  status=0
  for _ in {1..50}; do
    env --default-signal="$signal" "$CELLVEC" export --db many --vectors out.npy --quiet &
    until [[ -n $(unfinished) ]] || ! kill -0 $! 2>/dev/null; do :; done
    kill -"$signal" $! 2>/dev/null
    wait $! 2>/dev/null
    status=$?
    ((status == 0)) || break
  done
  expect_equal "$signal ends a writer" "$status" "$((128 + $(kill -l "$signal")))"
  expect_equal "and leaves nothing of its file" "$(ls out.npy*)" out.npy
done

# What a killed backup has left is taken over, and removed with it.
mkdir copy.partial
head -c 100000 /dev/zero >copy.partial/data.mdb
touch copy.partial/unfinished-copy
expect_exit 0 cellvec backup copy --db db
expect_exit 0 cellvec check --db copy
expect_equal "nothing is left beside the copy" "$(ls -d -- *.partial 2>/dev/null)" ""

# A database that has this name is nobody's to remove.
cp -r db other.partial
expect_exit 73 cellvec backup other --db db
expect_stderr '^cellvec: other.partial: expected a name that is free'
expect_exit 0 cellvec check --db other.partial
finish
