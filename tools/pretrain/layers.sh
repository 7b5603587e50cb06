# Shared by bundled and check.

# layer_channels FOLDER: the channels of a folder that `cellvec simulate --layers` made, as options of `cellvec crops`
# have them, a line each; the nucleus first.
layer_channels() {
  local file name
  echo "nucleus=*_nucleus.png"
  for file in "$1"/P1_A01_s1_*.png; do
    name=${file##*_s1_} name=${name%.png}
    [[ $name == nucleus || $name == mask ]] || echo "$name=*_$name.png"
  done
}
