/* convolution_depthwise.h: convolution of each plane by itself, 3x3 or 5x5, stride 1 or 2.
 *
 * Output plane m reads input plane c = m / multiplier alone:
 *     y[m][i][j] = bias[m] + sum over r, s of
 *         weights[m][r][s] * x[c][i*stride + r - pad_y][j*stride + s - pad_x].
 * The input's halo holds the zeros of the padding. For stride 2 it is not split into phases: even
 * and odd columns of a row are parted in registers.
 *
 * A tile is up to four rows of the output by one or two vectors of columns, so that a row of the
 * input, once loaded, serves all rows of the tile that it meets. The last vector of a row ends
 * where the row ends, and computes some columns again. Rows shorter than a vector are stored with
 * what is behind them, in rising order: the next row overwrites it.
 *
 * Reads x up to READ_SLACK floats behind the last window. Writes the output's elements and its
 * declared halo (zeros), and gap columns.
 */
#ifndef SPARSEC_CONVOLUTION_DEPTHWISE_H
#define SPARSEC_CONVOLUTION_DEPTHWISE_H

#include "planes.h"

#define MAX_DEPTHWISE_KERNEL 5

struct convolution_depthwise {
  struct planes output;
  int64_t row_pitch, plane_pitch; /* of x */
  int64_t pad_y, pad_x;
  int64_t kernel, stride;         /* 3 or 5, 1 or 2; literals */
  int64_t multiplier;             /* outputs of each input plane, >= 1 */
  enum rectifier rectifier;
  float slope;
};

struct depthwise_arrays {
  const float *x;
  const float *weights; /* [output][kernel][kernel] */
  const float *bias;    /* by output; may be NULL */
  float *y;
};

/* One plane. */
struct depthwise_plane {
  const float *x; /* the first tap of the first window */
  int64_t x_pitch;
  float *y, *end; /* behind the last element */
  int64_t y_pitch, height, width;
  float bias;
  enum rectifier rectifier;
  float slope;
};

/* Every second float of a and b, from `odd` on, in an order that costs one instruction; in_order
 * undoes it, once for all that were added up. */
ALWAYS_INLINE vector parted(vector a, vector b, const bool odd) {
#if LANES == 16
  if (odd)
    return __builtin_shufflevector(
      a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
    );
  return __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
#elif LANES == 8
  if (odd) return __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15);
  return __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14);
#else
  if (odd) return __builtin_shufflevector(a, b, 1, 3, 5, 7);
  return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}

ALWAYS_INLINE vector in_order(vector v) {
#if LANES == 16
  return __builtin_shufflevector(v, v, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
#elif LANES == 8
  return __builtin_shufflevector(v, v, 0, 1, 4, 5, 2, 3, 6, 7);
#else
  return v;
#endif
}

/* What K taps of a row meet, for LANES windows of which the first begins at x. */
ALWAYS_INLINE void depthwise_inputs(
  const int K, const int S, const float *x, int64_t second, vector *input
) {
#pragma clang loop unroll(full)
  for (int s = 0; s < K; s += S) {
    vector a = load(x + s);
    if (S == 1) {
      input[s] = a;
    } else {
      vector b = load(x + s + second);
      input[s] = parted(a, b, false);
      if (s + 1 < K) input[s + 1] = parted(a, b, true);
    }
  }
}

/* Sums of R rows from `row` on by V vectors, which begin at the columns `at`. */
ALWAYS_INLINE void depthwise_sums(
  const int K, const int S, const int R, const int V, const struct depthwise_plane *p,
  const vector *weights, int64_t row, const int64_t *at, vector (*sum)[2]
) {
  /* Of few columns the first vector has all: the second would reach too far behind the plane. */
  const int64_t second = p->width > LANES / 2 ? LANES : 0;
  const float *x = p->x + row * S * p->x_pitch;
  /* Stride 2 waits for shuffles too: odd columns in sums of their own wait less for each other. */
  vector odd[4][2] = {{{0}}};
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) sum[r][v] = broadcast(p->bias);
#pragma clang loop unroll(full)
  for (int i = 0; i < (R - 1) * S + K; i++) {
    vector input[2][MAX_DEPTHWISE_KERNEL];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++)
      depthwise_inputs(K, S, x + i * p->x_pitch + at[v] * S, second, input[v]);
#pragma clang loop unroll(full)
    for (int s = 0; s < K; s++)
#pragma clang loop unroll(full)
      for (int r = 0; r < R; r++) {
        const int tap = i - r * S;
        if (tap < 0 || tap >= K) continue;
        vector *to = S == 2 && s % 2 == 1 ? odd[r] : sum[r];
#pragma clang loop unroll(full)
        for (int v = 0; v < V; v++) to[v] += weights[tap * K + s] * input[v][s];
      }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++)
      if (S == 2) sum[r][v] = in_order(sum[r][v] + odd[r][v]);
}

