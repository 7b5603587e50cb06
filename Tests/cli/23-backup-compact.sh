#!/usr/bin/env bash
# Copies while others read and write, and a file that shrinks.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
bytes() { stat -c %s "$1/data.mdb"; }

# A copy while a writer holds the database, until its stdin is closed.
mkfifo hold held
python3 -c 'import fcntl, sys
lock = open("db/writer.lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' <hold >held &
exec 7>hold
read -r _ <held
expect_exit 0 cellvec backup copy --db db --json
expect_stdout '^\{"backup":"copy","bytes":[0-9]+\}$'
expect_exit 75 cellvec compact --db db --no-wait
exec 7>&-
wait
expect_exit 73 cellvec backup copy --db db
expect_stderr '^cellvec: copy: expected a name that is free'
expect_exit 66 cellvec backup other --db nowhere
expect_equal "no part of a copy is left" "$(ls -d -- *.partial 2>/dev/null)" ""
expect_exit 0 cellvec check --db copy
cellvec list --db db --csv >whole.csv
expect_equal "the copy has the same cells" "$(cellvec list --db copy --csv)" "$(cat whole.csv)"

python3 - <<'PYTHON'
import npy
rows, dimension = 4000, 64
npy.save("many.npy", (rows, dimension), ((row * 7 + column * 3) % 101 for row in range(rows) for column in range(dimension)))
with open("many.csv", "w") as file:
    file.write("plate,code\n")
    for row in range(rows):
        file.write(f"P{row // 1000},c{row}\n")
PYTHON
cellvec import many.npy --db big --space s --metadata many.csv --quiet >/dev/null
cellvec search --db big --cell 3500 -k 5 --where "plate = 'P3'" --csv >before.csv
expect_exit 0 cellvec delete --db big --where "plate IN ('P0', 'P1', 'P2')" --yes --quiet
before=$(bytes big)
expect_exit 0 cellvec compact --db big --json
expect_stdout "^\{\"bytes_before\":$before,\"bytes_after\":$(bytes big),\"unused_texts\":3003\}$"
expect_equal "the file is less than half as large" "$(($(bytes big) * 2 < before))" 1
expect_exit 0 cellvec check --db big
expect_equal "searches find the same" "$(cellvec search --db big --cell 3500 -k 5 --csv)" "$(cat before.csv)"
expect_exit 0 cellvec import many.npy --db big --space s --csv --quiet
expect_stdout '^s,64,4000,0,3000,3999$'

# Where every tenth cell or so is gone, only numbers without gaps give their places back.
cellvec import many.npy --db sparse --space s --metadata many.csv --quiet >/dev/null
cellvec index build --db sparse --quiet >/dev/null
expect_exit 0 cellvec delete --db sparse --where "code LIKE '%1' OR code LIKE '%4' OR code LIKE '%7'" --yes --quiet
expect_exit 0 cellvec compact --db sparse
before=$(bytes sparse)
cells() { cellvec list --db sparse --fields all --csv | cut -d , -f 2-; }
cells >kept.csv
cellvec export --db sparse --vectors kept.npy --quiet
expect_exit 0 cellvec compact --db sparse --renumber --quiet --csv
expect_stdout "^$before,[0-9]+,0,2799$"
expect_equal "three tenths of the file are given back" "$(($(bytes sparse) * 100 < before * 80))" 1
expect_exit 0 cellvec check --db sparse
expect_equal "cells are the same, and in the same order" "$(cells | cksum)" "$(cksum <kept.csv)"
expect_exit 0 cellvec list --db sparse --csv
expect_stdout '^2799,'
expect_exit 0 cellvec export --db sparse --vectors moved.npy --quiet
expect_equal "and so are their vectors" "$(cksum <moved.npy)" "$(cksum <kept.npy)"
expect_exit 0 cellvec index status --db sparse --csv
expect_stdout '^s,2800,2800,0,0,'
expect_exit 0 cellvec import many.npy --db sparse --space s --csv --quiet
expect_stdout '^s,64,4000,0,0,2799$'
expect_exit 0 cellvec compact --db sparse --renumber --csv
expect_stdout ',0,0$'

# Copies while another process commits: each is one moment of it.
(for round in 1 2 3 4 5 6 7 8; do cellvec update --db big --set a=$round b=$round --where "plate = 'P3'" --quiet; done) >/dev/null &
for copy in 1 2 3 4; do
  expect_exit 0 cellvec backup "copy$copy" --db big
  expect_exit 0 cellvec check --db "copy$copy"
  values=$(cellvec list --db "copy$copy" --csv --fields all | awk -F , 'NR > 1 { print $5 == $6 }' | sort -u)
  expect_equal "both values are of one transaction" "$values" 1
done
wait

# A reader that has the old file open, in another process, goes on; writers come after it.
python=$(dirname "${BASH_SOURCE[0]}")/../../.venv/bin/python
if "$python" -c 'import lmdb' 2>/dev/null; then
  for round in 1 2; do
    cat >read.py <<'PYTHON'
import lmdb, sys
environment = lmdb.open("big", readonly=True, max_dbs=13)
cells = environment.open_db(b"cells", create=False)
with environment.begin() as transaction:
    print("open", flush=True)
    sys.stdin.readline()
    print("held", transaction.stat(cells)["entries"], sum(1 for _ in transaction.cursor(db=cells)), flush=True)
with environment.begin() as transaction:
    print("again", transaction.stat(cells)["entries"], flush=True)
PYTHON
    mkfifo ask$round tell$round
    "$python" read.py <ask$round >tell$round &
    exec 7>ask$round 8<tell$round
    read -r _ <&8
    expect_exit 0 cellvec compact --db big
    expect_exit 0 cellvec update --db big --set round=$round --where "plate = 'P3'" --quiet
    expect_exit 0 cellvec update --db big --set "plate=P$round" --where "code = 'c300$round'" --quiet
    expect_exit 0 cellvec check --db big
    echo >&7
    read -r line <&8
    expect_equal "what the reader began with" "$line" "held 1000 1000"
    read -r line <&8
    expect_equal "and what it finds in its file later" "$line" "again 1000"
    exec 7>&- 8<&-
    wait
    expect_exit 0 cellvec list --db big --where "round = $round" --csv
    expect_lines $((1001 - round + 1))
    expect_exit 0 cellvec check --db big
  done
fi

# Killed at any time, the database is the old or the new one.
RANDOM=5
for _ in 1 2 3 4 5 6; do
  "$CELLVEC" compact --db big >/dev/null 2>&1 &
  for ((spin = RANDOM; spin > 0; spin--)); do :; done
  kill -9 $! 2>/dev/null
  wait
  expect_exit 0 cellvec check --db big
done
expect_exit 0 cellvec compact --db big
expect_equal "nothing is left beside the file" "$(ls big)" "$(printf 'data.mdb\nlock.mdb\nwriter.lock')"

if mkdir small && mount -t tmpfs -o size=3m tmpfs small 2>/dev/null; then
  trap 'umount small' EXIT
  cp -r big small/big
  head -c 3000000 /dev/zero >small/filler 2>/dev/null
  expect_exit 74 cellvec compact --db small/big
  expect_stderr 'no space left on device'
  expect_exit 74 cellvec backup small/copy --db small/big
  expect_equal "nothing is left of a copy for which there is no room" "$(ls small small/big)" \
    "$(printf 'small:\nbig\nfiller\n\nsmall/big:\ndata.mdb\nlock.mdb\nwriter.lock')"
  rm small/filler
  expect_exit 0 cellvec check --db small/big
fi
finish
