#!/usr/bin/env bash
# A model gives the same vectors, up to rounding, on every instruction set; a set that the machine lacks is refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset CELLVEC_ISA

cellvec models seed tiny.safetensors --width 96 --depth 4 --patch 8 --image-size 32 --inputs a,b --quiet
python3 - <<'PYTHON'
import npy, random
values = random.Random(0)
npy.save("x.npy", (3, 2, 48, 40), (values.gauss(0, 1) for _ in range(3 * 2 * 48 * 40)))
PYTHON

best=$(cellvec models time --backbone tiny.safetensors --size 32 --seconds 0 --json |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["instruction_set"])')
embed() { # SET PRECISION
  cellvec models embed --backbone tiny.safetensors --input x.npy --output "$1.$2.npy" --pooling class-mean --precision "$2"
}

names=(portable avx2 avx512 avx512-vnni avx512-bf16 amx)
runs=()
known=true
for name in "${names[@]}"; do
  if $known; then
    runs+=("$name")
    for precision in float32 bfloat16 int8; do CELLVEC_ISA=$name expect_exit 0 embed "$name" "$precision"; done
  else
    CELLVEC_ISA=$name expect_exit 64 embed "$name" float32
  fi
  if [[ $name == "$best" ]]; then known=false; fi
done

# float32: the order of additions differs in the lanes of a sum, which costs some units in the last place of vectors of
# unit scale. bfloat16: the cosine that the precision promises. int8: whole numbers are summed exactly, but what is made
# of them may round to the next step.
cat >compare.py <<'PYTHON'
import array, math, sys
def vectors(path):
    with open(path, "rb") as file:
        data = file.read()[128:]
    return array.array("f", data)
expected, whole = vectors("portable.float32.npy"), vectors("portable.int8.npy")
def difference(path):
    return max(abs(a - b) for a, b in zip(vectors(path), expected, strict=True))
def cosine(path, expected=expected):
    found, width = vectors(path), len(expected) // 3
    def one(a, b):
        return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return min(one(found[i:i + width], expected[i:i + width]) for i in range(0, len(expected), width))
name = sys.argv[1]
print(len(expected), difference(f"{name}.float32.npy") <= 1e-5, cosine(f"{name}.bfloat16.npy") >= 0.9999,
      cosine(f"{name}.int8.npy", whole) >= 0.9995)
print(name, difference(f"{name}.float32.npy"), cosine(f"{name}.bfloat16.npy"), cosine(f"{name}.int8.npy", whole), file=sys.stderr)
PYTHON
for name in "${runs[@]}"; do
  expect_exit 0 python3 compare.py "$name"
  expect_equal "$name gives the vectors of portable" "$(cat .stdout)" "576 True True True"
done

listed=$(printf '%s, ' "${runs[@]}")
CELLVEC_ISA=neon expect_exit 64 cellvec models
expect_stderr "^cellvec: CELLVEC_ISA: expected an instruction set of this machine \\(${listed%, }\\), found \"neon\"; unset it to use the best$"
expect_equal "nothing was begun" "$(cat .stdout)" ""
CELLVEC_ISA=AVX2 expect_exit 64 embed none float32
expect_equal "no file was written" "$(ls none.float32.npy 2>&1 | grep -c 'No such file')" 1
CELLVEC_ISA='' expect_exit 0 cellvec models
finish
