#!/usr/bin/env bash
# On a full disk an import ends with status 74, loses nothing that was committed, and continues when there is room.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir small
if ! mount -t tmpfs -o size=120m tmpfs small 2>/dev/null; then
  echo "skipped: only root can mount a small file system"
  exit 77
fi
trap 'umount small' EXIT

"$(dirname "${BASH_SOURCE[0]}")/../../.venv/bin/python" - <<'PYTHON'
import numpy
numpy.save("vectors.npy", numpy.random.default_rng(1).standard_normal((120_000, 256)).astype("float32"))
PYTHON
expect_exit 74 cellvec import vectors.npy --db small/db --space s
expect_stderr 'no space left on device.*free some disk space'
expect_exit 0 cellvec check --db small/db
expect_exit 0 cellvec count --db small/db
# The first three parts of the array were committed.
expect_stdout '97920'
mount -o remount,size=400m small
expect_exit 0 cellvec import vectors.npy --db small/db --space s
expect_exit 0 cellvec check --db small/db
expect_exit 0 cellvec export --db small/db --vectors back.npy
expect_exit 0 cmp vectors.npy back.npy

# So does an ingest, whose commits run beside the backbone.
umount small
mount -t tmpfs -o size=24m tmpfs small
cellvec simulate fields --fields 24 --size 128 --cells-per-field 6 --seed 1 --quiet
cellvec models seed tiny.safetensors --width 384 --depth 1 --patch 8 --inputs nucleus,protein --image-size 32 --seed 7 --quiet
ingest() {
  cellvec ingest "$1" --db "$2" --backbone tiny.safetensors --channels nucleus='*_nucleus.png' protein='*_protein.png' \
    --cells masks='*_mask.png' --crop 64 --input-size 32 --commit-every 6 --quiet --json
}
mkdir some
cp fields/P1_A01_* some
expect_exit 0 ingest some small/images
head -c 24000000 /dev/zero >small/filler 2>/dev/null || true
expect_exit 74 ingest fields small/images
expect_stderr 'no space left on device.*free some disk space'
rm small/filler
expect_exit 0 cellvec check --db small/images
expect_exit 0 ingest fields small/images
expect_exit 0 ingest fields whole
for db in small/images whole; do
  expect_exit 0 cellvec export --db "$db" --vectors "$(basename "$db").npy" --metadata "$(basename "$db").csv" --quiet
done
expect_exit 0 cmp images.npy whole.npy
expect_exit 0 cmp images.csv whole.csv

# No signal, whatever cannot be made.
umount small
mount -t tmpfs -o size=1m tmpfs small
head -c 2000000 /dev/zero >small/filler 2>/dev/null || true
mkdir small/empty
expect_exit 74 cellvec import vectors.npy --db small/empty --space s
expect_stderr 'free some disk space'
finish
