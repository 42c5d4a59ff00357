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
 * taps of slab s and row m are row_ends[s*rows + m - 1] (0 for the first) up to row_ends[s*rows +
 * m], so the table is sorted by slab, then row; inside a row by offset. Measured best with 32 kB of
 * L1 (up to 1.5 times faster than one slab): the smaller of
 *     taps / rows with taps / 12   and   4 * channels * (vectors*LANES + (kernel-1)*row_pitch) / 16384,
 * at least 1; channels are those of one group.
 */
struct convolution_sparse {
  struct planes output; /* output.planes = rows of the table */
  int64_t row_pitch;    /* of x: the pitch of flat positions */
  int64_t slabs;        /* >= 1; must be 1 when output.row_pitch < row_pitch */
  int64_t vectors;    /* V, vectors of positions in one go: at most MAX_SPARSE_VECTORS, the best */
  int64_t rows_block; /* rows in one go over all positions; 0: all. 4 for depthwise convolutions */
  enum rectifier rectifier;
  float slope;
};

/* Some rows of one slab, whose taps follow each other. */
struct sparse_run {
  const struct tap *taps;
  const uint32_t *row_ends; /* of the first row; counted from `table` */
  const struct tap *table;
  int64_t rows;
  bool go_on;        /* sums go on from y, else start with the bias */
  const float *bias; /* of the first row; NULL: 0 */
  int64_t y_pitch;   /* floats between rows */
  enum rectifier rectifier;
  float slope;
};

/* V vectors of each row; the last stores `lanes` lanes. */
ALWAYS_INLINE void sparse_tile(
  const int V, const struct sparse_run *run, const float *x, float *y, int64_t lanes
) {
  const struct tap *tap = run->taps;
  for (int64_t row = 0; row < run->rows; row++, y += run->y_pitch) {
    const struct tap *end = run->table + run->row_ends[row];
    /* Nothing to add to what is there. */
    if (run->go_on && tap == end && run->rectifier == RECTIFIER_NONE) continue;
    vector sum[MAX_SPARSE_VECTORS];
    if (run->go_on) {
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] = load(y + v * LANES);
    } else {
      vector bias = broadcast(run->bias ? run->bias[row] : 0);
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] = bias;
    }
    for (; tap < end; tap++) {
      const float *input = x + tap->offset;
      float value = tap->value;
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] += value * load(input + v * LANES);
    }
    if (run->rectifier != RECTIFIER_NONE) {
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] = rectified(sum[v], RECTIFIER_RELU, run->slope);
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < V - 1; v++) store(y + v * LANES, sum[v]);
    if (lanes == LANES)
      store(y + (V - 1) * LANES, sum[V - 1]);
    else
      store_partial(y + (V - 1) * LANES, sum[V - 1], lanes);
  }
}

#define SPARSE_TILE(V)                                                    \
  SHARED void sparse_tile_##V(                                            \
    const struct sparse_run *run, const float *x, float *y, int64_t lanes \
  ) {                                                                     \
    sparse_tile(V, run, x, y, lanes);                                     \
  }
#define EACH_SPARSE_TILE_12(T) T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10) T(11) T(12)
#if MAX_SPARSE_VECTORS == 24
#define EACH_SPARSE_TILE(T) \
  EACH_SPARSE_TILE_12(T)    \
  T(13) T(14) T(15) T(16) T(17) T(18) T(19) T(20) T(21) T(22) T(23) T(24)
#else
#define EACH_SPARSE_TILE(T) EACH_SPARSE_TILE_12(T)
#endif
EACH_SPARSE_TILE(SPARSE_TILE)

SHARED void sparse_tile_of(
  int64_t vectors, const struct sparse_run *run, const float *x, float *y, int64_t lanes
) {
  switch (vectors) {
#define CALL(V) \
  case V: sparse_tile_##V(run, x, y, lanes); break;
    EACH_SPARSE_TILE(CALL)
#undef CALL
  }
}

