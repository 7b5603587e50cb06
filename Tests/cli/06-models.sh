#!/usr/bin/env bash
# Models by name, presets, and the ways in which channels enter a model.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec simulate fields --fields 2 --size 128 --cells-per-field 3 --seed 1 --quiet
seed() { cellvec models seed "$1" --width 32 --depth 1 --patch 8 --image-size 32 --inputs "$2" --quiet; }
seed four.safetensors nucleus,protein,microtubules,er
seed rgb.safetensors red,green,blue

# The registry.
expect_exit 0 cellvec models
expect_stdout '^cellvec-small-1 .* nucleus;protein .* bundled$'
expect_lines 2
expect_exit 0 cellvec models card
expect_stdout '^# cellvec-small-1$'
expect_exit 0 cellvec models add hpa four.safetensors --preset hpa-fov-dino4cells
expect_stderr 'use it with --backbone hpa$'
expect_exit 0 cellvec models list --csv
expect_stdout '^hpa,"?DINO, 4 inputs, as DINO4Cells"?,ViT-32x1/8,4,nucleus;protein;microtubules;er,.*,hpa-fov-dino4cells,.*/four.safetensors$'
expect_exit 0 cellvec models --json
expect_json
expect_exit 64 cellvec models add hpa rgb.safetensors
expect_stderr 'model "hpa": exists already; .*cellvec models remove hpa'
expect_exit 64 cellvec models add a/b rgb.safetensors
expect_exit 64 cellvec models add x rgb.safetensors --inputs nucleus
expect_stderr '^cellvec: --inputs: expected 3 different roles'
expect_exit 66 cellvec models add x rgb.safetensors --preset hpa-fov
expect_exit 66 cellvec models add x none.safetensors
printf 'no model' >broken.safetensors
expect_exit 65 cellvec models add x broken.safetensors
expect_stderr '^cellvec: broken.safetensors: '
expect_equal "a failed model leaves nothing" "$(ls -A "$XDG_DATA_HOME/cellvec/models")" hpa
expect_exit 0 cellvec models inspect hpa
expect_stdout '^preprocessing +preset hpa-fov-dino4cells, its family is trained with mean 0 and SD 1 in each channel$'
expect_exit 0 cellvec models inspect rgb.safetensors --json
expect_json
python3 - <<'PYTHON'
import struct
header = b'{"pos_embed":{"dtype":"F32","shape":[1,1,1],"data_offsets":[0,4]}}'
open("part.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + bytes(4))
PYTHON
expect_exit 65 cellvec models inspect part.safetensors
expect_stderr '^cellvec: part.safetensors: .*missing'
expect_exit 66 cellvec models inspect cellvec-small
expect_stderr 'backbone "cellvec-small": is neither a model.s name nor a file; did you mean "cellvec-small-1"\?'
expect_exit 66 cellvec models remove hpaa
expect_stderr 'did you mean "hpa"\?'
expect_exit 66 cellvec models card hpa
expect_stderr 'model "hpa": has no card: '
printf '# Four\nno more' >four.md
expect_exit 0 cellvec models add carded four.safetensors
expect_stderr '^what its card says: cellvec models card carded$'
expect_exit 0 cellvec models card carded
expect_equal "a card is shown whole" "$(cellvec models card carded)" "$(cat four.md)"
expect_exit 0 cellvec models remove carded
rm four.md

# A preset must fit.
expect_exit 64 cellvec models add x rgb.safetensors --preset hpa-fov-dino4cells
expect_stderr '^cellvec: --preset hpa-fov-dino4cells: expected 4 inputs \(nucleus, protein, microtubules, er\), found 3 \(red, green, blue\)'
expect_exit 64 cellvec models add x four.safetensors --preset dinov2
expect_stderr 'expected 3 inputs, which are red, green and blue, found 4 of model x; leave it out'
expect_exit 66 cellvec models inspect x
expect_exit 64 cellvec models remove cellvec-small-1

# Presets.
expect_exit 0 cellvec models presets
expect_stdout '^subcell +minmax-joint +square +map +microtubules;er;nucleus;protein +448 +kept +attention +SubCellPortable'
expect_exit 0 cellvec models presets --json
expect_json

# Mean and SD that are not ImageNet's are the model's own, and said.
timm=$(dirname "${BASH_SOURCE[0]}")/../Fixtures/families/timm-dino/model.safetensors
expect_exit 0 cellvec ingest fields --db none --backbone "$timm" --map nucleus=0 protein=1 \
  --channels nucleus='*_nucleus.png' protein='*_protein.png' --cells masks='*_mask.png' --crop 64 --dry-run
expect_stderr '^timm-dino: map .*; intensities fixed \(mean 0.5 0.5 0.5, SD 0.5 0.5 0.5\); squares of 64 px at 16 px$'
expect_exit 64 cellvec ingest fields --db none --backbone four.safetensors --normalize fixed \
  --channels nucleus='*_nucleus.png' protein='*_protein.png' --cells masks='*_mask.png' --crop 64 --dry-run
expect_stderr '^cellvec: --normalize fixed: expected a model whose files tell mean and SD of its inputs, found none'
expect_exit 64 cellvec crops fields --output c.npy --crop 32 --normalize fixed --channels nucleus='*_nucleus.png' --cells masks='*_mask.png'

channels=(--channels nucleus='*_nucleus.png' protein='*_protein.png')
cells=(--cells masks='*_mask.png' --crop 64)
ingest() { cellvec ingest fields --db db --quiet "${channels[@]}" "${cells[@]}" --input-size 32 "$@"; }
strategy_of() { cellvec stats --db db --json | python3 -c 'import json, sys
print(next(s for s in json.load(sys.stdin)["spaces"] if s["name"] == sys.argv[1])["'"$2"'"])' "$1"; }

# Without --backbone there is the bundled one; a model's name and its preset go with a space.
expect_exit 0 ingest --space small
expect_equal "the space knows its backbone by name" "$(strategy_of small backbone_path)" cellvec-small-1
expect_exit 0 ingest --space small --precision float32
expect_exit 0 ingest --space small --precision bfloat16
expect_equal "runs note their precision" "$(strategy_of small precisions)" "['bfloat16', 'float32']"
expect_exit 64 ingest --space small --precision int8
expect_stderr 'space "small": was made with --precision float32 or bfloat16, not int8'
expect_exit 0 ingest --space eight --precision int8
expect_equal "int8 is part of the recipe" "$(strategy_of eight recipe | grep -o "'precision': '[a-z0-9]*'")" "'precision': 'int8'"
expect_exit 64 ingest --space eight --precision bfloat16
expect_exit 0 cellvec search --db db --space eight -k 1 --csv --image nucleus=fields/P1_A01_s1_nucleus.png \
  protein=fields/P1_A01_s1_protein.png mask=fields/P1_A01_s1_mask.png
expect_stdout '^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),'
expect_exit 0 ingest --space hpa --backbone hpa
expect_silence
expect_exit 0 cellvec ingest fields --db none "${channels[@]}" "${cells[@]}" --backbone hpa --dry-run
expect_stderr '^hpa: map nucleus>0 protein>1, absent zero; intensities self over the image; squares of 64 px at 512 px$'
expect_equal "roles go to their inputs" "$(strategy_of hpa strategy)" "map nucleus>0 protein>1, absent zero"
expect_equal "statistics are the image's, by the preset" \
  "$(strategy_of hpa recipe | grep -o "'normalization_scope': '[a-z]*'")" "'normalization_scope': 'image'"
expect_exit 0 ingest --space over --backbone hpa --normalize range
expect_exit 64 ingest --space none --backbone hpa --normalize range --normalize-over image
expect_exit 66 ingest --space none --backbone hpo
expect_stderr 'did you mean "hpa"\?'
expect_exit 66 ingest --space none --preset dino-v2
expect_stderr 'preset "dino-v2": does not exist; did you mean "dinov2"\?'

# A space finds its weights by name, or wherever the registry has them.
query=(--image nucleus=fields/P1_A01_s1_nucleus.png protein=fields/P1_A01_s1_protein.png
  mask=fields/P1_A01_s1_mask.png -k 1 --csv)
expect_exit 0 cellvec search --db db --space hpa "${query[@]}"
expect_stdout '^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),'
expect_exit 0 cellvec models remove hpa
expect_exit 66 cellvec search --db db --space hpa "${query[@]}"
expect_stderr 'name the weights that made space "hpa" with --backbone'
expect_exit 0 cellvec models add atlas four.safetensors
expect_exit 0 cellvec search --db db --space hpa "${query[@]}"

# Every strategy, each a space of its own.
expect_exit 0 ingest --space repeat --backbone four.safetensors --absent repeat
expect_equal "map, repeated" "$(strategy_of repeat strategy)" "map nucleus>0 protein>1, absent repeat"
expect_exit 0 ingest --space named --backbone four.safetensors --map nucleus=er protein=2
expect_equal "inputs by name" "$(strategy_of named strategy)" "map protein>2 nucleus>3, absent zero"
expect_exit 0 ingest --space without --backbone four.safetensors --map nucleus=none protein=protein
expect_equal "a channel is left out" "$(strategy_of without strategy)" "map protein>1, absent zero"
expect_equal "and cells are the same" \
  "$(cellvec stats --db db --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["cells"])')" 6
expect_exit 0 ingest --space partly --backbone four.safetensors --map protein=2
expect_equal "a channel that is not told goes to the input of its name" \
  "$(strategy_of partly strategy)" "map nucleus>0 protein>2, absent zero"
expect_exit 0 ingest --space only --backbone four.safetensors --map nucleus=none
expect_equal "one channel is left out, the other stays" "$(strategy_of only strategy)" "map protein>1, absent zero"
expect_exit 64 ingest --space none --backbone four.safetensors --map nucleus=none nucleus=0 protein=1
expect_stderr '^cellvec: --map: leaves nucleus out and sends it to input 0, too; give one of the two$'
expect_exit 64 ingest --space none --backbone four.safetensors --map protein=nucleus
expect_stderr '--map: leaves channel nucleus unused; map it to an input, or leave it out with nucleus=none$'
expect_exit 64 ingest --space none --backbone four.safetensors --map protein=none nucleus=none
expect_stderr '--map: feeds no input'
expect_exit 0 ingest --space each --backbone rgb.safetensors --strategy replicate
expect_equal "replicate joins" "$(strategy_of each strategy) $(strategy_of each dimension)" "replicate, concat 64"
expect_exit 0 ingest --space mean --backbone rgb.safetensors --combine mean
expect_equal "or takes the mean" "$(strategy_of mean strategy) $(strategy_of mean dimension)" "replicate, mean 32"
expect_exit 0 ingest --space average --backbone rgb.safetensors --strategy average
expect_equal "average" "$(strategy_of average strategy)" average
expect_exit 0 ingest --space reindex --backbone rgb.safetensors --strategy reindex --map nucleus=2 protein=2
expect_equal "reindex" "$(strategy_of reindex strategy)" "reindex nucleus>2 protein>2"
expect_exit 0 ingest --space tokens --backbone four.safetensors --pooling class-mean
expect_equal "pooling" "$(strategy_of tokens dimension)" 64
expect_exit 0 ingest --space turned --backbone four.safetensors --rotations 4
expect_equal "rotations" "$(strategy_of turned dimension)" 32
expect_exit 0 cellvec search --db db --space turned "${query[@]}"
expect_stdout '^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),'
expect_exit 64 ingest --space none --backbone four.safetensors --rotations 3
expect_exit 64 ingest --space none --backbone four.safetensors --pooling attention
expect_stderr '--pooling: expected class, mean, class-mean for model four, found attention'
expect_exit 0 ingest --space imagenet --backbone rgb.safetensors --preset imagenet-dino
expect_equal "a preset brings its strategy" "$(strategy_of imagenet strategy)" "replicate, concat"
expect_exit 0 cellvec search --db db --space imagenet "${query[@]}"
expect_stdout '^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),'
expect_exit 0 cellvec stats --db db
expect_stdout '^repeat .* map nucleus>0 protein>1, absent repeat '
expect_exit 64 cellvec search --db db --cell 0
expect_stderr 'spaces, whose vectors cannot be compared; name one of average, each, eight, hpa,'

expect_exit 64 ingest --space average --backbone rgb.safetensors --map nucleus=0 protein=1
expect_stderr 'space "average": was made with strategy average, not map nucleus>0 protein>1, absent zero'
refused() { # MESSAGE OPTIONS...
  local message=$1
  shift
  expect_exit 64 ingest --space none "$@"
  expect_stderr "$message"
}
refused '^cellvec: model rgb: has 3 inputs \(red, green, blue\); images have nucleus, protein; say what .* --strategy replicate$' \
  --backbone rgb.safetensors
refused '--normalize imagenet: expected a model of 3 inputs' --backbone four.safetensors --normalize imagenet
refused 'strategy average uses no input' --backbone rgb.safetensors --normalize imagenet --strategy average
refused '--absent: expected --strategy map, found replicate' --strategy replicate --absent zero
refused '--map: is needed with --strategy reindex' --strategy reindex
refused '--hpa-nucleus: expected --preset' --hpa-nucleus 2
refused 'says that its inputs are' --backbone four.safetensors --preset hpa-cell-dino4cells --hpa-nucleus 2
channels=(--channels dna='*_nucleus.png' protein='*_protein.png')
refused '^cellvec: model cellvec-small-1: has 2 inputs \(nucleus, protein\); images have dna, protein; say what .*--map dna=0 protein=1,'
cells=(--cells masks='*_mask.png')
refused '--crop: .* about twice the diameter' --map dna=0 protein=1
python3 - <<'PYTHON'
import json, struct
data = open("four.safetensors", "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
header["__metadata__"]["crop_um"] = "25.6"
text = json.dumps(header).encode()
open("sized.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data[8 + length:])
PYTHON
refused '--crop: .* trained on squares of 25.6 µm' --backbone sized.safetensors --map dna=0 protein=1

# Options go before metadata that are of no use.
python3 - <<'PYTHON'
import json, struct
data = open("four.safetensors", "rb").read()
length = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + length])
for key, text in [("pooling", "sum"), ("normalization", "magic"), ("image_size", "big"), ("inputs", "a"), ("crop_um", "?")]:
    told = header | {"__metadata__": header["__metadata__"] | {key: text}}
    text = json.dumps(told).encode()
    open(f"odd_{key}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data[8 + length:])
PYTHON
odd() { # KEY OPTION...
  local key=$1
  shift
  expect_exit 65 cellvec models inspect "odd_$key.safetensors"
  expect_stderr "metadata $key: expected .*; say it with $1"
  # Every one of them needs the option.
  local without=()
  [[ $1 != --map ]] && without+=(--map dna=0 protein=1)
  [[ $1 != --crop ]] && without+=(--crop 64)
  expect_exit 65 cellvec ingest fields --db none "${channels[@]}" "${cells[@]}" --backbone "odd_$key.safetensors" \
    "${without[@]}" --dry-run
  expect_stderr "metadata $key: expected .*; say it with $1"
  expect_exit 0 cellvec ingest fields --db none "${channels[@]}" "${cells[@]}" --backbone "odd_$key.safetensors" \
    "${without[@]}" "$@" --dry-run
}
odd pooling --pooling class
odd normalization --normalize self
odd image_size --input-size 32
odd inputs --map dna=0 protein=1
odd crop_um --crop 64
expect_exit 65 cellvec models add x odd_inputs.safetensors
expect_exit 0 cellvec models add x odd_inputs.safetensors --inputs a,b,c,d
expect_exit 0 cellvec models add y odd_pooling.safetensors
expect_stderr '^warning: .*metadata pooling: expected one of class, mean, class-mean, attention, found "sum"; say it with --pooling$'
finish
