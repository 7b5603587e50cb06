#ifndef KERNELS_ATTENTION_H
#define KERNELS_ATTENTION_H

#include "kernels_matmul.h"

// Attention of one head: softmax(Q K^T / sqrt(width)) V, without a matrix of all scores. `number` is KERNELS_F32 or
// KERNELS_BF16, the type of queries, keys, values and results; the softmax is float32.

// Bytes of a head's packed keys and values.
size_t kernels_head_bytes(kernels_isa isa, kernels_number number, size_t tokens, size_t width);
// Bytes of scratch that kernels_attend needs.
size_t kernels_attend_bytes(kernels_isa isa, kernels_number number, size_t tokens, size_t width);

// Packs the keys and values [tokens, width] of a head; rows lie `stride` bytes apart.
void kernels_pack_head(kernels_isa isa, kernels_number number, const void *keys, const void *values, size_t stride,
                       size_t tokens, size_t width, void *head);

// Lets `rows` queries attend to a packed head. Rows of `queries` and `out` lie `stride` and `out_stride` bytes
// apart. A query's result does not depend on the others.
void kernels_attend(kernels_isa isa, kernels_number number, const void *queries, size_t stride, size_t rows,
                    const void *head, size_t tokens, size_t width, void *scratch, void *out, size_t out_stride);

#endif
