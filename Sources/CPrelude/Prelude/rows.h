/* rows.h: applies a function of vectors to every element of one or several planes values. */
#ifndef SPARSEC_ROWS_H
#define SPARSEC_ROWS_H

#include "planes.h"

/* What the function is given besides x: `plane` is the element's plane, `constants` its layer's. */
typedef vector row_function(vector x, int64_t plane, const void *constants);

/* y[...] = f(x[...]) for planes [first, end), and zeroes the halo of y. x and y may be the same. */
ALWAYS_INLINE void map_rows(
  struct planes input, const float *x, struct planes output, float *y, int64_t first, int64_t end,
  row_function *f, const void *constants
) {
  int64_t height = output.height, width = output.width;
  /* Rows with the same gaps are one long row with them: what is computed there is zeroed behind. */
  if (input.row_pitch == output.row_pitch) {
    width += (height - 1) * input.row_pitch;
    height = 1;
  }
  for (int64_t c = first; c < end; c++)
    for (int64_t row = 0; row < height; row++) {
      const float *from = x + c * input.plane_pitch + row * input.row_pitch;
      float *to = y + c * output.plane_pitch + row * output.row_pitch;
      int64_t i = 0;
      for (; i + LANES <= width; i += LANES) store(to + i, f(load(from + i), c, constants));
      int64_t n = width - i;
      if (n > 0) store_partial(to + i, f(load_partial(from + i, n), c, constants), n);
    }
  zero_halo_of_planes(output, y, first, end);
}

/* The planes of one part. A single plane of one row (a dense value) is cut into pieces instead. */
struct piece {
  int64_t first, end; /* planes */
  int64_t shift;      /* floats to add to x and y */
  struct planes input, output;
};

ALWAYS_INLINE struct piece piece_of(
  struct planes input, struct planes output, int part, int parts
) {
  struct piece p = {0, output.planes, 0, input, output};
  bool halo = has_gap_halo(output) || output.top > 0 || output.bottom > 0;
  if (output.planes == 1 && output.height == 1 && !halo) {
    /* Whole cache lines, so that parts do not share one. */
    int64_t lines = (output.width + 15) / 16;
    int64_t begin = part_start(lines, part, parts) * 16;
    int64_t stop = part_start(lines, part + 1, parts) * 16;
    if (stop > output.width) stop = output.width;
    p.shift = begin;
    p.input.width = p.output.width = stop > begin ? stop - begin : 0;
    p.input.row_pitch = p.output.row_pitch = p.output.width;
  } else {
    p.first = part_start(output.planes, part, parts);
    p.end = part_start(output.planes, part + 1, parts);
  }
  return p;
}

#endif
