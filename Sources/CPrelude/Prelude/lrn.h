/* lrn.h: local response normalization, across channels and within a channel. */
#ifndef SPARSEC_LRN_H
#define SPARSEC_LRN_H

#include <math.h>

#include "planes.h"

struct lrn {
  struct planes input, output;
  int64_t size; /* n, odd */
  float alpha, beta, k;
};

/* s ^ -beta; the usual 0.75 by square roots. */
ALWAYS_INLINE vector lrn_power(vector s, float beta) {
  if (beta == 0.75f) {
    vector root = __builtin_elementwise_sqrt(s);
    return 1 / (root * __builtin_elementwise_sqrt(root));
  }
  float lane[LANES];
  memcpy(lane, &s, sizeof lane);
  for (int i = 0; i < LANES; i++) lane[i] = powf(lane[i], -beta);
  memcpy(&s, lane, sizeof lane);
  return s;
}

/* The window of a channel when channels are gone from between the others. */
struct lrn_window {
  int32_t begin, end; /* of the channels that are left */
  float removed;      /* sum of the squares of those that are not */
};

/* All channels at `lanes` neighbouring positions. The window's sum is formed anew for every
 * channel: squares of equal sign, so no digits are lost to subtraction. Without `windows` a window
 * is what lies around its channel. */
ALWAYS_INLINE void lrn_channels(
  const struct lrn l, const struct lrn_window *windows, const float *x, float *y, int64_t lanes
) {
  int64_t channels = l.input.planes, half = (l.size - 1) / 2, pitch = l.input.plane_pitch;
  float share = l.alpha / (float)l.size;
  for (int64_t c = 0; c < channels; c++) {
    int64_t from = c - half < 0 ? 0 : c - half, to = c + half < channels ? c + half + 1 : channels;
    vector sum = {0}, middle = {0};
    if (windows) {
      from = windows[c].begin;
      to = windows[c].end;
      sum = broadcast(windows[c].removed);
    }
    for (int64_t i = from; i < to; i++) {
      const float *p = x + i * pitch;
      vector v = lanes == LANES ? load(p) : load_partial(p, lanes);
      sum += v * v;
      if (i == c) middle = v;
    }
    vector v = middle * lrn_power(share * sum + l.k, l.beta);
    float *at = y + c * l.output.plane_pitch;
    if (lanes == LANES)
      store(at, v);
    else
      store_partial(at, v, lanes);
  }
}

/* All positions of all channels. Split over positions (the halo over planes). */
ALWAYS_INLINE void lrn_positions(
  const struct lrn l, const struct lrn_window *windows, const float *x, float *y, int part,
  int parts
) {
  int64_t height = l.input.height, width = l.input.width;
  if (l.input.row_pitch == width && l.output.row_pitch == width) {
    width *= height;
    height = 1;
  }
  int64_t steps = (width + LANES - 1) / LANES, end = part_start(height * steps, part + 1, parts);
  for (int64_t i = part_start(height * steps, part, parts); i < end; i++) {
    int64_t row = i / steps, column = i % steps * LANES;
    int64_t lanes = width - column < LANES ? width - column : LANES;
    lrn_channels(
      l, windows, x + row * l.input.row_pitch + column, y + row * l.output.row_pitch + column, lanes
    );
  }
  zero_halo(l.output, y, part, parts);
}

/* y = x * (k + alpha/n * sum of x^2 over channels c-(n-1)/2 .. c+(n-1)/2) ^ -beta. Not in place. */
ALWAYS_INLINE void lrn_across(const struct lrn l, const float *x, float *y, int part, int parts) {
  lrn_positions(l, NULL, x, y, part, parts);
}

/* The same with a window for each channel, one entry per plane. Not in place. */
ALWAYS_INLINE void lrn_windows(
  const struct lrn l, const struct lrn_window *windows, const float *x, float *y, int part,
  int parts
) {
  lrn_positions(l, windows, x, y, part, parts);
}

/* Columns of one go of lrn_within. */
#define LRN_COLUMNS 1024

/* Columns [begin, end) of one row: squares summed over the window's rows, then columns. */
SHARED void lrn_within_row(
  struct lrn l, const float *plane, float *to, int64_t row, int64_t begin, int64_t end
) {
  float squares[LRN_COLUMNS];
  int64_t half = (l.size - 1) / 2;
  int64_t first = begin - half < 0 ? 0 : begin - half;
  int64_t last = end + half < l.input.width ? end + half : l.input.width;
  int64_t top = row - half < 0 ? 0 : row - half;
  int64_t bottom = row + half < l.input.height ? row + half + 1 : l.input.height;
  for (int64_t i = first; i < last; i++) squares[i - first] = 0;
  for (int64_t r = top; r < bottom; r++) {
    const float *x = plane + r * l.input.row_pitch;
    for (int64_t i = first; i < last; i++) squares[i - first] += x[i] * x[i];
  }
  float share = l.alpha / (float)(l.size * l.size);
  const float *x = plane + row * l.input.row_pitch;
  for (int64_t i = begin; i < end; i += LANES) {
    float sums[LANES] = {0};
    int64_t lanes = end - i < LANES ? end - i : LANES;
    for (int64_t lane = 0; lane < lanes; lane++) {
      int64_t from = i + lane - half < first ? first : i + lane - half;
      int64_t stop = i + lane + half < last ? i + lane + half + 1 : last;
      for (int64_t k = from; k < stop; k++) sums[lane] += squares[k - first];
    }
    vector power = lrn_power(load(sums) * share + 1, l.beta);
    if (lanes == LANES)
      store(to + i, load(x + i) * power);
    else
      store_partial(to + i, load_partial(x + i, lanes) * power, lanes);
  }
}

/* y = x * (1 + alpha/n^2 * sum of x^2 over the n x n window) ^ -beta; outside counts zero, k is
 * ignored. Not in place; n < LRN_COLUMNS / 2. Split over planes. */
ALWAYS_INLINE void lrn_within(const struct lrn l, const float *x, float *y, int part, int parts) {
  int64_t stop = part_start(l.output.planes, part + 1, parts);
  int64_t first = part_start(l.output.planes, part, parts), step = LRN_COLUMNS - l.size;
  for (int64_t c = first; c < stop; c++)
    for (int64_t row = 0; row < l.output.height; row++)
      for (int64_t i = 0; i < l.output.width; i += step) {
        float *to = y + c * l.output.plane_pitch + row * l.output.row_pitch;
        int64_t end = i + step < l.output.width ? i + step : l.output.width;
        lrn_within_row(l, x + c * l.input.plane_pitch, to, row, i, end);
      }
  zero_halo_of_planes(l.output, y, first, stop);
}

#endif
