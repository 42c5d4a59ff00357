/* convolution_sparse.h: convolution with scattered zeros, driven by a table of taps.
 *
 * For every output m and flat position q (see convolution_columns.h)
 *     y[m][q] = bias[m] + sum over the taps t of row m of taps[t].value * x[taps[t].offset + q].
 * V vectors of positions stay in registers while a row's taps go by. Groups need nothing special
 * (offsets are absolute), and depthwise convolutions are rows with a channel's taps.
 *
 * Reads and writes as told at convolution_columns.h.
 */
#ifndef SPARSEC_CONVOLUTION_SPARSE_H
#define SPARSEC_CONVOLUTION_SPARSE_H

#include "band.h"

/* Vectors of positions in registers at most. */
#if LANES == 16 && defined(__AVX512F__)
#define MAX_SPARSE_VECTORS 24
#else
#define MAX_SPARSE_VECTORS 12
#endif

struct tap {
  int32_t offset; /* floats, from position 0 of x */
  float value;
};

/* The taps may be cut into `slabs` slabs of input channels, so that a slab's inputs stay in L1:
 * taps of slab s and row m are row_ends[s*rows + m - 1] (0 for the first) up to row_ends[s*rows + m],
 * so the table is sorted by slab, then row; inside a row by offset. Recommended: one slab, unless
 * output.row_pitch == row_pitch (sums go straight to the output); then channels of a slab
 * so that channels * (vectors*LANES + (kernel-1)*row_pitch) floats fill half of L1, but
 * so few slabs that a row keeps 16 taps in each.
 */
struct convolution_sparse {
  struct planes output; /* output.planes = rows of the table */
  int64_t row_pitch;    /* of x: the pitch of flat positions */
  int64_t slabs;        /* >= 1; must be 1 when output.row_pitch != row_pitch */
  int64_t vectors;      /* V, vectors of positions in one go: at most MAX_SPARSE_VECTORS */
  enum rectifier rectifier;
  float slope;
};

struct sparse_row {
  const struct tap *taps, *end;
  const float *bias; /* NULL: go on from y */
  enum rectifier rectifier;
  float slope;
};

/* V vectors of one row; the last stores `lanes` lanes. */
ALWAYS_INLINE void sparse_tile(
  const int V, const struct sparse_row *row, const float *x, float *y, int64_t lanes
) {
  vector sum[MAX_SPARSE_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) sum[v] = row->bias ? broadcast(*row->bias) : load(y + v * LANES);
  for (const struct tap *tap = row->taps; tap < row->end; tap++) {
    const float *input = x + tap->offset;
    float value = tap->value;
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) sum[v] += value * load(input + v * LANES);
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) {
    vector sums = rectified(sum[v], row->rectifier, row->slope);
    if (v < V - 1 || lanes == LANES)
      store(y + v * LANES, sums);
    else
      store_partial(y + v * LANES, sums, lanes);
  }
}

#define SPARSE_TILE(V)                                                                             \
  SHARED void sparse_tile_##V(                                                                     \
    const struct sparse_row *row, const float *x, float *y, int64_t lanes                          \
  ) {                                                                                              \
    sparse_tile(V, row, x, y, lanes);                                                              \
  }
#define EACH_SPARSE_TILE_12(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12)
#if MAX_SPARSE_VECTORS == 24
#define EACH_SPARSE_TILE(T)                                                                        \
  EACH_SPARSE_TILE_12(T)                                                                           \
  T(13) T(14) T(15) T(16) T(17) T(18) T(19) T(20) T(21) T(22) T(23) T(24)
#else
#define EACH_SPARSE_TILE(T) EACH_SPARSE_TILE_12(T)
#endif
EACH_SPARSE_TILE(SPARSE_TILE)

