# Shared by the benches: a folder to work in, Python's modules, and `cellvec` on the PATH. CELLVEC=... measures that
# program; otherwise it is built first.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CELLVEC_CACHE=$work/cache PYTHONPATH=$root/bench:$root/tools PYTHONDONTWRITEBYTECODE=1

if [[ -n ${CELLVEC-} ]]; then
  mkdir "$work/bin"
  ln -s "$(realpath "$CELLVEC")" "$work/bin/cellvec"
  PATH=$work/bin:$PATH
else
  "$root/tools/setup" >&2
  swift build --package-path "$root" -c release --product cellvec >&2
  PATH="$(swift build --package-path "$root" -c release --show-bin-path):$PATH"
fi
