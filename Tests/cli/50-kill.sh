#!/usr/bin/env bash
# A run of ingest that is killed at random moments and started again ends with the same database as one that was
# never disturbed, and embeds no committed image twice.
set -euo pipefail

cellvec simulate fields --fields 24 --cells-per-field 6 --size 192 --seed 3 --quiet
cellvec models seed small.safetensors --width 192 --depth 6 --patch 8 --inputs nucleus,protein --image-size 96 --seed 7
ingest=(cellvec ingest fields --backbone small.safetensors --channels nucleus='*_nucleus.png'
  protein='*_protein.png' --cells masks='*_mask.png' --crop 64 --metadata fields/metadata.csv --commit-every 6 --quiet --json)

images() {
  cellvec stats --db killed --json 2>/dev/null | grep -o '"images":[0-9]*' | head -1 | cut -d: -f2 || true
}

# Each round lives until a few more images are committed, or a random moment later.
RANDOM=7
kills=0
while ((kills < 12)); do
  start=$(images)
  "${ingest[@]}" --db killed >/dev/null 2>&1 &
  child=$!
  for ((tries = RANDOM % 40; tries > 0; tries--)); do
    now=$(images)
    if ((${now:-0} > ${start:-0})); then break; fi
  done
  kill -9 "$child" 2>/dev/null || break
  kills=$((kills + 1))
  wait "$child" 2>/dev/null || true
  if [[ -e killed/data.mdb ]]; then
    status=0
    cellvec check --db killed --quiet 2>/dev/null || status=$?
    # 66: killed before the first commit made it a database.
    ((status == 0 || status == 66)) || exit 1
  fi
done
((kills >= 3))

before=$(images)
"${ingest[@]}" --db killed >last.json
"${ingest[@]}" --db whole >/dev/null
cellvec check --db killed --quiet

fact() { sed -n "s/.*\"fact\":\"$1\",\"value\":\([0-9]*\).*/\1/p" last.json; }
[[ $(fact "images unchanged") == "${before:-0}" ]]
[[ $(($(fact "images unchanged") + $(fact "images embedded"))) == 24 ]]

for db in killed whole; do
  cellvec export --db "$db" --vectors "$db.npy" --metadata "$db.csv" --quiet
done
cmp killed.npy whole.npy
cmp killed.csv whole.csv
echo "killed $kills times; ${before:-0} images were kept, the rest embedded once"
