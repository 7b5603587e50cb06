#!/usr/bin/env bash
# On a full disk an import ends with status 74, loses nothing that was committed, and continues when there is room.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir small
if ! mount -t tmpfs -o size=24m tmpfs small 2>/dev/null; then
  echo "skipped: only root can mount a small file system"
  exit 77
fi
trap 'umount small' EXIT

"$(dirname "${BASH_SOURCE[0]}")/../../.venv/bin/python" - <<'PYTHON'
import numpy
numpy.save("vectors.npy", numpy.random.default_rng(1).standard_normal((50_000, 256)).astype("float32"))
PYTHON
expect_exit 74 cellvec import vectors.npy --db small/db --space s
expect_stderr 'no space left on device.*free some disk space'
expect_exit 0 cellvec check --db small/db
mount -o remount,size=100m small
expect_exit 0 cellvec import vectors.npy --db small/db --space s
expect_exit 0 cellvec check --db small/db
expect_exit 0 cellvec export --db small/db --vectors back.npy
expect_exit 0 cmp vectors.npy back.npy
finish
