#!/usr/bin/env bash
# Models load from packed weights in the user's cache; without one they load all the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec models seed tiny.safetensors --width 32 --depth 1 --patch 8 --image-size 32 --inputs a,b,c --quiet
python3 - <<'PYTHON'
import npy, random
random.seed(1)
npy.save("x.npy", (2, 3, 32, 32), (random.gauss(0, 1) for _ in range(6144)))
PYTHON
# embed NAME [VARIABLE=VALUE...]: vectors to NAME.npy, and what they should be.
embed() {
  local name=$1
  shift
  expect_exit 0 env "$@" "$CELLVEC" models embed --backbone tiny.safetensors --input x.npy --output "$name.npy"
  expect_silence
  if [[ $name != off ]]; then expect_exit 0 cmp off.npy "$name.npy"; fi
}
loaded_from_cache() {
  cellvec models time --backbone tiny.safetensors --size 32 --seconds 0 --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["loaded_from_cache"])'
}

embed off CELLVEC_CACHE=off
expect_equal "off keeps nothing" "$(ls -A .cache 2>&1 | grep -c weights)" 0
expect_equal "the first load packs" "$(loaded_from_cache)" False
expect_equal "the second one does not" "$(loaded_from_cache)" True
embed warm X=
expect_exit 0 cellvec models time --backbone tiny.safetensors --size 32 --seconds 0
expect_stdout '^load +[0-9.]+ s from the cache$'

# The folder.
embed xdg CELLVEC_CACHE= XDG_CACHE_HOME="$PWD/xdg"
embed home CELLVEC_CACHE= XDG_CACHE_HOME= HOME="$PWD/home"
expect_equal "the user's cache" "$(find xdg/cellvec home/.cache/cellvec -name '*.weights' | wc -l)" 2

# What is in it.
expect_exit 0 cellvec models cache
expect_stdout '^tiny +[0-9a-f]{32} +(float32|bfloat16) +(portable|avx[0-9a-z-]+) +[0-9]+ +0 +.*/\.cache/[0-9a-z-]+\.weights$'
expect_lines 2
expect_stderr '/.cache: [0-9.]+ MB$'
expect_exit 0 cellvec models cache --json
expect_json
expect_exit 0 env CELLVEC_CACHE=off "$CELLVEC" models cache
expect_stderr '^no cache: CELLVEC_CACHE is off'

# Damage.
packed=$(echo .cache/*.weights)
truncate --size=-1 "$packed"
embed truncated X=
expect_equal "a file cut short was packed anew" "$(loaded_from_cache)" True
: >"$packed"
embed emptied X=
expect_equal "and an empty one" "$(loaded_from_cache)" True

# Another model under the same name.
cellvec models seed tiny.safetensors --width 32 --depth 1 --patch 8 --image-size 32 --inputs a,b,c --seed 9 --quiet
expect_exit 0 cellvec models embed --backbone tiny.safetensors --input x.npy --output other.npy
expect_exit 1 cmp off.npy other.npy
cellvec models seed tiny.safetensors --width 32 --depth 1 --patch 8 --image-size 32 --inputs a,b,c --quiet
embed again X=

# Clearing spares what is not ours.
touch .cache/notes.txt
expect_exit 0 cellvec models cache --clear
expect_stderr '^removed [0-9]+ files, [0-9.]+ MB$'
expect_equal "the cache is empty" "$(ls -A .cache)" notes.txt
expect_exit 0 env CELLVEC_CACHE=off "$CELLVEC" models cache --clear

# Several processes that load a model for the first time.
for number in 1 2 3 4; do
  cellvec models embed --backbone tiny.safetensors --input x.npy --output "together$number.npy" &
done
wait
for number in 1 2 3 4; do expect_exit 0 cmp off.npy "together$number.npy"; done
expect_equal "leave one file" "$(find .cache -type f -not -name notes.txt -not -name '*.digest' | wc -l)" 1
expect_equal "that is whole" "$(loaded_from_cache)" True

# Where nothing can be kept.
touch file
embed nowhere CELLVEC_CACHE=file/cache
mkdir full
if mount -t tmpfs -o size=16k tmpfs full 2>/dev/null; then
  trap 'umount full' EXIT
  embed full CELLVEC_CACHE=full/cache
  expect_equal "a full disk keeps no part" "$(find full -type f | wc -l)" 0
  mount -o remount,ro full
  embed read-only CELLVEC_CACHE=full/other
  expect_exit 0 env CELLVEC_CACHE=full/cache "$CELLVEC" models cache
  expect_stderr 'full/cache: 0.0 MB; nothing can be added, check its permissions$'
else
  echo "not checked: only root can mount a small file system"
fi
finish
