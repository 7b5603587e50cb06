# Sourced by benches that compare with other libraries: make_venv FOLDER REQUIREMENTS makes Python's environment with
# these packages, unless the folder has them already, and names it in $venv.
# shellcheck shell=bash

make_venv() {
  local requirements=$2
  venv=$1
  if cmp --silent "$requirements" "$venv/installed.txt"; then return; fi
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$venv/installed.txt"
}
