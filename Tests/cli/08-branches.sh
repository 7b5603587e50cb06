#!/usr/bin/env bash
# Checkpoints of trainings: teacher and student in one file, and a space that finds its weights again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fixtures=$(cd "$(dirname "${BASH_SOURCE[0]}")/../Fixtures" && pwd)/checkpoints
cp "$fixtures"/*.pth "$fixtures"/*.safetensors "$fixtures/config.json" .
cellvec simulate fields --fields 2 --size 128 --cells-per-field 3 --seed 1 --quiet

expect_exit 0 cellvec models inspect dino4cells.pth
expect_stdout '^format +PyTorch$'
expect_stdout '^branch +teacher; there are also student, optimizer, dino_loss$'
expect_stdout '^positions +learned$'
expect_stdout '^trained on +16 x 16 px$'
expect_stdout '^by default +strategy map; intensities self over the crop; 16 x 16 px$'
expect_exit 0 cellvec models inspect dinov2-training.pth --branch student --json
expect_json
expect_stdout '"branch":"student","branches":\["teacher","student","model","optimizer"\]'
expect_exit 0 cellvec models inspect dino.pth
expect_stdout '^branch +none, the file as a whole$'
expect_exit 66 cellvec models inspect dino4cells.pth --branch studnet
expect_stderr '^cellvec: dino4cells.pth: branch "studnet": does not exist; did you mean "student"\? branches: '
expect_exit 65 cellvec models inspect dino4cells.pth --branch optimizer
expect_stderr 'expected the tensors of a vision transformer, .* --branch: student, teacher, dino_loss$'
mkdir odd
cellvec models seed odd/other.safetensors --width 32 --depth 2 --patch 8 --image-size 32 --inputs a --quiet
python3 - <<'PYTHON'
import json, struct
data = open("odd/other.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
header["blocks.1.attn.odd.bias"] = header.pop("blocks.1.attn.qkv.bias")
text = json.dumps(header).encode()
open("odd/other.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
PYTHON
expect_exit 65 cellvec models inspect odd/other.safetensors --json
expect_stderr '1 tensor missing: blocks.1.attn.qkv.bias; 1 tensor unexpected: blocks.1.attn.odd.bias; '
expect_exit 66 cellvec models inspect dino.pth --branch student
expect_exit 64 cellvec models inspect cellvec-small-1 --branch student
expect_stderr '^cellvec: --branch: model "cellvec-small-1" is one branch of a file already'

# A model over several files.
cp -r "$fixtures/shards" "$fixtures/shards-pytorch" .
expect_exit 0 cellvec models inspect shards/model.safetensors.index.json
expect_stdout '^name +shards$'
expect_stdout '^family +DINOv2 \(Hugging Face\)$'
hash=$(cellvec models inspect shards/model.safetensors.index.json --json | grep -o '"hash":"[0-9a-f]*"')
expect_exit 0 cellvec models inspect shards/model-00002-of-00002.safetensors --json
expect_stdout "$hash"
expect_exit 0 cellvec models add several shards/model-00001-of-00002.safetensors
expect_exit 0 cellvec models inspect several --json
expect_stdout "$hash"
expect_exit 0 cellvec models inspect shards-pytorch/pytorch_model.bin.index.json
expect_stdout '^format +PyTorch$'
rm shards/model-00001-of-00002.safetensors
expect_exit 66 cellvec models inspect shards/model.safetensors.index.json
expect_stderr '^cellvec: shards/model-00001-of-00002.safetensors: does not exist, but shards/model.safetensors.index.json names it; '
cp dino.pth model-00001-of-00002.pth
expect_exit 66 cellvec models inspect model-00001-of-00002.pth
expect_stderr 'is one of several files of a model, whose index model.pth.index.json does not exist; fetch the index and all'

python3 - <<'PYTHON'
import npy
npy.save("x.npy", (1, 4, 16, 16), ((i * 37 % 101) / 50 - 1 for i in range(1024)))
PYTHON
expect_exit 0 cellvec models embed --backbone dino4cells.pth --input x.npy --output teacher.npy
expect_exit 0 cellvec models embed --backbone dino4cells.pth --branch student --input x.npy --output student.npy
expect_exit 1 cmp teacher.npy student.npy
python3 - <<'PYTHON'
data = open("x.npy", "rb").read()
open("black.npy", "wb").write(data[:-4096] + bytes(4096))
PYTHON
expect_exit 0 cellvec models embed --backbone dino4cells.pth --input black.npy --output black-vectors.npy
expect_stderr '^warning: black.npy: images of 1 whose pixels are all equal in every input: 1, the first is number 0; '

ingest() {
  cellvec ingest fields --db db --quiet --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --map nucleus=0 protein=1 --cells masks='*_mask.png' --crop 64 --input-size 16 "$@"
}
fact_of() { cellvec stats --db db --json | python3 -c 'import json, sys
print(next(s for s in json.load(sys.stdin)["spaces"] if s["name"] == sys.argv[1]).get(sys.argv[2]))' "$1" "$2"; }
query=(--image nucleus=fields/P1_A01_s1_nucleus.png protein=fields/P1_A01_s1_protein.png
  mask=fields/P1_A01_s1_mask.png -k 1 --csv)
found='^0,1,1,0,(1|0\.99999[0-9]*|1\.0000[0-9]*),'

expect_exit 0 ingest --backbone dino4cells.pth --space teacher
expect_exit 0 ingest --backbone dino4cells.pth --branch student --space student
expect_equal "the usual branch is not kept" "$(fact_of teacher backbone_branch)" None
expect_equal "another one is" "$(fact_of student backbone_branch)" student
if [[ $(fact_of teacher backbone) != "$(fact_of student backbone)" ]]; then
  ok "branches are different backbones"
else
  not_ok "branches are different backbones"
fi
expect_exit 64 ingest --backbone dino4cells.pth --space student
expect_stderr 'space "student": was made with another backbone'
expect_exit 0 cellvec search --db db --space student "${query[@]}"
expect_stdout "$found"

# Weights that have moved, and a model's name, which is enough.
mkdir elsewhere
mv dino4cells.pth config.json elsewhere
expect_exit 66 cellvec search --db db --space student "${query[@]}"
expect_exit 0 cellvec search --db db --space student "${query[@]}" --backbone elsewhere/dino4cells.pth
expect_stdout "$found"
expect_exit 0 cellvec models add pupil elsewhere/dino4cells.pth --branch student
expect_exit 0 cellvec search --db db --space student "${query[@]}"
expect_stdout "$found"
expect_exit 0 cellvec search --db db --space student "${query[@]}" --backbone pupil
expect_exit 0 cellvec models inspect pupil
expect_stdout '^branch +student; there are also teacher, optimizer, dino_loss$'
expect_exit 0 cellvec models
expect_stdout '^pupil .*/elsewhere/dino4cells.pth \(student\)$'
expect_exit 0 ingest --backbone pupil --space student
expect_equal "the name alone suffices" "$(fact_of student backbone_path) $(fact_of student backbone_branch)" "pupil None"
expect_exit 64 ingest --backbone pupil --branch student --space student

# Models of Hugging Face are called as their folder.
mkdir dinov2-tiny
cp huggingface-dinov2.pth dinov2-tiny/pytorch_model.bin
cp elsewhere/config.json dinov2-tiny
expect_exit 0 ingest --backbone dinov2-tiny/pytorch_model.bin
expect_equal "a space's name" "$(fact_of dinov2-tiny-map strategy)" "map nucleus>0 protein>1, absent zero"

# In their cache files are links, and what belongs to a file lies beside the link.
mkdir blobs cache
cp huggingface-dinov2.pth blobs/0a1b
ln -s ../blobs/0a1b cache/model.bin
cp elsewhere/config.json cache
expect_exit 0 ingest --backbone cache/model.bin --space linked
expect_equal "a link stays one" "$(fact_of linked backbone_path)" "$PWD/cache/model.bin"
expect_exit 0 cellvec search --db db --space linked "${query[@]}"
expect_stdout "$found"

finish
