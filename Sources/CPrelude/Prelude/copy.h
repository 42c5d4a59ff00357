/* copy.h: copies of boxes of any rank, for Crop, Slice, Concat, Tile and transposed writes. */
#ifndef SPARSEC_COPY_H
#define SPARSEC_COPY_H

#include "vector.h"

#define MAX_AXES 32

/* y[sum i*y_stride] = x[sum i*x_stride] for all indices i below extent; strides in floats. x and y
 * point at index 0 and do not overlap. Slice, Crop: x points into the input, with its strides;
 * Concat: y points into the output; Tile: an axis of extent `tiles` with x_stride 0. Best when the
 * last axis has stride 1 on both sides; merge axes that touch before. Split over the axes before
 * the last. */
struct box_copy {
  int64_t axes; /* 1 .. MAX_AXES */
  int64_t extent[MAX_AXES], x_stride[MAX_AXES], y_stride[MAX_AXES];
};

SHARED void copy_rows_of_box(
  const struct box_copy *b, const float *x, float *y, int64_t first, int64_t end
) {
  int64_t last = b->axes - 1, n = b->extent[last];
  int64_t x_step = b->x_stride[last], y_step = b->y_stride[last];
  for (int64_t row = first; row < end; row++) {
    int64_t rest = row, from = 0, to = 0;
    for (int64_t axis = last - 1; axis >= 0; axis--) {
      int64_t i = rest % b->extent[axis];
      rest /= b->extent[axis];
      from += i * b->x_stride[axis];
      to += i * b->y_stride[axis];
    }
    if (x_step == 1 && y_step == 1)
      copy_floats(y + to, x + from, n);
    else
      for (int64_t i = 0; i < n; i++) y[to + i * y_step] = x[from + i * x_step];
  }
}

ALWAYS_INLINE void box_copy(
  const struct box_copy b, const float *x, float *y, int part, int parts
) {
  int64_t rows = 1;
  for (int64_t axis = 0; axis < b.axes - 1; axis++) rows *= b.extent[axis];
  copy_rows_of_box(&b, x, y, part_start(rows, part, parts), part_start(rows, part + 1, parts));
}

#endif
