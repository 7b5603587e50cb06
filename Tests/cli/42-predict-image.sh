#!/usr/bin/env bash
# Labels of cells of an image that is not in the database, and spaces compared by strategy.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec simulate fields --fields 12 --size 128 --cells-per-field 3 --seed 1 --quiet
cellvec models seed tiny.safetensors --width 64 --depth 1 --heads 1 --patch 8 --image-size 32 \
  --inputs nucleus,protein --quiet >/dev/null
for strategy in map replicate; do
  cellvec ingest fields --db db --backbone tiny.safetensors --strategy $strategy --space $strategy --crop 48 \
    --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --metadata fields/metadata.csv --quiet >/dev/null
done
export CELLVEC_DB=db

evaluate=(cellvec evaluate --labels localization --group gene --folds 2 --epochs 2 --quiet --csv)
expect_exit 0 "${evaluate[@]}" --strategies map
expect_equal "only spaces of the strategy" "$(cut -d, -f1 .stdout | sort -u | paste -sd' ')" "map space"
expect_exit 0 "${evaluate[@]}" --strategies replicate,map
expect_equal "spaces of both strategies" "$(cut -d, -f1 .stdout | sort -u | paste -sd' ')" "map replicate space"
expect_exit 64 "${evaluate[@]}" --strategies mop
expect_stderr '--strategies: no space was made by "mop"; did you mean "map"\? strategies: map, replicate$'
expect_exit 64 "${evaluate[@]}" --strategies ""
expect_stderr '--strategies: expected names such as map,average, found ""$'

cellvec train --space map --labels localization --task multi --group gene --folds 2 --epochs 3 --save several --quiet >/dev/null
cellvec train --space map --labels plate --ungrouped --folds 2 --epochs 3 --save one --quiet >/dev/null
cellvec train --space map --labels localization --sample gene --folds 2 --epochs 3 --save genes --quiet >/dev/null
cellvec ingest fields --backbone tiny.safetensors --strategy map --space small --dtype int8 --crop 48 \
  --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
  --metadata fields/metadata.csv --quiet >/dev/null
for space in map small; do
  cellvec train --space $space --labels gene --ungrouped --folds 2 --neighbors 1 --save near_$space --quiet >/dev/null
done
name=P1_A02_s1
files=(nucleus=fields/${name}_nucleus.png protein=fields/${name}_protein.png mask=fields/${name}_mask.png)
before=$(cksum <db/data.mdb)
expect_exit 0 cellvec predict --head several --threshold 0.2 --image "${files[@]}" --json
cp .stdout several.json
expect_exit 0 cellvec predict --head one --image "${files[@]}" --json
cp .stdout one.json
expect_equal "nothing is stored" "$(cksum <db/data.mdb)" "$before"
cellvec predict --head several --threshold 0.2 --quiet >/dev/null
cellvec predict --head one --quiet >/dev/null
expect_exit 0 cellvec list --where "image = '$name'" --fields all --json
expect_exit 0 python3 - .stdout several.json one.json <<'PYTHON'
import json
import sys
stored, several, one = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
assert len(stored) == len(several) == len(one) == 3
for cell, of_several, of_one in zip(stored, several, one):
    for key, value in (of_several | of_one).items():
        if key in ("query", "object"):
            continue
        if key.startswith("probability"):
            assert abs(value - cell[key]) < 1e-6, (key, value, cell[key])
        else:
            assert value == cell[key] or (value == [] and cell[key] is None), (key, value, cell[key])
PYTHON

# A table is for reading: the likeliest classes in one column, whatever their number.
expect_exit 0 cellvec predict --head several --threshold 0.2 --image "${files[@]}"
expect_stdout '^query  object  predicted_localization +likeliest$'
expect_stdout '^    0  1       [A-Z][A-Za-z; ]+  [A-Z][a-z ]+ 0\.[0-9]{2}, [A-Z][a-z ]+ 0\.[0-9]{2}, [A-Z]'

# Another head of the same labels writes the same fields, and says what it has replaced; the same one says nothing.
expect_exit 0 cellvec predict --head several --threshold 0.2
expect_equal "the same predictions replace none" "$(grep -c replaced .stderr)" 0
cellvec train --space map --labels localization --task multi --group gene --folds 2 --epochs 5 --save other --quiet >/dev/null
expect_exit 0 cellvec predict --head other
expect_stderr '^replaced other predictions of 36 cells; to keep such, rename their fields before, with cellvec fields$'
expect_exit 0 cellvec predict --head several --threshold 0.2 --quiet
expect_silence

# A channel that the model is not to see is not asked for.
cellvec ingest fields --backbone tiny.safetensors --strategy map --map nucleus=0 protein=none --space blind --crop 48 \
  --cells masks='*_mask.png' --channels nucleus='*_nucleus.png' protein='*_protein.png' \
  --metadata fields/metadata.csv --quiet >/dev/null
expect_exit 0 cellvec search --space blind --image "${files[@]}" -k 2
cp .stdout whole
expect_exit 0 cellvec search --space blind --image "${files[0]}" "${files[2]}" -k 2
expect_equal "neither by a search" "$(cat .stdout)" "$(cat whole)"
cellvec train --space blind --labels plate --ungrouped --folds 2 --epochs 3 --save blind --quiet >/dev/null
expect_exit 0 cellvec predict --head blind --image "${files[0]}" "${files[2]}"
expect_exit 64 cellvec predict --head blind --image "${files[1]}" "${files[2]}"
expect_stderr '--image: lacks the file of nucleus; give nucleus=file mask=file'

# The nearest of all cells of the head would be the cell itself, and its gene the one that is predicted.
for space in map small; do
  expect_exit 0 cellvec predict --head near_$space --image "${files[@]}" --json
  cp .stdout near.json
  cellvec predict --head near_$space --quiet >/dev/null
  cellvec list --where "image = '$name'" --fields all --json >stored.json
  expect_equal "a cell of an image has no vote on itself (space $space)" "$(
    python3 - <<'PYTHON'
import json
found, stored = ([json.loads(line) for line in open(path)] for path in ("near.json", "stored.json"))
print(len(found), [cell["predicted_gene"] for cell in found] == [cell["predicted_gene"] for cell in stored],
      all(cell["predicted_gene"] != cell["gene"] for cell in stored))
PYTHON
  )" "3 True True"
done
expect_exit 0 cellvec predict --head one --image "${files[@]}" --object 2 --csv
expect_equal "one object" "$(tail -n +2 .stdout | cut -d, -f2)" "2"
expect_exit 64 cellvec predict --head genes --image "${files[@]}"
expect_stderr 'predicts for samples of several cells \(gene\), not for single ones; ingest the image, and predict'
expect_exit 64 cellvec predict --head one --image "${files[@]}" --where "gene = 'SIM001'"
expect_stderr '--where chooses cells of the database: it goes without --image'
expect_exit 64 cellvec predict --head one --object 2
expect_exit 64 cellvec predict --head one --image nucleus=fields/${name}_nucleus.png
expect_stderr '--image: lacks the file of'

finish
