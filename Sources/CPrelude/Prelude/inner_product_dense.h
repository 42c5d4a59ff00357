/* inner_product_dense.h: y = W x + b for one item, at the speed at which memory delivers W. */
#ifndef SPARSEC_INNER_PRODUCT_DENSE_H
#define SPARSEC_INNER_PRODUCT_DENSE_H

#include "vector.h"

/* Caffe's own weight order: weights[output*inputs + input]; x and y are contiguous. */
struct inner_product_dense {
  int64_t outputs, inputs;
  enum rectifier rectifier;
  float slope;
};

/* ROWS rows at once, at most 6: their streams hide memory latency and share the loads of x.
 * Prefetching by hand only disturbs the hardware's own (measured on Zen 3). */
ALWAYS_INLINE void dense_rows(
  const int ROWS, struct inner_product_dense p, const float *x, const float *weights,
  const float *bias, float *y
) {
  vector sum[12] = {{0}};
  int64_t i = 0;
  for (; i + 2 * LANES <= p.inputs; i += 2 * LANES)
#pragma clang loop unroll(full)
    for (int row = 0; row < ROWS; row++) {
      const float *w = weights + row * p.inputs + i;
      sum[2 * row] += load(w) * load(x + i);
      sum[2 * row + 1] += load(w + LANES) * load(x + i + LANES);
    }
  for (; i < p.inputs; i += LANES) {
    int64_t n = p.inputs - i;
#pragma clang loop unroll(full)
    for (int row = 0; row < ROWS; row++) {
      const float *w = weights + row * p.inputs + i;
      if (n >= LANES)
        sum[2 * row] += load(w) * load(x + i);
      else
        sum[2 * row] += load_partial(w, n) * load_partial(x + i, n);
    }
  }
#pragma clang loop unroll(full)
  for (int row = 0; row < ROWS; row++) {
    float total = sum_of_lanes(sum[2 * row] + sum[2 * row + 1]) + (bias ? bias[row] : 0);
    y[row] = rectified_scalar(total, p.rectifier, p.slope);
  }
}

SHARED void inner_product_rows(
  struct inner_product_dense p, const float *x, const float *weights, const float *bias, float *y,
  int64_t first, int64_t end
) {
  int64_t row = first;
  for (; row + 6 <= end; row += 6)
    dense_rows(6, p, x, weights + row * p.inputs, bias ? bias + row : NULL, y + row);
  for (; row + 2 <= end; row += 2)
    dense_rows(2, p, x, weights + row * p.inputs, bias ? bias + row : NULL, y + row);
  for (; row < end; row++)
    dense_rows(1, p, x, weights + row * p.inputs, bias ? bias + row : NULL, y + row);
}

/* bias may be NULL. Split over outputs. */
ALWAYS_INLINE void inner_product_dense(
  const struct inner_product_dense p, const float *x, const float *weights, const float *bias,
  float *y, int part, int parts
) {
  int64_t first = part_start(p.outputs, part, parts), end = part_start(p.outputs, part + 1, parts);
  inner_product_rows(p, x, weights, bias, y, first, end);
}

#endif
