#!/usr/bin/env bash
# A bit at the front of the file that would hide the last commit, or change what is said of the tables, is noticed and
# changed back; a copy is none of a damaged database.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
expect_exit 0 cellvec update --db db --set grade=3 --where "area > 120" --quiet
cellvec list --db db --fields all --csv >sound.csv
cellvec stats --db db --json >sound.json
cp db/data.mdb sound.mdb

# change PAGE OFFSET XOR: changes bits of a byte of the newest of the first two pages, the older, or that of the tables.
change() {
  python3 - "$@" <<'PYTHON'
import struct, sys
which, offset, bits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
content = bytearray(open("db/data.mdb", "rb").read())
number = lambda at: struct.unpack_from("<Q", content, at)[0]
newest = max(0, 1, key=lambda page: number(page * 4096 + 144))
page = {"newest": newest, "older": 1 - newest, "tables": number(newest * 4096 + 128)}[which]
if which == "tables":
    # The record of the table of cells: behind its name, 48 bytes.
    offset += content.index(b"cells", page * 4096) + 5 - page * 4096
content[page * 4096 + offset] ^= bits
open("db/data.mdb", "wb").write(content)
PYTHON
}

# The number of the transaction; the overflow pages of the free tree; what is said of the cells: leaves and entries.
for damage in "newest 144 2" "newest 144 1" "newest 145 1" "older 144 2" "newest 64 1" "newest 24 8" "tables 16 1" \
  "tables 32 4" "tables 39 128"; do
  # shellcheck disable=SC2086 # page, offset and bits
  change $damage
  for verb in check list stats "search --cell 1" "backup copy" "update --set grade=4 --where area>130" compact; do
    # shellcheck disable=SC2086 # a verb with its options
    expect_exit 65 cellvec $verb --db db
  done
  expect_stderr 'its first pages have changed since they were written; cellvec check --repair changes them back'
  expect_exit 0 cellvec check --db db --repair
  expect_stderr 'changed the first pages of the data file back to what was written; nothing is lost with it'
  expect_exit 0 cmp sound.mdb db/data.mdb
done
expect_exit 0 cellvec check --db db --repair
expect_stderr '^no faults found'
expect_equal "the cells are those of before" "$(cellvec list --db db --fields all --csv)" "$(cat sound.csv)"
expect_equal "and what is said of them" "$(cellvec stats --db db --json)" "$(cat sound.json)"

# A bit of the seal itself means nothing.
change newest 200 1
expect_exit 0 cellvec check --db db
expect_equal "a damaged seal is none" "$(cellvec list --db db --fields all --csv)" "$(cat sound.csv)"
expect_exit 0 cellvec update --db db --set grade=5 --where "area > 130" --quiet
change older 144 2
expect_exit 0 cellvec check --db db --repair
expect_exit 0 cellvec check --db db

# Compact copies, backups and merged databases are sealed too.
expect_exit 0 cellvec compact --db db
expect_exit 0 cellvec merge db --db merged --quiet
for database in db merged; do
  [[ $database == db ]] || { rm -r db && cp -r "$database" db; }
  change newest 144 4
  expect_exit 65 cellvec list --db db
  expect_exit 0 cellvec check --db db --repair
  expect_exit 0 cellvec list --db db
done
finish
