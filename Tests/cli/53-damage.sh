#!/usr/bin/env bash
# Damage is found, named, repaired where the rest tells how, and otherwise left out of an export.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database
expect_exit 0 cellvec check --db db --repair
expect_exit 0 cellvec export --db db --vectors sound.npy --metadata sound.csv --quiet

# flip TYPE NUMBER...: changes the byte behind each place where these numbers stand; older states of a page are free.
flip() {
  python3 - "$@" <<'PYTHON'
import struct, sys
kind, *numbers = sys.argv[1:]
pattern = struct.pack(f"<{len(numbers)}{kind}", *(float(n) if kind in "fd" else int(n) for n in numbers))
content = bytearray(open("db/data.mdb", "rb").read())
place = content.index(pattern)
while place >= 0:
    content[place + len(pattern)] ^= 4
    place = content.find(pattern, place + 1)
open("db/data.mdb", "wb").write(content)
PYTHON
}

# The numbers of cells 10 and 11 lie side by side in the column of areas only.
flip d 110 111
expect_exit 65 cellvec list --db db --where "area > 100"
expect_stderr 'number column of field 2: does not match its checksum'
expect_exit 65 cellvec check --db db
expect_stdout 'check --repair'
expect_exit 0 cellvec check --db db --repair
expect_stderr 'repaired 1 records'
expect_exit 0 cellvec check --db db
expect_exit 0 cellvec list --db db --where "area > 100"
expect_lines 40

# break_page TABLE: makes the root page of a table one of no kind.
break_page() {
  python3 - "$1" <<'PYTHON'
import struct, sys
content = bytearray(open("db/data.mdb", "rb").read())
newest = max(0, 4096, key=lambda page: struct.unpack_from("<Q", content, page + 144)[0])
page = struct.unpack_from("<Q", content, newest + 128)[0] * 4096
for index in range((struct.unpack_from("<H", content, page + 12)[0] - 16) // 2):
    node = page + struct.unpack_from("<H", content, page + 16 + 2 * index)[0]
    size = struct.unpack_from("<H", content, node + 6)[0]
    if content[node + 8:node + 8 + size] == sys.argv[1].encode():
        root = struct.unpack_from("<Q", content, node + 8 + size + 40)[0]
        content[root * 4096 + 10] = 0x40
open("db/data.mdb", "wb").write(content)
PYTHON
}

break_page sets
expect_exit 65 cellvec check --db db
expect_exit 65 cellvec import vectors.npy --db db --space t
expect_exit 0 cellvec check --db db --repair
expect_stderr 'made the data file anew; the damaged one is kept as db/data.mdb.damaged'
expect_exit 0 cellvec export --db db --vectors back.npy --metadata back.csv --quiet
expect_exit 0 cmp sound.npy back.npy
expect_exit 0 cmp sound.csv back.csv
expect_exit 0 cellvec import vectors.npy --db db --space s --quiet

# Either of the first two pages is enough to go on; both are not.
damage_front() {
  python3 - "$@" <<'PYTHON'
import struct, sys
content = bytearray(open("db/data.mdb", "rb").read())
newest = max(0, 1, key=lambda page: struct.unpack_from("<Q", content, page * 4096 + 144)[0])
for page in {"newest": [newest], "older": [1 - newest], "both": [0, 1]}[sys.argv[1]]:
    content[page * 4096 + 40:page * 4096 + 152] = bytes(112)
open("db/data.mdb", "wb").write(content)
PYTHON
}
cp -r db whole
for page in older newest; do
  damage_front $page
  for verb in check list stats "search --cell 1" "import vectors.npy --space t" compact "backup copy"; do
    # shellcheck disable=SC2086 # a verb with its options
    expect_exit 65 cellvec $verb --db db
  done
  expect_stderr 'one of its first two pages is wrong; cellvec check --repair goes on from the other'
  expect_exit 0 cellvec check --db db --repair
  expect_stderr 'made page [01] of the data file anew from page [01]; what the last commit wrote may be lost'
  expect_exit 0 cellvec import vectors.npy --db db --space s --quiet
  expect_exit 0 cellvec export --db db --vectors back.npy --metadata back.csv --quiet
  expect_exit 0 cmp sound.npy back.npy
done
damage_front both
expect_exit 65 cellvec check --db db --repair
expect_stderr 'neither of its first two pages leads to the records; restore a copy, as of cellvec backup'
rm -r db
mv whole db

# Image 0, kind 3, four values, number 5: the record of cell 5, which is primary.
flip H 0 0 3 4 5 0
expect_exit 65 cellvec check --db db --repair
expect_stderr 'nothing was repaired: records that follow from no others are damaged'
expect_stdout '^cell 5 +does not match its checksum'
expect_stdout '^image "vectors.npy" +has lost cell 5 '
expect_exit 65 cellvec export --db db --vectors rest.npy --metadata rest.csv
expect_exit 2 cellvec export --db db --vectors rest.npy --metadata rest.csv --salvage
expect_stderr 'cell 5: cannot be read: the record is damaged'
expect_equal "the other cells are exported" "$(grep --count ',$' rest.csv)" 39
expect_equal "as they were" "$(grep --invert-match '^5,' sound.csv)" \
  "$(grep --invert-match '^5,' rest.csv | sed 's/,damage$//; s/,$//')"
expect_equal "with the vector of the damaged one" "$(grep '^5,' rest.csv)" "5,,,,,record lost"
expect_exit 0 cellvec list --db db --limit 3

# Cut short, and no database at all.
truncate --size 20000 db/data.mdb
for verb in check list stats "export --vectors x.npy" "search --cell 1" "import vectors.npy --space t"; do
  # shellcheck disable=SC2086 # a verb with its options
  expect_exit 65 cellvec $verb --db db
done
expect_stderr 'expected at least [0-9]+ bytes, found 20000; the file was cut short'
finish