/* R rows from `row` on by V vectors. */
ALWAYS_INLINE void depthwise_tile(
  const int K, const int S, const int R, const int V, const struct depthwise_plane *p,
  const vector *weights, int64_t row, const int64_t *at
) {
  vector sum[4][2];
  depthwise_sums(K, S, R, V, p, weights, row, at, sum);
  if (p->rectifier != RECTIFIER_NONE) {
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[r][v] = rectified(sum[r][v], RECTIFIER_RELU, p->slope);
  }
  float *y = p->y + row * p->y_pitch;
  /* Asked once: only the last rows of a plane that is narrower than a vector end too early. */
  const bool whole = p->width >= LANES || p->end - (y + (R - 1) * p->y_pitch) >= LANES;
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) {
      float *to = y + r * p->y_pitch + at[v];
      if (whole || p->end - to >= LANES)
        store(to, sum[r][v]);
      else
        store_partial(to, sum[r][v], p->end - to);
    }
}

/* From `row` on, as many times R rows as there are: all columns. Returns the next row. */
ALWAYS_INLINE int64_t depthwise_rows(
  const int K, const int S, const int R, const int V, const struct depthwise_plane *p,
  const vector *weights, int64_t row
) {
  const int64_t last = p->width > LANES ? p->width - LANES : 0;
  for (; row + R <= p->height; row += R)
    for (int64_t j = 0; j < last + LANES; j += V * LANES) {
      int64_t at[2] = {j < last ? j : last, j + LANES < last ? j + LANES : last};
      depthwise_tile(K, S, R, V, p, weights, row, at);
    }
  return row;
}

/* All rows, most of them four at a time. */
ALWAYS_INLINE void depthwise_plane(
  const int K, const int S, const int V, const struct depthwise_plane *p, const vector *weights
) {
  int64_t row = depthwise_rows(K, S, 4, V, p, weights, 0);
  row = depthwise_rows(K, S, 3, V, p, weights, row);
  row = depthwise_rows(K, S, 2, V, p, weights, row);
  depthwise_rows(K, S, 1, V, p, weights, row);
}

ALWAYS_INLINE void depthwise_planes(
  const int K, const int S, const struct convolution_depthwise *c,
  const struct depthwise_arrays *a, int64_t first, int64_t end
) {
  const struct planes out = c->output;
  int64_t channel = first / c->multiplier, of_channel = first % c->multiplier;
  for (int64_t m = first; m < end; m++) {
    float *y = a->y + m * out.plane_pitch;
    const struct depthwise_plane p = {
      .x = a->x + channel * c->plane_pitch - c->pad_y * c->row_pitch - c->pad_x,
      .x_pitch = c->row_pitch,
      .y = y,
      .end = y + (out.height - 1) * out.row_pitch + out.width,
      .y_pitch = out.row_pitch,
      .height = out.height,
      .width = out.width,
      .bias = a->bias ? a->bias[m] : 0,
      .rectifier = c->rectifier,
      .slope = c->slope,
    };
    vector weights[MAX_DEPTHWISE_KERNEL * MAX_DEPTHWISE_KERNEL];
#pragma clang loop unroll(full)
    for (int k = 0; k < K * K; k++) weights[k] = broadcast(a->weights[m * K * K + k]);
    /* Windows of 5x5 have too many weights for registers: two vectors share the reading of one. */
    if (K > 3 && out.width > LANES)
      depthwise_plane(K, S, 2, &p, weights);
    else
      depthwise_plane(K, S, 1, &p, weights);
    if (has_gap_halo(out))
      for (int64_t row = 0; row < out.height - 1; row++) zero_behind_row(out, y, row);
    zero_above(out, y);
    zero_behind_row(out, y, out.height - 1);
    if (++of_channel == c->multiplier) {
      of_channel = 0;
      channel++;
    }
  }
}

/* One function for each window, shared by all layers of a network. */
#define DEPTHWISE(K, S)                                                                     \
  SHARED void depthwise_##K##x##K##_stride_##S(                                             \
    const struct convolution_depthwise *c, const struct depthwise_arrays *a, int64_t first, \
    int64_t end                                                                             \
  ) {                                                                                       \
    depthwise_planes(K, S, c, a, first, end);                                               \
  }
DEPTHWISE(3, 1)
DEPTHWISE(3, 2)
DEPTHWISE(5, 1)
DEPTHWISE(5, 2)

/* Split over planes. */
ALWAYS_INLINE void convolution_depthwise(
  const struct convolution_depthwise c, const struct depthwise_arrays a, int part, int parts
) {
  int64_t first = part_start(c.output.planes, part, parts);
  int64_t end = part_start(c.output.planes, part + 1, parts);
  switch (c.kernel * 8 + c.stride) {
#define CALL(K, S) \
  case K * 8 + S: depthwise_##K##x##K##_stride_##S(&c, &a, first, end); break;
    CALL(3, 1)
    CALL(3, 2)
    CALL(5, 1)
    CALL(5, 2)
#undef CALL
  }
}

#endif
