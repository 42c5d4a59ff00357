/* scale.h: y = x * scale + bias, with factors broadcast over the other axes (Scale, Bias,
 * BatchNorm). */
#ifndef SPARSEC_SCALE_H
#define SPARSEC_SCALE_H

#include "rows.h"

struct scale {
  struct planes input, output;
  int64_t factor_count;
  enum rectifier rectifier;
  float slope;
};

struct scale_constants {
  const float *scale, *bias;
  struct scale l;
};

ALWAYS_INLINE vector scaled_plane(vector x, int64_t plane, const void *constants) {
  const struct scale_constants *s = constants;
  int64_t i = plane % s->l.factor_count;
  vector v = x;
  if (s->scale && s->bias)
    v = x * s->scale[i] + s->bias[i];
  else if (s->scale)
    v = x * s->scale[i];
  else if (s->bias)
    v = x + s->bias[i];
  return rectified(v, s->l.rectifier, s->l.slope);
}

/* Factor plane % factor_count for each plane. scale and bias may be NULL; x and y the same. A dense
 * (outer, factors, inner) value has outer*factors planes of one row of `inner`. Split over planes.
 */
ALWAYS_INLINE void scale_planes(
  const struct scale l, const float *x, const float *scale, const float *bias, float *y, int part,
  int parts
) {
  struct scale_constants constants = {scale, bias, l};
  int64_t first = part_start(l.output.planes, part, parts);
  int64_t end = part_start(l.output.planes, part + 1, parts);
  map_rows(l.input, x, l.output, y, first, end, scaled_plane, &constants);
}

/* One factor for each element of a row: dense values (rows, columns), factors[columns]. scale and
 * bias may be NULL; x and y the same. Split over rows. */
ALWAYS_INLINE void scale_rows(
  int64_t rows, int64_t columns, const float *x, const float *scale, const float *bias, float *y,
  int part, int parts
) {
  int64_t end = part_start(rows, part + 1, parts);
  for (int64_t row = part_start(rows, part, parts); row < end; row++)
    for (int64_t i = 0; i < columns; i++) {
      float v = x[row * columns + i];
      if (scale) v *= scale[i];
      if (bias) v += bias[i];
      y[row * columns + i] = v;
    }
}

#endif
