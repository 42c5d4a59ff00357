/* planes.h: values of rank 3 as planes with pitches and a halo of zeros; halo, repacking, phases.
 *
 * Element (plane, row, column) of a value at p lies at p + plane*plane_pitch + row*row_pitch +
 * column. Around a plane's elements may lie a halo: `top` and `bottom` rows, `left` and `right`
 * columns. The plane then occupies the flat positions
 *     -(top*row_pitch + left)  up to  (height-1+bottom)*row_pitch + width + right   (exclusive),
 * and every position of that range which is not an element holds zero. Rows share their gaps: the
 * columns right of a row are the left halo of the next, so row_pitch >= width + max(left, right) is
 * enough. plane_pitch must be at least the length of the range. Without halo nothing outside
 * the elements is ever written. Alignment is never needed, but pays: element (0, 0, 0) at a
 * multiple of 64 bytes and plane_pitch an odd multiple of 16 floats (so that planes spread over all
 * cache sets) save up to a quarter of a convolution's time. (Gap columns without halo may be
 * written with anything, when the value has row_pitch > width: they lie between the value's own
 * rows.)
 */
#ifndef SPARSEC_PLANES_H
#define SPARSEC_PLANES_H

#include "vector.h"

struct planes {
  int64_t planes, height, width;    /* elements */
  int64_t row_pitch, plane_pitch;   /* floats */
  int64_t top, bottom, left, right; /* halo, in rows and columns */
};

ALWAYS_INLINE bool has_gap_halo(struct planes v) { return v.left > 0 || v.right > 0; }

/* Zeroes what lies above the elements of one plane: top rows and the left halo of row 0. */
ALWAYS_INLINE void zero_above(struct planes v, float *plane) {
  int64_t n = v.top * v.row_pitch + v.left;
  if (n > 0) fill_floats(plane - n, n, 0);
}

/* Zeroes the gap between row `row` and the next; the last row has the halo's right columns and the
 * bottom rows behind it. */
ALWAYS_INLINE void zero_behind_row(struct planes v, float *plane, int64_t row) {
  float *end = plane + row * v.row_pitch + v.width;
  if (row == v.height - 1) {
    if (v.bottom > 0 || v.right > 0) fill_floats(end, v.bottom * v.row_pitch + v.right, 0);
  } else if (has_gap_halo(v)) {
    int64_t n = v.row_pitch - v.width;
    if (n == 1)
      *end = 0;
    else
      fill_floats(end, n, 0);
  }
}

SHARED void zero_halo_of_planes(struct planes v, float *p, int64_t first, int64_t end) {
  for (int64_t c = first; c < end; c++) {
    float *plane = p + c * v.plane_pitch;
    zero_above(v, plane);
    for (int64_t row = 0; row < v.height; row++) zero_behind_row(v, plane, row);
  }
}

/* Zeroes the halo of a value, leaving its elements alone. Split over planes. */
ALWAYS_INLINE void zero_halo(struct planes v, float *p, int part, int parts) {
  zero_halo_of_planes(
    v, p, part_start(v.planes, part, parts), part_start(v.planes, part + 1, parts)
  );
}

SHARED void repack_planes(
  struct planes from, const float *x, struct planes to, float *y, int64_t first, int64_t end
) {
  for (int64_t c = first; c < end; c++) {
    float *plane = y + c * to.plane_pitch;
    zero_above(to, plane);
    for (int64_t row = 0; row < to.height; row++) {
      const float *source = x + c * from.plane_pitch + row * from.row_pitch;
      copy_floats(plane + row * to.row_pitch, source, to.width);
      zero_behind_row(to, plane, row);
    }
  }
}

/* y = x in another layout, halo included; `from` and `to` have the same planes, height and width,
 * and do not overlap. Split over planes. */
ALWAYS_INLINE void repack(
  struct planes from, const float *x, struct planes to, float *y, int part, int parts
) {
  repack_planes(
    from, x, to, y, part_start(to.planes, part, parts), part_start(to.planes, part + 1, parts)
  );
}

