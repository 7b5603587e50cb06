# Sourced by tools/fuzz/run and tools/fuzz/check in the root of the repository: the kernels that Storage calls.
# shellcheck shell=bash disable=SC2034
kernels=(Sources/Kernels/{codes,coarse,column,graph,isa,scalar}*.c)
