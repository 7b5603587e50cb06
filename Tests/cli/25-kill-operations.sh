#!/usr/bin/env bash
# Deletions, updates and merges that are killed at random moments leave a sound database, and are completed by the same
# command.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - <<'PYTHON'
import npy
rows, dimension = 45000, 4
npy.save("many.npy", (rows, dimension), (index % 1009 for index in range(rows * dimension)))
with open("many.csv", "w") as file:
    file.write("half,gene\n")
    for row in range(rows):
        file.write(f"{'ab'[row % 2]},g{row % 100}\n")
PYTHON
cellvec import many.npy --db source --space s --metadata many.csv --quiet >/dev/null

# killed DB COMMAND...: kills the command at a random moment, a few times.
RANDOM=3
killed() {
  local db=$1 spin child status
  shift
  for _ in 1 2 3 4 5; do
    "$CELLVEC" "$@" >/dev/null 2>&1 &
    child=$!
    for ((spin = RANDOM * 4; spin > 0; spin--)); do :; done
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
    status=0
    [[ ! -e $db/data.mdb ]] || cellvec check --db "$db" --quiet >"$_out" 2>"$_err" || status=$?
    # 66: killed before the first commit made it a database.
    expect_equal "sound after a kill of $1" "$((status == 0 || status == 66))" 1
  done
  expect_exit 0 cellvec "$@"
  expect_exit 0 cellvec check --db "$db"
}

killed db merge source --db db --quiet
expect_equal "the merge is complete" "$(cellvec list --db db --csv | cksum)" "$(cellvec list --db source --csv | cksum)"
killed db update --db db --set dose=2 --where "gene IS NOT NULL" --quiet
expect_equal "the update is complete" "$(cellvec list --db db --where 'dose = 2' --json | wc -l)" 45000
killed db delete --db db --where "half = 'a'" --images --yes --quiet
expect_equal "the deletion is complete" "$(cellvec list --db db --json | wc -l)" 22500
expect_exit 0 cellvec import many.npy --db db --space s --csv --quiet
expect_stdout '^s,4,45000,22500,[0-9]+,67499$'
expect_exit 0 cellvec check --db db
finish
