#!/usr/bin/env bash
# A stranger reads vectors and metadata with py-lmdb and numpy from schema/store.md alone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=$root/.venv/bin/python

cellvec simulate fields --fields 12 --cells-per-field 5 --size 160 --seed 5 --quiet
cellvec models seed tiny.safetensors --width 96 --depth 1 --patch 8 --inputs nucleus,protein --image-size 48 --seed 7
cellvec ingest fields --db lab --backbone tiny.safetensors --channels nucleus='*_nucleus.png' protein='*_protein.png' \
  --cells masks='*_mask.png' --crop 64 --metadata fields/metadata.csv --space cells --quiet >/dev/null
"$python" - <<'PYTHON'
import numpy
numpy.save("big.npy", numpy.random.default_rng(1).standard_normal((1500, 384)).astype("float32"))
with open("big.csv", "w") as table:
    table.write("gene,dose,labels\n")
    for row in range(1500):
        table.write(f"g{row % 7},{row / 8 if row % 5 else ''},{'a;b' if row % 3 else ''}\n")
PYTHON
cellvec import big.npy --db lab --metadata big.csv --space big --quiet >/dev/null
cellvec import big.npy --db lab --space half --dtype float16 --quiet >/dev/null
cellvec import big.npy --db lab --space brain --dtype bfloat16 --quiet >/dev/null
cellvec import big.npy --db lab --space bytes --dtype int8 --quiet >/dev/null
for space in big brain bytes; do cellvec index build --db lab --space $space --quiet >/dev/null; done
for space in big half; do cellvec index build --db lab --space $space --kind int8 --quiet >/dev/null; done
for space in big half bytes; do cellvec index build --db lab --space $space --kind graph --quiet >/dev/null; done
compare() {
  local space
  for space in cells big half brain bytes; do
    cellvec export --db lab --space "$space" --vectors out.npy --metadata out.csv --quiet
    "$python" "$root/tools/check-schema" lab "$space" out.npy out.csv
  done
}
compare

# With holes, gaps in the numbers of fields, and renumbered pages.
cellvec delete --db lab --where "gene IN ('g1', 'g2') OR dose < 40 OR well = 'A01'" --yes --quiet >/dev/null
cellvec fields drop dose --db lab --yes --quiet
cellvec update --db lab --set grade=3 --where "gene = 'g3'" --quiet >/dev/null
compare
cellvec compact --db lab --quiet >/dev/null
compare
