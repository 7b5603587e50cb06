# What the stories share: expectations of exit status and output, counted and printed one a line.
# Sourced by NN-name.sh; each story runs in an empty folder with the program's path in CELLVEC.
# shellcheck shell=bash
set -uo pipefail

: "${CELLVEC:?the path of the program under test}"
unset CELLVEC_DB
# The user's own models and cache are none of a story's.
export XDG_DATA_HOME=$PWD/.data CELLVEC_CACHE=$PWD/.cache
# Scripts of a story import tools/npy.py, and leave no byte code there.
PYTHONPATH=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tools" && pwd)
export PYTHONPATH PYTHONDONTWRITEBYTECODE=1
_number=0
_failed=0
_out=$PWD/.stdout
_err=$PWD/.stderr
_status=0

cellvec() { "$CELLVEC" "$@"; }

# ok NAME / not_ok NAME: one line for a check; a failed one shows what the last command said.
ok() {
  _number=$((_number + 1))
  printf 'ok %d - %s\n' "$_number" "$1"
}

not_ok() {
  _number=$((_number + 1))
  _failed=$((_failed + 1))
  printf 'not ok %d - %s\n' "$_number" "$1"
  [[ -n ${2-} ]] && printf '  %s\n' "$2"
  sed 's/^/  stdout: /' "$_out" | head -n 20
  sed 's/^/  stderr: /' "$_err" | head -n 20
}

# expect_exit STATUS COMMAND...: runs the command; what it writes is kept for the expectations that follow.
expect_exit() {
  local expected=$1
  shift
  _status=0
  "$@" >"$_out" 2>"$_err" </dev/null || _status=$?
  if ((_status == expected)); then
    ok "exit $expected: $*"
  else
    not_ok "exit $expected: $*" "found exit $_status"
  fi
}

# expect_stdout REGEX, expect_stderr REGEX: some line of the last command's output matches.
expect_stdout() {
  if grep --quiet --extended-regexp -e "$1" "$_out"; then ok "stdout: $1"; else not_ok "stdout: $1"; fi
}

expect_stderr() {
  if grep --quiet --extended-regexp -e "$1" "$_err"; then ok "stderr: $1"; else not_ok "stderr: $1"; fi
}

# expect_lines COUNT: the number of lines on stdout.
expect_lines() {
  local found
  found=$(wc -l <"$_out")
  if ((found == $1)); then ok "$1 lines"; else not_ok "$1 lines" "found $found"; fi
}

expect_silence() {
  if [[ ! -s $_err ]]; then ok "nothing on stderr"; else not_ok "nothing on stderr"; fi
}

# expect_json: every line of stdout is a JSON document.
expect_json() {
  local line bad=""
  while IFS= read -r line; do
    python3 -m json.tool >/dev/null 2>&1 <<<"$line" || bad=$line
  done <"$_out"
  if [[ -s $_out && -z $bad ]]; then ok "JSON on every line"; else not_ok "JSON on every line" "$bad"; fi
}

# expect_equal NAME LEFT RIGHT
expect_equal() {
  if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1" "\"$2\" is not \"$3\""; fi
}

# wait_until_it_listens PROCESS: until Ctrl-C is a request to the program.
wait_until_it_listens() {
  until ((0x$(awk '/^SigCgt/ {print $2}' "/proc/$1/status") & 2)); do kill -0 "$1" || break; done
}

# A database "db" of 40 imported vectors of dimension 4 with genes, labels and numbers, made without images.
make_small_database() {
  python3 - <<'PYTHON'
import npy
numbers = [(1 if i % 2 else -1) * (1 + (i * 7 % 11) / 50) if j == 0 else (i * (j + 3) % 13) / 40
           for i in range(40) for j in range(4)]
npy.save("vectors.npy", (40, 4), numbers)
with open("cells.csv", "w") as file:
    file.write("gene,localization,area,remark\n")
    for i in range(40):
        label = "" if i >= 36 else "er;golgi" if i % 2 else "nucleus"
        file.write(f'G{i // 4},{label},{100 + i},"a, ""b"""\n')
PYTHON
  cellvec import vectors.npy --db db --space s --metadata cells.csv --type localization=list --quiet >/dev/null
}

# Files of vectors in 50 clusters, of dimension 16: base.npy (12,000) with base.csv, of fields plate (P0 to P3), dose (0 to
# 99) and cluster, and more.npy and queries.npy of as many as is said.
make_clustered_files() {
  python3 - "$@" <<'PYTHON'
import random
import sys
import npy
random.seed(1)
centres = [[random.gauss(0, 1) for _ in range(16)] for _ in range(50)]
def save(name, count):
    clusters = [random.randrange(50) for _ in range(count)]
    npy.save(f"{name}.npy", (count, 16), (x + random.gauss(0, 0.4) for cluster in clusters for x in centres[cluster]))
    return clusters
with open("base.csv", "w") as table:
    table.write("plate,dose,cluster\n")
    table.writelines(f"P{i % 4},{i % 100},{cluster}\n" for i, cluster in enumerate(save("base", 12000)))
save("more", int(sys.argv[1]))
save("queries", int(sys.argv[2]))
PYTHON
}

# Ends the story: status 1 when an expectation failed.
finish() {
  printf '%d checks, %d failed\n' "$_number" "$_failed"
  exit $((_failed > 0))
}
