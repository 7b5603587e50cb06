#!/usr/bin/env bash
# The program starts, searches, trains and reads PNG without Swift and libtiff; what needs the latter says so.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_small_database

# Whatever is loaded is paid for by every start.
expect_equal "CRoaring, xxHash and the C library are all that is loaded" \
  "$(ldd "$CELLVEC" | awk '{ print $1 }' | grep -vE '^(linux-vdso|libroaring|libxxhash|libm|libc)\.so|/ld-linux' || true)" ""

# A broken file takes the place of the library.
mkdir broken
echo 'no library' >broken/libtiff.so.6
without=(env LD_LIBRARY_PATH="$PWD/broken" cellvec)
expect_exit 0 "${without[@]}" search --db db --cell 0 -k 3
expect_exit 0 "${without[@]}" stats --db db
expect_exit 0 "${without[@]}" train --db db --labels localization --group gene --folds 3 --epochs 2

# Little-endian TIFF, whose first page is said to begin behind the end.
printf 'II*\0\377\0\0\0\0\0\0\0\0\0\0\0' >field.tif
expect_exit 69 "${without[@]}" planes field.tif
expect_stderr 'field\.tif: cannot be read: .*libtiff\.so\.6.*; install libtiff'
expect_exit 65 cellvec planes field.tif
finish
