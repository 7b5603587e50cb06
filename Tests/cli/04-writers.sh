#!/usr/bin/env bash
# One writer at a time: the second one fails at once or waits; readers never do.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

# Holds the writer's lock as a cellvec process would, until its stdin is closed.
mkfifo hold held
cat >hold.py <<'PYTHON'
import fcntl, os, sys
lock = open("db/writer.lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0)
lock.write(f"process {os.getpid()}")
lock.flush()
print("held", flush=True)
sys.stdin.read()
PYTHON
python3 hold.py <hold >held &
holder=$!
exec 7>hold
read -r _ <held

expect_exit 75 cellvec train --db db --labels localization --group gene --folds 3 --save h --no-wait
expect_stderr "^cellvec: db: is in use by process $holder; "
expect_exit 75 cellvec import vectors.npy --db db --space t --no-wait
expect_exit 0 cellvec list --db db --limit 1
expect_exit 0 cellvec train --db db --labels localization --group gene --folds 3 --quiet

: >waited.err
cellvec import vectors.npy --db db --space t >waited.out 2>waited.err 7>&- &
waiter=$!
until grep --quiet waiting waited.err; do kill -0 "$waiter" || break; done
exec 7>&-
wait "$waiter"
expect_equal "a writer that waited succeeds" "$?" 0
expect_equal "and said so once" "$(grep --count "waiting for process $holder" waited.err)" 1
expect_exit 0 cellvec check --db db

expect_exit 0 cellvec stats --db db
expect_stdout '^cells +40$'
expect_stdout '^t +4 +40 '

# Ctrl-C, once the program listens for it.
"$CELLVEC" train --db db --space s --labels localization --group gene --epochs 1000000 --save h \
  >interrupted.out 2>interrupted.err &
trainer=$!
wait_until_it_listens "$trainer"
kill -INT "$trainer"
wait "$trainer"
expect_equal "an interrupted run ends with status 130" "$?" 130
expect_equal "and says what that means" "$(tail -n 1 interrupted.err)" \
  "cellvec: interrupted; nothing was saved; run the same command to begin again"
expect_exit 66 cellvec predict --db db --head h
finish
