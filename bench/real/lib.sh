# Shared by the experiments on real images: builds cellvec, finds the images, and chooses a backbone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# images NAME: folder of a data set below $CELLVEC_IMAGES (default ../shared/data beside the repository).
images() {
  local folder=${CELLVEC_IMAGES:-$root/../shared/data}/$1
  if [[ ! -d $folder ]]; then
    echo "bench: no images at $folder; name their parent folder in CELLVEC_IMAGES" >&2
    exit 66
  fi
  echo "$folder"
}

"$root/tools/setup"
swift build --package-path "$root" -c release --product cellvec >&2
PATH="$(swift build --package-path "$root" -c release --show-bin-path):$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CELLVEC_CACHE=$work/cache

# backbone: the weights named in $BACKBONE, a file or a model's name; the bundled ones by default.
backbone() {
  local weights=${BACKBONE:-cellvec-small-1}
  if [[ -e $weights ]]; then realpath "$weights"; else echo "$weights"; fi
}
