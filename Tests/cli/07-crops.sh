#!/usr/bin/env bash
# The crops that a backbone would see, for other programs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec simulate fields --fields 2 --size 128 --cells-per-field 3 --seed 1 --quiet
crops=(cellvec crops fields --output crops.npy --table cells.csv --cells masks='*_mask.png'
  --channels nucleus='*_nucleus.png' protein='*_protein.png' --metadata fields/metadata.csv)
expect_exit 0 "${crops[@]}" --crop 48 --input-size 32 --normalize range
expect_stderr '^wrote [0-9]+ crops of 2 x 32 x 32 to crops.npy$'
expect_equal "a line for each crop" "$(($(wc -l <cells.csv) - 1))" "$(sed -n 's/^wrote \([0-9]*\) crops.*/\1/p' .stderr)"
expect_equal "with the image's metadata" "$(head -n 1 cells.csv)" \
  "image,object,center_x,center_y,area_px,cell_line,gene,localization,plate,site,well"
expect_exit 0 "${crops[@]}" --crop 129 --input-size 32
expect_stderr '^warning: images smaller than the squares of 129 px that --crop cuts out of them: 2, as P1_A01_s1 of 128 x 128 px; '
expect_exit 64 cellvec crops fields --output none.npy --channels nucleus='*_nucleus.png'
expect_stderr '^cellvec: --input-size: is needed'
expect_exit 64 "${crops[@]/#crops.npy/none.npy}"
expect_stderr 'crop'
expect_equal "and writes nothing" "$(ls none.npy 2>/dev/null)" ""
mkdir halves && cp fields/P1_A01_s1_nucleus.png halves && cp fields/P2_A01_s1_protein.png halves
expect_exit 2 cellvec crops halves --output none.npy --input-size 8 --channels nucleus='*_nucleus.png' protein='*_protein.png'
expect_stderr '^cellvec: .*P1_A01_s1'
expect_exit 64 "${crops[@]}" --crop 48 --normalize imagenet
expect_exit 64 cellvec crops fields --output none.npy --crop 48 --cells nuclei --segment-on dna --channels nucleus='*_nucleus.png'
expect_stderr '^cellvec: --segment-on'

# An image for which there is no memory is a fault, not the end of the program: a header of 30,000 x 30,000 pixels, and as
# many bytes as such may take.
python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
open("large.png", "wb").write(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", bytes(400_000)) + chunk(b"IEND", b""))
PYTHON
limited() (
  ulimit -v 3000000
  cellvec "$@"
)
expect_exit 74 limited planes large.png
expect_stderr 'large.png: not enough memory for 30000x30000 uint8: 3433 MiB are wanted; free some memory'
# Nor is one that can be read, but not searched for nuclei.
mkdir dark
python3 - <<'PYTHON'
import struct, zlib
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
open("dark/nucleus.png", "wb").write(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 5000, 5000, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes([0, 1]) + bytes(5001 * 5000 - 2))) + chunk(b"IEND", b""))
PYTHON
searched() (
  ulimit -v 800000
  cellvec crops dark --output none.npy --crop 48 --input-size 8 --cells nuclei --channels nucleus=nucleus.png \
    --threads 1
)
expect_exit 2 searched
expect_stderr 'dark: not enough memory for finding nuclei in 5000x5000 uint8: 858 MiB are wanted; free some memory'

printf 'no image' >fields/P1_A01_s1_nucleus.png
expect_exit 2 "${crops[@]}" --crop 48
expect_stderr 'P1_A01_s1_nucleus.png: expected a PNG or TIFF image'
finish
