#!/usr/bin/env bash
# Imports in small commits, and of arrays that come through a pipe.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - <<'PYTHON'
import npy
dimension = 48
for name, rows, seed in [("first", 3000, 1), ("second", 700, 2), ("third", 1, 3)]:
    npy.save(f"{name}.npy", (rows, dimension), ((row * 31 + column * seed) % 257 for row in range(rows) for column in range(dimension)))
with open("first.csv", "w") as table:
    table.write("gene,dose\n")
    for row in range(3000):
        table.write(f"g{row % 7},{row}\n")
PYTHON

# The database is the same, however many cells a commit takes up.
cellvec import first.npy --db whole --space s --metadata first.csv --quiet >/dev/null
for rows in 1 700 1000000; do
  [[ $rows == 1 ]] && array=second || array=first
  expect_exit 0 cellvec import $array.npy --db "by$rows" --space s --commit-rows "$rows" --quiet --json
  expect_stdout "^\{\"space\":\"s\",\"dimension\":48,\"vectors\":[0-9]+,\"added\":[0-9]+,\"first_cell\":0,\"last_cell\":[0-9]+\}$"
  expect_exit 0 cellvec check --db "by$rows"
done
expect_exit 0 cellvec import first.npy --db parts --space s --metadata first.csv --commit-rows 999 --quiet
expect_equal "lists are the same" "$(cellvec list --db parts --fields all --csv)" "$(cellvec list --db whole --fields all --csv)"
expect_equal "searches are the same" "$(cellvec search --db by700 --cell 2999 -k 9 --csv | cut -d , -f 1-3)" \
  "$(cellvec search --db whole --cell 2999 -k 9 --csv | cut -d , -f 1-3)"
expect_exit 64 cellvec import first.npy --db parts --commit-rows 0
expect_stderr 'commit-rows: expected at least 1, found 0'

# Each array is safe, and found, before the next one comes.
mkfifo arrays lines
"$CELLVEC" import - --db live --space s --json --quiet <arrays >lines &
exec 7>arrays 8<lines
for step in "first 3000 0" "second 700 3000" "third 1 3700"; do
  read -r array count cell <<<"$step"
  cat "$array.npy" >&7
  read -r line <&8
  expect_equal "$array is acknowledged" "$line" "{\"space\":\"s\",\"dimension\":48,\"vectors\":$count,\"added\":$count,\"first_cell\":$cell,\"last_cell\":$((cell + count - 1))}"
  expect_exit 0 cellvec check --db live
done
expect_exit 0 cellvec count --db live --csv
expect_stdout '^3701$'
expect_exit 0 cellvec search --db live --cell 3700 -k 1 --csv
expect_exit 75 cellvec delete --db live --where "cell = 1" --yes --no-wait
cat second.npy >&7
read -r line <&8
expect_equal "what comes again changes nothing" "$line" '{"space":"s","dimension":48,"vectors":700,"added":0,"first_cell":3000,"last_cell":3699}'
# Arrays that come together share the wait for the disk; one that has come only in part keeps nobody waiting.
cat third.npy third.npy second.npy <(head -c 1000 first.npy) >&7
for step in "1 3700" "1 3700" "700 3000"; do
  read -r count cell <<<"$step"
  read -r line <&8
  expect_equal "each has its line" "$line" "{\"space\":\"s\",\"dimension\":48,\"vectors\":$count,\"added\":0,\"first_cell\":$cell,\"last_cell\":$((cell + count - 1))}"
done
tail -c +1001 first.npy >&7
read -r line <&8
expect_equal "and so has the rest" "$line" '{"space":"s","dimension":48,"vectors":3000,"added":0,"first_cell":0,"last_cell":2999}'
exec 7>&-
wait $!
expect_equal "the stream's end is the command's" "$?" 0
exec 8<&-
expect_exit 0 cellvec export --db live --where "cell < 3000" --vectors streamed.npy --quiet
expect_exit 0 cellvec export --db whole --vectors imported.npy --quiet
expect_equal "vectors are those of the file" "$(cksum <streamed.npy)" "$(cksum <imported.npy)"

