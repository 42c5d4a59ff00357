/* border_bias.h: adds to every channel a bias that depends on the place in the image, as constant
 * channels leave it behind a convolution with zero padding: the same in the middle, other values
 * towards the borders. */
#ifndef SPARSEC_BORDER_BIAS_H
#define SPARSEC_BORDER_BIAS_H

#include "planes.h"

/* One row of an image, its place and what need not be touched. */
struct border_row {
  int32_t bias;                   /* where its bias begins among those of its channel */
  int32_t quiet_begin, quiet_end; /* columns that stay as they are; read only when x == y */
};

struct border_bias {
  struct planes input, output;
  int64_t channels;      /* plane c takes the bias of channel c % channels */
  int64_t channel_pitch; /* floats of bias for each channel */
  enum rectifier rectifier;
  float slope;
};

/* y = f(x + bias) for `n` elements of a row. */
ALWAYS_INLINE void add_to_row(
  const struct border_bias l, const float *x, const float *bias, float *y, int64_t n
) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store(y + i, rectified(load(x + i) + load(bias + i), l.rectifier, l.slope));
  if (n - i > 2) {
    vector sum = load_partial(x + i, n - i) + load_partial(bias + i, n - i);
    store_partial(y + i, rectified(sum, l.rectifier, l.slope), n - i);
    return;
  }
  /* A border of one or two columns: masked accesses would cost more. */
  if (i < n) y[i] = rectified_scalar(x[i] + bias[i], l.rectifier, l.slope);
  if (i + 1 < n) y[i + 1] = rectified_scalar(x[i + 1] + bias[i + 1], l.rectifier, l.slope);
}

/* `rows` has one entry per row of a plane; bias is [channel][class of rows][column]. x and y may be
 * the same; then quiet columns are left alone (their bias is zero and there is no rectifier), and
 * so is the halo. Split over planes. */
ALWAYS_INLINE void border_bias(
  const struct border_bias l, const float *x, const struct border_row *rows, const float *bias,
  float *y, int part, int parts
) {
  int64_t first = part_start(l.output.planes, part, parts);
  int64_t end = part_start(l.output.planes, part + 1, parts), width = l.output.width;
  for (int64_t c = first; c < end; c++) {
    const float *channel = bias + c % l.channels * l.channel_pitch;
    for (int64_t row = 0; row < l.output.height; row++) {
      const float *from = x + c * l.input.plane_pitch + row * l.input.row_pitch;
      float *to = y + c * l.output.plane_pitch + row * l.output.row_pitch;
      const float *add = channel + rows[row].bias;
      if (x != y) {
        add_to_row(l, from, add, to, width);
        continue;
      }
      int64_t right = rows[row].quiet_end;
      add_to_row(l, from, add, to, rows[row].quiet_begin);
      add_to_row(l, from + right, add + right, to + right, width - right);
    }
  }
  if (x != y) zero_halo_of_planes(l.output, y, first, end);
}

#endif
