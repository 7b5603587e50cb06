#!/usr/bin/env bash
# Real processes on one database: readers during an import, a reader that was killed, a second writer, and places that
# cannot be written.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - <<'PYTHON'
import npy, random
def save(name, count, seed):
    numbers = random.Random(seed).choices([index / 64 for index in range(-64, 64)], k=count * 32)
    npy.save(name, (count, 32), numbers)
save("first.npy", 500, 1)
save("second.npy", 40000, 2)
PYTHON
expect_exit 0 cellvec import first.npy --db db --space s --quiet

# Readers see whole commits while the file grows to many times its size.
before=$(stat --format %s db/data.mdb)
cellvec import second.npy --db db --space s --quiet >/dev/null 2>import.err &
writer=$!
readers=()
for reader in 1 2 3; do
  (
    while kill -0 "$writer" 2>/dev/null; do
      cellvec check --db db --quiet && cellvec search --db db --cell 7 --csv >/dev/null || exit 1
    done
  ) >"reader$reader.out" 2>&1 &
  readers+=($!)
done
wait "$writer"
expect_equal "an import beside readers succeeds" "$?" 0
for reader in "${readers[@]}"; do
  wait "$reader"
  expect_equal "a reader beside an import finds all sound" "$?" 0
done
after=$(stat --format %s db/data.mdb)
expect_equal "the file has grown under the readers" "$((after > 4 * before))" 1

# A reader that was killed in its transaction keeps no page from being used again: what is written over and over takes
# no more room than before. It holds its transaction while nobody takes what it writes.
# Another process has the database open without one, or the next to open it would clear all slots.
mkfifo pipe hold held
cat >hold.py <<'PYTHON'
import ctypes, ctypes.util, sys
lmdb = ctypes.CDLL(ctypes.util.find_library("lmdb"))
environment = ctypes.c_void_p()
assert lmdb.mdb_env_create(ctypes.byref(environment)) == 0
lmdb.mdb_env_set_maxreaders(environment, 1024)
lmdb.mdb_env_set_mapsize(environment, ctypes.c_size_t(1 << 33))
assert lmdb.mdb_env_open(environment, b"db", 0x20000, 0o644) == 0
print("held", flush=True)
sys.stdin.read()
PYTHON
python3 hold.py <hold >held &
holder=$!
exec 7>hold
read -r _ <held
"$CELLVEC" list --db db --csv >pipe 2>/dev/null &
reader=$!
exec 8<pipe
read -r _ <&8
kill -KILL "$reader"
wait "$reader" 2>/dev/null
exec 8<&-
labels() {
  cellvec train --db db --space s --labels kind --folds 2 --epochs 1 --ungrouped --save h --replace --quiet >/dev/null 2>&1
}
printf 'kind\n' >kinds.csv
for ((row = 0; row < 300; row++)); do echo "k$((row % 2))"; done >>kinds.csv
python3 -c 'import npy
npy.save("third.npy", (300, 32), ((i * i % 97) / 32 for i in range(9600)))'
expect_exit 0 cellvec import third.npy --db db --space s --metadata kinds.csv --quiet
labels
start=$(stat --format %s db/data.mdb)
for _ in 1 2 3 4 5 6 7 8; do labels; done
end=$(stat --format %s db/data.mdb)
expect_equal "writing again and again beside the slot of a killed reader takes no more room" "$((end - start < 65536))" 1

exec 7>&-
wait "$holder"

# While the lock is held, a second writer ends with status 75 or waits; 04-writers.sh has the waiting.
exec 7<>db/writer.lock
flock 7
expect_exit 75 cellvec import first.npy --db db --space t --no-wait
exec 7>&-

# A database that this user may not write, in a folder that nobody writes.
if mount --bind db db 2>/dev/null && mount -o remount,ro,bind db 2>/dev/null; then
  trap 'umount db' EXIT
  expect_exit 0 cellvec list --db db --limit 2
  expect_exit 0 cellvec check --db db
  expect_exit 74 cellvec import first.npy --db db --space t
  expect_stderr 'check the permissions|read-only'
  umount db
  trap - EXIT
fi
if [[ $(id -u) == 0 ]] && setpriv --reuid nobody true 2>/dev/null; then
  # The folder of a story may lie where nobody else gets in.
  shared=$(mktemp -d)
  trap 'rm -rf "$shared"' EXIT
  cp -R db "$shared/db"
  chmod -R a+rX,go-w "$shared"
  as_nobody() { setpriv --reuid nobody --clear-groups -- "$CELLVEC" "$@"; }
  if as_nobody --version >/dev/null 2>&1; then
    expect_exit 0 as_nobody list --db "$shared/db" --limit 2
    expect_exit 0 as_nobody check --db "$shared/db"
    expect_exit 74 as_nobody import first.npy --db "$shared/db" --space t
    expect_stderr 'check the permissions'
  fi
fi

# A network file system is told of, also where the database is only to be made. sshfs speaks with sftp-server over a pipe.
sftp=$(ls /usr/lib/openssh/sftp-server /usr/lib/sftp-server 2>/dev/null | head -n 1)
if [[ $(id -u) == 0 && -n $sftp ]] && command -v sshfs socat >/dev/null; then
  mkdir remote mounted
  socat EXEC:"$sftp" EXEC:"sshfs \\:$PWD/remote $PWD/mounted -o passive -f" 2>/dev/null &
  for _ in {1..100}; do
    if grep -q "$PWD/mounted" /proc/self/mountinfo; then break; fi
    sleep 0.1
  done
  if grep -q "$PWD/mounted" /proc/self/mountinfo; then
    trap 'umount mounted' EXIT
    for verb in "import first.npy" count check; do
      read -ra words <<<"$verb"
      expect_exit 0 cellvec "${words[@]}" --db mounted/db
      expect_stderr '^cellvec: mounted/db lies on a network file system \(fuse.sshfs\): any number of machines may read it'
    done
    umount mounted
    trap - EXIT
    expect_exit 0 cellvec count --db remote/db
  fi
  wait
fi
finish
