#!/usr/bin/env bash
# Many readers beside a writer that lets the file grow, deletes and compacts; a reader that was stopped; and the verbs
# that end at once while another process writes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - <<'PYTHON'
import npy, random
def save(name, count, seed):
    numbers = random.Random(seed).choices([index / 64 for index in range(-64, 64)], k=count * 32)
    npy.save(name, (count, 32), numbers)
    with open(name.replace(".npy", ".csv"), "w") as file:
        file.write("half,gene\n")
        file.writelines(f"{'ab'[row % 2]},g{row % 50}\n" for row in range(count))
save("first.npy", 2000, 1)
save("second.npy", 20000, 2)
PYTHON
expect_exit 0 cellvec import first.npy --db db --space s --metadata first.csv --quiet
before=$(stat --format %s db/data.mdb)

# What one process reads is of one commit: an export's two files have the same cells, `stats` counts as many records as
# cells. A reader whose file was replaced while it opened it is told so, with status 69, and nothing else.
cat >reader.sh <<'SCRIPT'
name=$1 reads=0
counts='"cells":([0-9]+),.*"entries":\1,"kind":"table","name":"cells"'
fail() {
  echo "$1"
  exit 1
}
while [[ -e writing ]]; do
  status=0
  if ((reads % 2)); then
    "$CELLVEC" export --db db --space s --vectors "$name.npy" --metadata "$name.csv" --quiet 2>"$name.err" || status=$?
    if ((status == 0)); then
      vectors=$((($(stat --format %s "$name.npy") - 128) / 128)) lines=$(wc -l <"$name.csv")
      ((vectors + 1 == lines)) || fail "$vectors vectors, $lines lines"
    fi
  else
    "$CELLVEC" stats --db db --json >"$name.json" 2>"$name.err" || status=$?
    if ((status == 0)); then
      grep --quiet -E "$counts" "$name.json" || fail "$(cat "$name.json")"
    fi
  fi
  if ((status != 0)); then
    ((status == 69)) && grep --quiet 'was given a new file' "$name.err" || fail "status $status: $(cat "$name.err")"
  fi
  reads=$((reads + 1))
done
echo "$reads"
SCRIPT
touch writing
readers=()
for reader in 1 2 3 4 5 6 7 8; do
  bash reader.sh "reader$reader" >"reader$reader.out" 2>&1 &
  readers+=($!)
done
expect_exit 0 cellvec import second.npy --db db --space s --metadata second.csv --quiet
expect_equal "the file has grown" "$(($(stat --format %s db/data.mdb) > 4 * before))" 1
for half in a b; do
  expect_exit 0 cellvec delete --db db --where "half = '$half' AND gene != 'g7'" --yes --quiet
  expect_exit 0 cellvec compact --db db
  expect_exit 0 cellvec update --db db --set "round=$half" --where "gene = 'g7'" --quiet
done
rm writing
reads=0
for index in "${!readers[@]}"; do
  wait "${readers[index]}"
  status=$?
  said=$(sed 's/^[1-9][0-9]*$/some/' "reader$((index + 1)).out")
  expect_equal "reader $index saw whole commits only, and went on" "$status $said" "0 some"
  reads=$((reads + $(tail -n 1 "reader$((index + 1)).out")))
done
echo "$reads reads beside the writer"
expect_exit 0 cellvec list --db db --csv
expect_lines 441
expect_exit 0 cellvec check --db db

# A reader that is stopped in its transaction keeps neither writer nor compaction waiting, and ends with what it began
# with.
expect_exit 0 cellvec import second.npy --db other --space s --metadata second.csv --quiet
mkfifo pipe
"$CELLVEC" list --db other --csv >pipe 2>stopped.err &
reader=$!
exec 8<pipe
read -r _ <&8
kill -STOP "$reader"
before=$(stat --format %s other/data.mdb)
expect_exit 0 cellvec delete --db other --where "half = 'a'" --yes --quiet
expect_exit 0 cellvec compact --db other
expect_equal "the file is smaller, while the reader is stopped" "$(($(stat --format %s other/data.mdb) < before))" 1
expect_exit 0 cellvec update --db other --set seen=1 --where "gene = 'g7'" --quiet
expect_exit 0 cellvec list --db other --csv
expect_lines 10001
kill -CONT "$reader"
expect_equal "the reader goes on with all cells" "$(wc -l <&8)" 20000
wait "$reader"
expect_equal "and ends well" "$? $(cat stopped.err)" "0 "
exec 8<&-
expect_exit 0 cellvec check --db other

# While another process writes, whatever writes ends at once with status 75 where it is told not to wait; others do not
# mind.
exec 7<>db/writer.lock
flock 7
while read -r verb; do
  # shellcheck disable=SC2086 # a verb with its options
  expect_exit 75 cellvec $verb --db db --no-wait
done <<'VERBS'
import first.npy --space t
train --space s --labels half --ungrouped --save h
predict --head h
update --set seen=1 --where half='b'
update --metadata first.csv --join gene
delete --where half='b' --yes
fields rename half part
fields drop half --yes
spaces rename s t
spaces drop s --yes
merge other
compact
VERBS
expect_exit 0 cellvec backup copy --db db
expect_exit 0 cellvec check --db db
exec 7>&-
finish