/* The first row of `part`: rows weigh their taps (of all slabs) and a little for their stores. */
SHARED int64_t
balanced_row(const uint32_t *row_ends, int64_t rows, int64_t slabs, int part, int parts) {
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

/* The run of rows [first, first + rows) in slab s. */
ALWAYS_INLINE struct sparse_run sparse_run_of(
  const struct convolution_sparse c, const struct tap *taps, const uint32_t *row_ends,
  const float *bias, int64_t s, int64_t first, int64_t rows
) {
  int64_t i = s * c.output.planes + first;
  return (struct sparse_run){
    .taps = taps + (i > 0 ? row_ends[i - 1] : 0),
    .row_ends = row_ends + i,
    .table = taps,
    .rows = rows,
    .go_on = s > 0,
    .bias = bias ? bias + first : NULL,
    .y_pitch = c.output.plane_pitch,
    .rectifier = s == c.slabs - 1 ? c.rectifier : RECTIFIER_NONE,
    .slope = c.slope,
  };
}

/* Rows [first, end) over positions [q0, q1), at most V vectors of them. `flat`: sums go to the
 * output's planes at the flat position. */
ALWAYS_INLINE void sparse_rows(
  const struct convolution_sparse c, const bool flat, const float *x, const struct tap *taps,
  const uint32_t *row_ends, const float *bias, float *y, int64_t first, int64_t end, int64_t q0,
  int64_t q1
) {
  int64_t vectors = (q1 - q0 + LANES - 1) / LANES, lanes = q1 - q0 - (vectors - 1) * LANES;
  if (flat) {
    for (int64_t s = 0; s < c.slabs; s++) {
      struct sparse_run run = sparse_run_of(c, taps, row_ends, bias, s, first, end - first);
      sparse_tile_of(vectors, &run, x + q0, y + first * c.output.plane_pitch + q0, lanes);
    }
    return;
  }
  _Alignas(64) float buffer[MAX_SPARSE_VECTORS * LANES];
  for (int64_t row = first; row < end; row++) {
    struct sparse_run run = sparse_run_of(c, taps, row_ends, bias, 0, row, 1);
    sparse_tile_of(vectors, &run, x + q0, buffer, LANES);
    store_band(c.output, y + row * c.output.plane_pitch, buffer, c.row_pitch, q0, q1);
  }
}

/* bias may be NULL. Split over rows, balanced by taps; over positions when there are few rows. */
ALWAYS_INLINE void convolution_sparse(
  const struct convolution_sparse c, const float *x, const struct tap *taps,
  const uint32_t *row_ends, const float *bias, float *y, int part, int parts
) {
  /* With several slabs and a wider output, sums are gathered flat in its planes and spread at the
   * end. */
  const bool direct = c.output.row_pitch == c.row_pitch, flat = direct || c.slabs > 1;
  int64_t positions = flat_positions(c.output, c.row_pitch);
  int64_t vectors = (positions + LANES - 1) / LANES;
  int64_t tiles = (vectors + c.vectors - 1) / c.vectors;
  /* Tiles of equal size: 26 vectors with V = 12 are 9 + 9 + 8. */
  int64_t step = (vectors + tiles - 1) / tiles * LANES;
  int64_t first = 0, end = c.output.planes, tile = 0;
  if (c.output.planes >= 4 * parts || tiles < parts || (flat && !direct)) {
    first = balanced_row(row_ends, end, c.slabs, part, parts);
    end = balanced_row(row_ends, end, c.slabs, part + 1, parts);
  } else {
    tile = part_start(tiles, part, parts);
    tiles = part_start(tiles, part + 1, parts);
  }
  int64_t rows_block = c.rows_block > 0 ? c.rows_block : end - first;
  for (int64_t row = first; row < end; row += rows_block) {
    int64_t stop = row + rows_block < end ? row + rows_block : end;
    for (int64_t t = tile; t < tiles; t++) {
      int64_t q0 = t * step, q1 = q0 + step < positions ? q0 + step : positions;
      if (q0 < q1) sparse_rows(c, flat, x, taps, row_ends, bias, y, row, stop, q0, q1);
    }
  }
  int64_t q0 = tile * step, q1 = tiles * step < positions ? tiles * step : positions;
  for (int64_t row = first; flat && row < end && q0 < q1; row++) {
    float *plane = y + row * c.output.plane_pitch;
    if (direct)
      zero_band_halo(c.output, plane, q0, q1);
    else
      spread_band(c.output, plane, c.row_pitch);
  }
}

#endif