# A stream that breaks off leaves what came before.
(cat first.npy; head -c 500 second.npy) >broken
from_file() { "$CELLVEC" "${@:2}" <"$1"; }
expect_exit 65 from_file broken import - --db broken-db --csv
expect_stderr '^cellvec: array 2 of stdin: is cut off'
expect_stdout '^imported,48,3000,3000,0,2999$'
expect_exit 0 cellvec check --db broken-db
expect_exit 65 from_file first.csv import - --db none
expect_stderr 'array 1 of stdin: is not a NumPy array'
expect_exit 65 from_file /dev/null import - --db empty
expect_equal "nor does a stream without any" "$(ls -d none empty 2>/dev/null)" ""
expect_exit 64 from_file first.npy import - --db live --metadata first.csv
expect_stderr 'metadata goes with a file'
expect_exit 64 from_file first.npy import - --db live --type gene=string
expect_stderr 'type goes with the table of --metadata'
python3 -c 'import npy; npy.save("nan.npy", (2, 48), [1.0] * 50 + [float("nan")] + [1.0] * 45)'
cp third.npy one.npy
cat second.npy nan.npy >third
expect_exit 65 from_file third import - --db third-db --csv
expect_stderr '^cellvec: array 2 of stdin: expected finite numbers, found NaN or infinity in row 1, column 2'
expect_stdout '^imported,48,700,700,0,699$'
cat first.npy second.npy third.npy >both
expect_exit 0 from_file both import - --db each --csv
expect_stdout '^imported,48,3000,3000,0,2999$'
expect_stdout '^imported,48,700,700,3000,3699$'
expect_stdout '^imported,48,1,1,3700,3700$'
cat first.npy second.npy >both
expect_exit 0 from_file both import - --db sum
expect_stdout '^imported +48 +3700 +3700 +0 +3699$'

# Where the disk takes no more, that is what is said, and no line is of an array that is not there.
cat second.npy third.npy first.npy >both
limited() (
  ulimit -f 500
  from_file both import - --db limited --space s --csv --quiet
)
expect_exit 74 limited
expect_stderr '^cellvec: limited: cannot commit: '
expect_equal "and nothing else" "$(wc -l <"$_err")" 1
told=$(awk -F , 'NR > 1 { sum += $4 } END { print sum + 0 }' "$_out")
expect_exit 0 cellvec check --db limited
expect_exit 0 cellvec count --db limited --csv
expect_equal "no more is told than is there" "$((told <= $(tail -n 1 "$_out")))" 1
expect_exit 0 from_file both import - --db limited --space s --quiet
expect_exit 0 cellvec count --db limited --csv
expect_stdout '^3701$'

# A request to stop ends the wait for more.
mkfifo never
"$CELLVEC" import - --db stopped --quiet <never >/dev/null 2>stopped.err &
exec 7>never
cat first.npy >&7
until cellvec count --db stopped >/dev/null 2>&1; do :; done
kill -TERM $!
wait $!
expect_equal "stopped by the user" "$?" 130
expect_equal "and says so" "$(grep -c 'interrupted; vectors that this run saved: 3000; run the same command to go on' stopped.err)" 1
exec 7>&-
expect_exit 0 cellvec check --db stopped
"$CELLVEC" import - --db idle --quiet <never >/dev/null 2>idle.err &
exec 7>never
wait_until_it_listens $!
kill -INT $!
wait $!
expect_equal "stopped before the first" "$? $(grep -c 'interrupted; no new vectors were saved; run the same command to go on' idle.err)" "130 1"
exec 7>&-

# Cells that were deleted are left out of what an array has become; one that has none has no numbers.
cp -r live fewer
cellvec delete --db fewer --where "cell = 3000 OR cell = 3700" --yes --quiet >/dev/null
expect_exit 0 cellvec import second.npy --db fewer --space s --json --quiet
expect_stdout '"added":0,"first_cell":3001,"last_cell":3699}'
expect_exit 0 from_file one.npy import - --db fewer --space s --json --quiet
expect_stdout '"vectors":1,"added":0,"first_cell":null,"last_cell":null}'
# Those that are imported anew have the greatest numbers, and are its cells whenever it is imported again.
cp -r live anew
cellvec delete --db anew --where "cell < 2" --images --yes --quiet >/dev/null
for added in 2 0; do
  expect_exit 0 cellvec import first.npy --db anew --space s --json --quiet
  expect_stdout "\"added\":$added,\"first_cell\":2,\"last_cell\":3702}"
done

# Who gives cells no table is told how to name them, unless the database names cells already.
expect_exit 0 cellvec import first.npy --db nameless
expect_stderr '^cells have numbers and no names: give a table with --metadata, or later one with a column "cell" to cellvec update$'
expect_exit 0 cellvec import second.npy --db whole --space s
expect_equal "not of others" "$(grep -c 'no names' "$_err")" 0

# Killed at any moment, it has whole commits.
RANDOM=3
for round in 1 2 3 4; do
  (for _ in 1 2 3 4 5 6 7 8; do cat third.npy second.npy; done) | "$CELLVEC" import - --db "killed$round" --quiet >/dev/null 2>&1 &
  for ((spin = RANDOM * 2; spin > 0; spin--)); do :; done
  kill -9 $! 2>/dev/null
  wait
  if [[ -e killed$round/data.mdb ]] && cellvec stats --db "killed$round" >/dev/null 2>&1; then
    expect_exit 0 cellvec check --db "killed$round"
  fi
done
finish
