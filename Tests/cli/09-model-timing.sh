#!/usr/bin/env bash
# How fast a model embeds, as a reader and as a script see it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cellvec models seed tiny.safetensors --width 32 --depth 1 --patch 8 --image-size 32 --inputs a,b,c --quiet
time_tiny() { cellvec models time --backbone tiny.safetensors "$@"; }
fact() { python3 -c "import json; facts = json.load(open('.stdout')); print($1)"; }

expect_exit 0 time_tiny --size 32 --seconds 0 --batch 2 --threads 1
expect_silence
expect_stdout '^architecture +ViT-32x1/8$'
expect_stdout '^instruction set +(portable|avx[0-9a-z-]+)$'
expect_stdout '^images +32 x 32 px, 2 a batch, pooling class$'
expect_stdout '^images/s +[0-9.]+ in the median, [0-9.]+ at best$'
expect_stdout '^precision +(float32|bfloat16)$'
expect_stdout '^peak memory +[0-9.]+ MB$'
expect_exit 0 env CELLVEC_ISA=portable "$CELLVEC" models time --backbone tiny.safetensors --size 32 --seconds 0
expect_stdout '^instruction set +portable$'

expect_exit 0 time_tiny --size 32 --seconds 0 --batch 3 --pooling class-mean --json
expect_json
expect_equal "no seconds are one round" "$(fact 'facts["rounds"]')" 1
expect_equal "what was asked for" "$(fact 'facts["batch"], facts["size_px"], facts["pooling"]')" "3 32 class-mean"
expect_equal "times and rates are positive" "$(fact 'facts["load_seconds"] > 0 and facts["warm_up_seconds"] > 0
  and facts["images_per_second"]["best"] >= facts["images_per_second"]["median"] > 0')" True
expect_equal "memory is more than the weights" "$(fact 'facts["peak_byte_count"] > 100_000')" True
expect_exit 0 time_tiny --size 32 --seconds 0.05 --json
expect_equal "more seconds are more rounds" "$(fact 'facts["rounds"] > 1')" True

expect_exit 0 time_tiny --size 32 --seconds 0 --precision bfloat16 --json
expect_equal "the precision that was asked for" "$(fact 'facts["precision"]')" bfloat16
expect_exit 0 time_tiny --size 32 --seconds 0 --precision int8 --json
expect_equal "the precision that was asked for" "$(fact 'facts["precision"]')" int8
expect_exit 64 time_tiny --size 32 --seconds 0 --precision float16

expect_exit 66 cellvec models time --backbone none.safetensors
expect_exit 64 time_tiny --size 32 --seconds 0 --batch 0
expect_stderr '--batch: expected 1 to 4096, found 0'
expect_exit 64 time_tiny --seconds 0 --size 0
expect_exit 64 time_tiny --size 32 --seconds -1
expect_exit 64 time_tiny --size 32 --seconds nan
expect_exit 64 time_tiny --seconds 0 --size 4
expect_stderr 'smaller than the model.s patch of 8 px'
expect_exit 64 time_tiny --seconds 0 --size 16384 --batch 4096
expect_stderr '^cellvec: a batch of 4096 images of 3 x 16384 x 16384: expected at most 268435456 numbers, '
expect_exit 64 time_tiny --size 32 --seconds 0 --pooling attention
finish