/* How a strided layer's input is taken apart. Plane c of the input, padded by pad_top and pad_left
 * zeros, gives phases_y * phases_x planes; phase (a, b) holds the padded rows a, a + stride_y, ...
 * and columns b, b + stride_x, ... :
 *     y[((c*phases_y + a)*phases_x + b)*phase_pitch + i*row_pitch + j] =
 *         padded(i*stride_y + a, j*stride_x + b)      for i < height, j < width.
 * What lies outside the input is zero, so height and width may exceed it (bottom and right
 * padding). A window that starts at i*stride_y and has a tap r rows (r = tap*dilation) further
 * reads phase a = r % stride_y at row i + r/stride_y: its offset is
 *     ((c*phases_y + a)*phases_x + b)*phase_pitch + (r/stride_y)*row_pitch + s/stride_x,
 * so height >= output height + (largest r)/stride_y, likewise width; and phases_y = min(stride_y,
 * largest r + 1) phases are enough.
 */
struct phases {
  struct planes input; /* its halo is not read */
  int64_t stride_y, stride_x, pad_top, pad_left;
  int64_t phases_y, phases_x;
  int64_t height, width;          /* of one phase plane */
  int64_t row_pitch, phase_pitch; /* row_pitch >= width; gap columns are not written */
};

/* to[j] = from[j * stride] for j in [begin, end). */
ALWAYS_INLINE void take_every(
  int64_t stride, const float *from, float *to, int64_t begin, int64_t end
) {
  int64_t j = begin;
  /* The last vector reaches back, and reads a float behind the row. */
  if (stride == 2 && end - begin >= LANES) {
    for (; j + LANES < end; j += LANES) store(to + j, load_even(from + 2 * j));
    j = end - LANES;
    store(to + j, load_even(from + 2 * j));
    return;
  }
  for (; j < end; j++) to[j] = from[j * stride];
}

/* Rows of phase a of plane x, column phase b, into y. */
ALWAYS_INLINE void split_plane(
  const struct phases *s, const float *x, int64_t a, int64_t b, float *y
) {
  /* Columns j in [begin, stop) lie inside the input. */
  int64_t begin = b < s->pad_left ? (s->pad_left - b + s->stride_x - 1) / s->stride_x : 0;
  int64_t inside = s->input.width + s->pad_left - b;
  int64_t stop = inside > 0 ? (inside + s->stride_x - 1) / s->stride_x : 0;
  if (stop > s->width) stop = s->width;
  if (begin > stop) begin = stop;
  int64_t row = a - s->pad_top;
  for (int64_t i = 0; i < s->height; i++, y += s->row_pitch, row += s->stride_y) {
    if (row < 0 || row >= s->input.height || begin == stop) {
      fill_floats(y, s->width, 0);
      continue;
    }
    if (begin > 0) fill_floats(y, begin, 0);
    take_every(s->stride_x, x + row * s->input.row_pitch + b - s->pad_left, y, begin, stop);
    if (stop < s->width) fill_floats(y + stop, s->width - stop, 0);
  }
}

SHARED void split_planes(struct phases s, const float *x, float *y, int64_t first, int64_t end) {
  int64_t per_plane = s.phases_y * s.phases_x;
  for (int64_t i = first; i < end; i++) {
    int64_t c = i / per_plane, a = i % per_plane / s.phases_x, b = i % s.phases_x;
    split_plane(&s, x + c * s.input.plane_pitch, a, b, y + i * s.phase_pitch);
  }
}

/* Takes a value apart into phase planes, as told at struct phases. Split over phase planes. */
ALWAYS_INLINE void phase_split(struct phases s, const float *x, float *y, int part, int parts) {
  int64_t count = s.input.planes * s.phases_y * s.phases_x;
  split_planes(s, x, y, part_start(count, part, parts), part_start(count, part + 1, parts));
}

#endif
