#!/usr/bin/env bash
# A lock file that does not know the last commit, as a process leaves it that was killed while it opened the database
# and another one waited: nobody reads an older state, and no writer goes on from one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
cellvec update --db db --set round=1 --where "gene = 'G1'" --quiet >/dev/null
cp -r db other
cellvec list --db db --fields all --csv >before.csv

# Has the database open as LMDB does, by a shared lock on the first byte, beside a lock file with another number of the
# last transaction, or without LMDB's mark, until its stdin is closed.
mkfifo hold held
cat >hold.py <<'PYTHON'
import fcntl, struct, sys
lock = open("db/lock.mdb", "r+b")
fcntl.lockf(lock, fcntl.LOCK_SH, 1, 0)
if sys.argv[1] == "unmarked":
    lock.write(bytes(64))
else:
    lock.seek(48)
    lock.write(struct.pack("<Q", int(sys.argv[1])))
lock.flush()
print("held", flush=True)
sys.stdin.read()
PYTHON
hold() {
  python3 hold.py "$1" <hold >held &
  holder=$!
  exec 7>hold
  read -r _ <held
}

for number in 0 1 1000 unmarked; do
  hold "$number"
  expect_exit 69 cellvec list --db db
  expect_stderr 'lock.mdb, which other processes use, is of another state of it; end the processes that have'
  expect_exit 69 cellvec update --db db --set round=2 --where "gene = 'G2'" --quiet
  expect_exit 69 cellvec merge other --db db --quiet
  exec 7>&-
  wait "$holder"
  expect_exit 0 cellvec list --db db --fields all --csv
  expect_equal "nothing is lost" "$(cat .stdout)" "$(cat before.csv)"
  expect_exit 0 cellvec check --db db
done

# As soon as nobody has it open, who waited goes on.
hold 0
cellvec update --db db --set round=3 --where "gene = 'G3'" --quiet >/dev/null 2>waited.err 7>&- &
writer=$!
exec 7>&-
wait "$writer"
expect_equal "a writer that came meanwhile succeeds" "$? $(cat waited.err)" "0 "
expect_exit 0 cellvec list --db db --where "round = 3 OR round = 1" --csv
expect_lines 9
expect_exit 0 cellvec check --db db
finish
