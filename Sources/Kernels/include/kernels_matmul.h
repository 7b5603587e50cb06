#ifndef KERNELS_MATMUL_H
#define KERNELS_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels_isa.h"

// Products of activations with packed weights, and what a transformer does to a product before it stores it.
//
// What is multiplied comes in words of 32 bits: one float32, two bfloat16, or four 8-bit numbers (activations
// unsigned, weights signed), summed in float32 or, for 8 bits, exactly in int32. Weights are packed into panels of
// kernels_panel_columns(isa) outputs: [panels][words][columns], so that the inner loop reads memory in order. Rows of
// activations are a whole number of words; where the inputs do not fill the last word, both sides hold zeros.
//
// An output is one sum over all inputs in order, kept in a register. So a row's result does not depend on the other
// rows. Instruction sets differ in the last bits.
typedef enum { KERNELS_F32 = 0, KERNELS_BF16 = 1, KERNELS_I8 = 2 } kernels_number;

// Numbers in a word: 1, 2, 4. Bytes of a row of activations with so many inputs, whole words.
size_t kernels_numbers_per_word(kernels_number number);
size_t kernels_row_bytes(kernels_number number, size_t inputs);

// Outputs of one panel: 8, 16 or 32.
size_t kernels_panel_columns(kernels_isa isa);
size_t kernels_panels(kernels_isa isa, size_t outputs);
// Bytes of all panels of a product.
size_t kernels_panel_bytes(kernels_isa isa, kernels_number number, size_t inputs, size_t outputs);

// Packs weights [outputs, inputs]. Rows lie `stride` floats apart. bfloat16 is rounded to nearest even; I8 rounds
// weight / scale[output] to -127...127.
void kernels_pack(kernels_isa isa, kernels_number number, const float *weights, size_t stride, size_t inputs,
                  size_t outputs, const float *scale, void *panels);

// A packed product. `bias`, `scale`, `sums` and `factors` have room for whole panels.
typedef struct {
  kernels_number number;
  size_t inputs;
  size_t outputs;
  const void *panels;
  // [outputs], or NULL.
  const float *bias;
  // I8 only: what one step of a weight stands for [outputs], and the sum of an output's weights [outputs].
  const float *scale;
  const int32_t *sums;
  // I8 only: what KERNELS_GELU multiplies its results by [outputs], or NULL.
  const float *factors;
} kernels_product;

// What is done to a product p = x W^T + bias.
typedef enum {
  KERNELS_STORE = 0,    // out = p
  KERNELS_GELU = 1,     // out = gelu(p); for bfloat16 results by a polynomial with an error of 5e-5
  KERNELS_RESIDUAL = 2  // out += p, float32 only
} kernels_ending;

// What one step of an 8-bit activation stands for, and the number that stands for 0: one a row.
typedef struct {
  float scale;
  int32_t zero;
} kernels_step;

// Applies a product to `rows` rows that lie `stride` bytes apart, and writes `rows` rows to `out` that lie
// `out_stride` bytes apart.
//
//   steps   [rows] for I8, else NULL
//   result  KERNELS_F32 or KERNELS_BF16: the type of `out`
void kernels_matmul(kernels_isa isa, const kernels_product *product, const void *x, size_t stride, size_t rows,
                    const kernels_step *steps, kernels_ending ending, kernels_number result, void *out,
                    size_t out_stride);

// A stretch of memory that will be read or written soon.
typedef struct {
  const void *start;  // a multiple of 64: else the line of the last bytes may be left out
  size_t bytes;  // more than 0
} kernels_piece;

// Memory to ask for while products are made. A processor has some lines on their way at a time, and waits where it is asked
// for more: so a product asks for a few at a time. 64 vectors of 768 float32 numbers out of 100,000 and as much memory to
// pack them into, asked for beside four products for 17 outputs, cost these a tenth of their time; asked for between them,
// as much as waiting for the vectors does.
typedef struct {
  // [count], of which lines have been asked for up to `offset` of the first.
  const kernels_piece *pieces;
  size_t count;
  size_t offset;
  // Lines of 64 bytes that are asked for with each KERNELS_AHEAD_WORDS words of the sums of a tile, or those that are left.
  size_t lines;
} kernels_ahead;

enum { KERNELS_AHEAD_WORDS = 16 };

// Looks for the pages of all pieces, many of which are found at the same time: one by one, among products, each takes as
// long as two hundred of their instructions.
void kernels_begin_ahead(const kernels_ahead *ahead);

// How many times lines are asked for while a product of such a shape is made: exactly of float32, about so of others.
size_t kernels_matmul_turns(kernels_isa isa, kernels_number number, size_t inputs, size_t outputs, size_t rows);

// kernels_matmul with KERNELS_STORE and KERNELS_F32, which asks for memory meanwhile, and moves `ahead` on by what it has
// asked for; NULL asks for nothing.
void kernels_matmul_ahead(kernels_isa isa, const kernels_product *product, const void *x, size_t stride, size_t rows,
                          void *out, size_t out_stride, kernels_ahead *ahead);

// Rounds float32 to bfloat16, to nearest even; NaN stays NaN.
void kernels_round_bf16(kernels_isa isa, size_t count, const float *x, uint16_t *out);

#endif
