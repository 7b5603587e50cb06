#!/usr/bin/env bash
# A run of ingest that is killed at random moments and started again ends with the same database as one that was
# never disturbed, and embeds no committed image twice.
set -euo pipefail

cellvec simulate fields --fields 24 --cells-per-field 6 --size 192 --seed 3 --quiet
cellvec models seed small.safetensors --width 192 --depth 6 --patch 8 --inputs nucleus,protein --image-size 96 --seed 7
ingest=(cellvec ingest fields --backbone small.safetensors --channels nucleus='*_nucleus.png'
  protein='*_protein.png' --cells masks='*_mask.png' --crop 64 --metadata fields/metadata.csv --commit-every 6 --quiet --json)

RANDOM=7
kills=0
for _ in {1..40}; do
  "${ingest[@]}" --db killed >/dev/null 2>&1 &
  child=$!
  sleep "0.$((RANDOM % 300 + 100))"
  if kill -9 "$child" 2>/dev/null; then kills=$((kills + 1)); fi
  if wait "$child" 2>/dev/null; then break; fi
  if [[ -e killed/data.mdb ]] && cellvec stats --db killed >/dev/null 2>&1; then
    cellvec check --db killed --quiet
  fi
done

before=$(cellvec stats --db killed --json 2>/dev/null | grep -o '"images":[0-9]*' | head -1 | cut -d: -f2 || true)
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
