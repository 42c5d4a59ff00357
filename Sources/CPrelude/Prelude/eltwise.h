/* eltwise.h: sum with coefficients, product or maximum of several values of one shape. */
#ifndef SPARSEC_ELTWISE_H
#define SPARSEC_ELTWISE_H

#include "rows.h"

enum eltwise_operation { ELTWISE_PRODUCT, ELTWISE_SUM, ELTWISE_MAXIMUM };

struct eltwise_input {
  const float *x;
  int64_t row_pitch, plane_pitch; /* planes, height and width are the output's */
  float coefficient;              /* sums only */
};

struct eltwise {
  struct planes output;
  enum eltwise_operation operation;
  int64_t inputs;
  enum rectifier rectifier;
  float slope;
};

/* Caffe's maximum is `a > b ? a : b`, which keeps b when either is not a number; later inputs
 * replace the running maximum only when they are greater. */
ALWAYS_INLINE vector eltwise_joined(
  enum eltwise_operation operation, int64_t index, vector so_far, vector x, float coefficient
) {
  if (operation == ELTWISE_SUM) return coefficient * x + so_far;
  if (operation == ELTWISE_PRODUCT) return so_far * x;
  return index == 1 ? choose(so_far > x, so_far, x) : choose(x > so_far, x, so_far);
}

ALWAYS_INLINE vector eltwise_vector(
  const struct eltwise l, const struct eltwise_input *inputs, int64_t c, int64_t row, int64_t i,
  int64_t lanes
) {
  vector sum = {0};
  for (int64_t k = 0; k < l.inputs; k++) {
    const float *x = inputs[k].x + c * inputs[k].plane_pitch + row * inputs[k].row_pitch + i;
    vector v = lanes == LANES ? load(x) : load_partial(x, lanes);
    if (k == 0 && l.operation == ELTWISE_SUM)
      sum = inputs[0].coefficient * v;
    else
      sum = k == 0 ? v : eltwise_joined(l.operation, k, sum, v, inputs[k].coefficient);
  }
  return rectified(sum, l.rectifier, l.slope);
}

/* y may be one of the inputs, with the same layout. Split over planes, or over elements when the
 * value is a single dense row. */
ALWAYS_INLINE void eltwise(
  const struct eltwise l, const struct eltwise_input *inputs, float *y, int part, int parts
) {
  struct piece p = piece_of(l.output, l.output, part, parts);
  int64_t height = l.output.height, width = p.output.width;
  /* Rows with the same gaps are one long row with them: what is computed there is zeroed behind. */
  bool same = true;
  for (int64_t k = 0; k < l.inputs; k++) same &= inputs[k].row_pitch == l.output.row_pitch;
  if (same) {
    width += (height - 1) * l.output.row_pitch;
    height = 1;
  }
  for (int64_t c = p.first; c < p.end; c++)
    for (int64_t row = 0; row < height; row++) {
      float *to = y + c * l.output.plane_pitch + row * l.output.row_pitch;
      int64_t i = p.shift, end = p.shift + width;
      for (; i + LANES <= end; i += LANES)
        store(to + i, eltwise_vector(l, inputs, c, row, i, LANES));
      if (i < end) store_partial(to + i, eltwise_vector(l, inputs, c, row, i, end - i), end - i);
    }
  zero_halo_of_planes(l.output, y, p.first, p.end);
}

#endif
