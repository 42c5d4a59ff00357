/* band.h: where convolutions put their sums: output planes with any pitch, halo kept at zero.
 *
 * A convolution works on flat positions q of its input's pitch; row q / pitch, column q % pitch.
 * Positions with column >= width are gap: their sums mean nothing. Outputs with the same pitch take
 * the sums directly (and have the gap zeroed after); others get them row by row from a buffer.
 */
#ifndef SPARSEC_BAND_H
#define SPARSEC_BAND_H

#include "planes.h"

/* Floats in the buffer of sums, on the stack. */
#define BAND_FLOATS 8192

/* The flat positions of an output; the last ends with the last row's last element. */
ALWAYS_INLINE int64_t flat_positions(struct planes output, int64_t pitch) {
  return (output.height - 1) * pitch + output.width;
}

/* After sums were stored directly at positions [q0, q1) of one plane: zeroes the halo that belongs
 * to this band (its gap; above and below with the first and the last band). */
SHARED void zero_band_halo(struct planes output, float *plane, int64_t q0, int64_t q1) {
  int64_t pitch = output.row_pitch;
  if (q0 == 0) zero_above(output, plane);
  if (has_gap_halo(output))
    for (int64_t row = q0 / pitch; row < output.height - 1 && row * pitch < q1; row++) {
      int64_t begin = row * pitch + output.width, end = (row + 1) * pitch;
      if (begin < q0) begin = q0;
      if (end > q1) end = q1;
      if (begin < end) fill_floats(plane + begin, end - begin, 0);
    }
  if (q1 == flat_positions(output, pitch)) zero_behind_row(output, plane, output.height - 1);
}

/* Copies sums of positions [q0, q1), pitch `pitch`, from `sums` (which starts at q0) into one plane
 * of the output, and zeroes the halo next to the elements that it writes. */
SHARED void store_band(
  struct planes output, float *plane, const float *sums, int64_t pitch, int64_t q0, int64_t q1
) {
  if (q0 == 0) zero_above(output, plane);
  for (int64_t row = q0 / pitch; row < output.height && row * pitch < q1; row++) {
    int64_t begin = row * pitch, end = begin + output.width;
    bool last = end <= q1;
    if (begin < q0) begin = q0;
    if (end > q1) end = q1;
    if (begin >= end) continue;
    copy_floats(
      plane + row * output.row_pitch + begin - row * pitch, sums + begin - q0, end - begin
    );
    if (last) zero_behind_row(output, plane, row);
  }
}

/* Copies positions [q0, q1) of one plane of the output to `sums` (which starts at q0), pitch `pitch`:
 * what store_band will have taken there, for sums to go on from. Gaps get zeros. */
SHARED void load_band(
  struct planes output, const float *plane, float *sums, int64_t pitch, int64_t q0, int64_t q1
) {
  for (int64_t row = q0 / pitch; row < output.height && row * pitch < q1; row++) {
    int64_t begin = row * pitch, end = begin + output.width, stop = begin + pitch;
    const float *from = plane + row * output.row_pitch - begin;
    if (begin < q0) begin = q0;
    if (end > q1) end = q1;
    if (begin < end) copy_floats(sums + begin - q0, from + begin, end - begin);
    if (end < q0) end = q0;
    if (stop > q1) stop = q1;
    if (end < stop) fill_floats(sums + end - q0, stop - end, 0);
  }
}

/* Moves the rows of a plane of the output together, so that they stand flat with `pitch` <
 * output.row_pitch, for sums to go on from: what spread_band undoes. */
SHARED void gather_band(struct planes output, float *plane, int64_t pitch) {
  for (int64_t row = 1; row < output.height; row++)
    memmove(
      plane + row * pitch, plane + row * output.row_pitch, (size_t)output.width * sizeof *plane
    );
}

/* Moves sums that stand flat in a plane of the output, pitch `pitch` < output.row_pitch, to their
 * rows (the last first, since rows only move back), and zeroes the halo. */
SHARED void spread_band(struct planes output, float *plane, int64_t pitch) {
  zero_above(output, plane);
  for (int64_t row = output.height - 1; row >= 0; row--) {
    if (row > 0)
      memmove(
        plane + row * output.row_pitch, plane + row * pitch, (size_t)output.width * sizeof *plane
      );
    zero_behind_row(output, plane, row);
  }
}

/* Writes one value to all elements of a plane of the output, and zeroes the halo. */
SHARED void fill_plane(struct planes output, float *plane, float value) {
  zero_above(output, plane);
  for (int64_t row = 0; row < output.height; row++) {
    fill_floats(plane + row * output.row_pitch, output.width, value);
    zero_behind_row(output, plane, row);
  }
}

/* Adds one value to all elements of a plane of the output, whose halo is zero already. */
SHARED void add_to_plane(
  struct planes output, float *plane, float value, enum rectifier rectifier, float slope
) {
  for (int64_t row = 0; row < output.height; row++) {
    float *to = plane + row * output.row_pitch;
    int64_t i = 0;
    for (; i + LANES <= output.width; i += LANES)
      store(to + i, rectified(load(to + i) + value, rectifier, slope));
    for (; i < output.width; i++) to[i] = rectified_scalar(to[i] + value, rectifier, slope);
  }
}

#endif
