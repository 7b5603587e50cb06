# Shared by the experiments on real images: finds the images, and chooses a backbone.
source "$(dirname "${BASH_SOURCE[0]}")/../common/lib.sh"

# images NAME: folder of a data set below $CELLVEC_IMAGES (default ../shared/data beside the repository).
images() {
  local folder=${CELLVEC_IMAGES:-$root/../shared/data}/$1
  if [[ ! -d $folder ]]; then
    echo "bench: no images at $folder; name their parent folder in CELLVEC_IMAGES" >&2
    exit 66
  fi
  echo "$folder"
}

# backbone: the weights named in $BACKBONE, a file or a model's name; the bundled ones by default.
backbone() {
  local weights=${BACKBONE:-cellvec-small-1}
  if [[ -e $weights ]]; then realpath "$weights"; else echo "$weights"; fi
}