ALWAYS_INLINE void sparse_tile_of(
  int64_t vectors, const struct sparse_row *row, const float *x, float *y, int64_t lanes
) {
  switch (vectors) {
#define CALL(V)                                                                                    \
  case V:                                                                                          \
    sparse_tile_##V(row, x, y, lanes);                                                             \
    break;
    EACH_SPARSE_TILE(CALL)
#undef CALL
  }
}

/* The first row of `part`: rows weigh their taps (of all slabs) and a little for their stores. */
SHARED int64_t balanced_row(
  const uint32_t *row_ends, int64_t rows, int64_t slabs, int part, int parts
) {
  const int64_t row_cost = 4;
  int64_t taps = row_ends[slabs * rows - 1];
  int64_t wanted = part_start(taps + rows * row_cost, part, parts), cost = 0, row = 0;
  while (row < rows && cost < wanted) {
    cost += row_cost;
    for (int64_t s = 0; s < slabs; s++) {
      int64_t i = s * rows + row;
      cost += row_ends[i] - (i > 0 ? row_ends[i - 1] : 0);
    }
    row++;
  }
  return part == parts ? rows : row;
}

/* Rows [first, end) over positions [q0, q1), at most V vectors of them. */
ALWAYS_INLINE void sparse_rows(
  const struct convolution_sparse c, const float *x, const struct tap *taps,
  const uint32_t *row_ends, const float *bias, float *y, int64_t first, int64_t end, int64_t q0,
  int64_t q1
) {
  static const float no_bias = 0;
  _Alignas(64) float buffer[MAX_SPARSE_VECTORS * LANES];
  const bool direct = c.output.row_pitch == c.row_pitch;
  int64_t vectors = (q1 - q0 + LANES - 1) / LANES, lanes = q1 - q0 - (vectors - 1) * LANES;
  for (int64_t s = 0; s < c.slabs; s++)
    for (int64_t row = first; row < end; row++) {
      int64_t i = s * c.output.planes + row;
      struct sparse_row r = {
        .taps = taps + (i > 0 ? row_ends[i - 1] : 0),
        .end = taps + row_ends[i],
        .bias = s > 0 ? NULL : bias ? bias + row : &no_bias,
        .rectifier = s == c.slabs - 1 ? c.rectifier : RECTIFIER_NONE,
        .slope = c.slope,
      };
      float *plane = y + row * c.output.plane_pitch;
      sparse_tile_of(vectors, &r, x + q0, direct ? plane + q0 : buffer, direct ? lanes : LANES);
      if (!direct)
        store_band(c.output, plane, buffer, c.row_pitch, q0, q1);
      else if (s == c.slabs - 1)
        zero_band_halo(c.output, plane, q0, q1);
    }
}

/* bias may be NULL. Split over rows, balanced by taps; over positions when there are few rows. */
ALWAYS_INLINE void convolution_sparse(
  const struct convolution_sparse c, const float *x, const struct tap *taps,
  const uint32_t *row_ends, const float *bias, float *y, int part, int parts
) {
  int64_t positions = flat_positions(c.output, c.row_pitch);
  int64_t vectors = (positions + LANES - 1) / LANES;
  int64_t tiles = (vectors + c.vectors - 1) / c.vectors;
  /* Tiles of equal size: 23 vectors with V = 12 are 12 + 11, not 12 + 11 lanes short of registers. */
  int64_t step = (vectors + tiles - 1) / tiles * LANES;
  int64_t first = 0, end = c.output.planes, tile = 0;
  if (c.output.planes >= 4 * parts || tiles < parts) {
    first = balanced_row(row_ends, end, c.slabs, part, parts);
    end = balanced_row(row_ends, end, c.slabs, part + 1, parts);
  } else {
    tile = part_start(tiles, part, parts);
    tiles = part_start(tiles, part + 1, parts);
  }
  for (; tile < tiles; tile++) {
    int64_t q0 = tile * step, q1 = q0 + step < positions ? q0 + step : positions;
    if (q0 < q1) sparse_rows(c, x, taps, row_ends, bias, y, first, end, q0, q1);
  }
}

#endif
