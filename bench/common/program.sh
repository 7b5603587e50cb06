# Sourced by benches with a program of their own that calls the library: build_program SOURCE OUTPUT compiles it with
# the targets that it needs, outside the package's build. Module Reading has the loops of bench/scan/reading.h.
# shellcheck shell=bash

build_program() {
  local source=$1 output=$2 root modules kernel object module
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  modules=$(mktemp -d)
  local common=(-O -swift-version 6 -parse-as-library -package-name cellvec -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature MemberImportVisibility
    -I "$modules" -I "$root/Sources/Clmdb" -I "$root/Sources/Croaring" -I "$root/Sources/Cxxhash")
  {
    printf 'module Kernels { umbrella header "%s/Sources/Kernels/include/kernels.h" export * }\n' "$root"
    printf 'module Reading { header "%s/bench/scan/reading.h" export * }\n' "$root"
  } >"$modules/module.modulemap"
  local objects=() files=()
  for kernel in "$root"/Sources/Kernels/*.c; do
    object=$modules/$(basename "$kernel" .c).kernel.o
    clang -O3 -fno-math-errno -I "$root/Sources/Kernels/include" -c "$kernel" -o "$object"
    objects+=("$object")
  done
  for module in Faults Formats Identity Randomness Storage Query; do
    mapfile -t files < <(find "$root/Sources/$module" -name '*.swift' | sort)
    swiftc "${common[@]}" -wmo -module-name "$module" -emit-module -emit-module-path "$modules/$module.swiftmodule" \
      -c "${files[@]}" -o "$modules/$module.o"
    objects+=("$modules/$module.o")
  done
  swiftc "${common[@]}" -module-name Bench "$source" "${objects[@]}" -lm -o "$output"
  rm -rf "$modules"
}
