/* product.h: the dense micro-kernel where all outputs read the same columns.
 *
 * For a run of outputs and a band of positions q,
 *     y[m*pitch + q] = start + sum over k of weights[m][k] * x[offsets[k] + q].
 * Outputs come in blocks of BLOCK_OUTPUTS (the last one may have fewer). One tile of positions is taken for
 * all of them before the next: what it reads of x stays in the first-level cache, and weights pass by.
 * Where few vectors of positions are left, a tile takes several blocks, so that there are always enough sums
 * that do not wait for each other.
 */
#ifndef SPARSEC_PRODUCT_H
#define SPARSEC_PRODUCT_H

#include "vector.h"

/* Weights of a block beside an input and PRODUCT_VECTORS times as many sums: all registers. */
#define PRODUCT_VECTORS 4
#ifndef BLOCK_OUTPUTS
#if LANES == 16 && defined(__AVX512F__)
#define BLOCK_OUTPUTS 6
#else
#define BLOCK_OUTPUTS 3
#endif
#endif

struct product {
  const int32_t *offsets; /* one for each k */
  int64_t columns;        /* number of k */
  int64_t pitch;          /* from one output of y to the next */
  bool go_on;             /* sums go on from y, plus the bias */
  enum rectifier rectifier;
  float slope;
};

/* sum[m][p] += the products of all columns. The outputs are those of `blocks` blocks. */
ALWAYS_INLINE void multiply_columns(
  const int outputs, const int blocks, const int P, const struct product *product,
  const float *weights, const float *x, vector sum[][PRODUCT_VECTORS]
) {
  const int64_t columns = product->columns, of_block = columns * outputs;
  const int32_t *offset = product->offsets, *end = offset + columns;
#pragma clang loop unroll_count(2)
  for (; offset < end; offset++, weights += outputs) {
    const float *row = x + *offset;
    if (P > 2) {
      /* Inputs come one by one and weights stay: compilers would rather fetch all inputs first and keep
       * sums in memory, so the next address waits for these sums. */
      vector weight[BLOCK_OUTPUTS];
#pragma clang loop unroll(full)
      for (int m = 0; m < outputs; m++) weight[m] = broadcast(weights[m]);
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) {
        const vector input = load(row + p * LANES);
#pragma clang loop unroll(full)
        for (int m = 0; m < outputs; m++) {
          sum[m][p] += weight[m] * input;
          IN_ORDER(row, sum[m][p]);
        }
      }
    } else {
      vector input[PRODUCT_VECTORS];
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) input[p] = load(row + p * LANES);
#pragma clang loop unroll(full)
      for (int m = 0; m < blocks * outputs; m++)
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++)
          sum[m][p] += weights[m / outputs * of_block + m % outputs] * input[p];
    }
  }
}

/* One tile: P vectors of the outputs of `blocks` blocks; the last vector stores `lanes` lanes. */
ALWAYS_INLINE void product_tile(
  const int outputs, const int blocks, const int P, const struct product *product,
  const float *weights, const float *bias, const float *x, float *y, int64_t lanes
) {
  const int M = outputs * blocks;
  const int64_t pitch = product->pitch;
  vector sum[4 * BLOCK_OUTPUTS][PRODUCT_VECTORS];
#pragma clang loop unroll(full)
  for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      if (product->go_on)
        sum[m][p] = load(y + m * pitch + p * LANES);
      else
        sum[m][p] = broadcast(bias[m]);
    }
  if (product->go_on && bias) {
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] += bias[m];
  }
  multiply_columns(outputs, blocks, P, product, weights, x, sum);
  if (product->rectifier != RECTIFIER_NONE) {
    const float slope = product->slope;
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] = rectified(sum[m][p], RECTIFIER_RELU, slope);
  }
#pragma clang loop unroll(full)
  for (int m = 0; m < M; m++, y += pitch) {
#pragma clang loop unroll(full)
    for (int p = 0; p < P - 1; p++) store(y + p * LANES, sum[m][p]);
    if (lanes == LANES)
      store(y + (P - 1) * LANES, sum[m][P - 1]);
    else
      store_partial(y + (P - 1) * LANES, sum[m][P - 1], lanes);
  }
}

/* Tiles of P vectors for `outputs` outputs: several blocks at a time while there are, then single ones, then
 * what is left of a block. One function for each P, shared by all layers of a network. */
#define PRODUCT(P, TOGETHER)                                                                     \
  SHARED void product_##P(                                                                       \
    const struct product *product, int64_t outputs, const float *weights, const float *bias,     \
    const float *x, float *y, int64_t lanes                                                      \
  ) {                                                                                            \
    int64_t m = 0;                                                                               \
    for (; m + (TOGETHER) * BLOCK_OUTPUTS <= outputs; m += (TOGETHER) * BLOCK_OUTPUTS)           \
      PRODUCT_TILE(BLOCK_OUTPUTS, TOGETHER, P);                                                  \
    if ((TOGETHER) > 1)                                                                          \
      for (; m + BLOCK_OUTPUTS <= outputs; m += BLOCK_OUTPUTS) PRODUCT_TILE(BLOCK_OUTPUTS, 1, P); \
    switch (outputs - m) {                                                                       \
      case 1: PRODUCT_TILE(1, 1, P); break;                                                      \
      case 2: PRODUCT_TILE(2, 1, P); break;                                                      \
      case 3: if (BLOCK_OUTPUTS > 3) PRODUCT_TILE(3, 1, P); break;                               \
      case 4: if (BLOCK_OUTPUTS > 3) PRODUCT_TILE(4, 1, P); break;                               \
      case 5: if (BLOCK_OUTPUTS > 3) PRODUCT_TILE(5, 1, P); break;                               \
    }                                                                                            \
  }
#define PRODUCT_TILE(OUTPUTS, BLOCKS, P)                                                        \
  product_tile(                                                                                 \
    OUTPUTS, BLOCKS, P, product, weights + m * product->columns, bias ? bias + m : NULL, x,     \
    y + m * product->pitch, lanes                                                               \
  )
PRODUCT(1, 4)
PRODUCT(2, 2)
PRODUCT(3, 1)
PRODUCT(4, 1)

/* All of `count` positions. Weights by block: [k][outputs of the block]. */
SHARED void product_band(
  const struct product *product, int64_t outputs, const float *weights, const float *bias,
  const float *x, float *y, int64_t count
) {
  for (; count > (PRODUCT_VECTORS - 1) * LANES; count -= PRODUCT_VECTORS * LANES) {
    int64_t lanes = count - (PRODUCT_VECTORS - 1) * LANES;
    product_4(product, outputs, weights, bias, x, y, lanes < LANES ? lanes : LANES);
    x += PRODUCT_VECTORS * LANES;
    y += PRODUCT_VECTORS * LANES;
  }
  if (count > 2 * LANES)
    product_3(product, outputs, weights, bias, x, y, count - 2 * LANES);
  else if (count > LANES)
    product_2(product, outputs, weights, bias, x, y, count - LANES);
  else if (count > 0)
    product_1(product, outputs, weights, bias, x, y, count);
}

#endif
