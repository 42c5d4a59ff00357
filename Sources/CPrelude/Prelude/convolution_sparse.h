/* convolution_sparse.h: convolution with scattered zeros, driven by a table of taps.
 *
 * For every output m and flat position q (see convolution_columns.h)
 *     y[m][q] = bias[m] + sum over the taps t of row m of taps[t].value * x[taps[t].offset + q].
 * V vectors of positions stay in registers while a row's taps go by. Groups need nothing special
 * (offsets are absolute), and depthwise convolutions are rows with a channel's taps.
 *
 * The inputs of a tile of positions are read from x directly, or are first copied into a panel
 * (panel.h): then positions are those of the output, and offsets count from the panel. Copying pays
 * where a tap reads a channel of its own, so that many planes, each on memory pages of its own, give
 * few inputs each: 1x1 convolutions.
 *
 * Reads and writes as told at convolution_columns.h.
 */
#ifndef SPARSEC_CONVOLUTION_SPARSE_H
#define SPARSEC_CONVOLUTION_SPARSE_H

#include "band.h"
#include "panel.h"

/* Vectors of positions in registers at most. */
#if LANES == 16 && defined(__AVX512F__)
#define MAX_SPARSE_VECTORS 24
#else
#define MAX_SPARSE_VECTORS 12
#endif

struct tap {
  int32_t offset; /* floats, from position 0 of x, or in the panel */
  float value;
};

/* A row of the table for one slab. */
struct sparse_row {
  uint32_t plane; /* of the output */
  uint32_t end;   /* of its taps, which begin where those of the row before end */
};

/* The taps may be cut into `slabs` slabs of input channels, so that a slab's inputs stay in L1: the
 * rows of slab s are rows[s*planes ...]. Inside a slab rows stand in `groups` groups, which hold the
 * same planes in every slab; inside a group in any order, best by the number of their taps, so that
 * the ends of rows are foreseen; inside a row taps go by offset. Measured best with 32 kB of L1
 * (up to 1.5 times faster than one slab), reading directly: the smaller of
 *     taps / rows with taps / 12   and   4 * channels * (vectors*LANES + (kernel-1)*row_pitch) / 16384,
 * at least 1; channels are those of one group. With a panel: 4 * columns * vectors*LANES / 49152.
 */
struct convolution_sparse {
  struct planes output; /* output.planes = rows of the table */
  int64_t row_pitch;    /* of x: the pitch of flat positions */
  int64_t slabs;        /* >= 1; if read directly, must be 1 when output.row_pitch < row_pitch */
  int64_t vectors;      /* V, vectors of positions in one go: at most MAX_SPARSE_VECTORS */
  int64_t groups;       /* of rows, >= 1: what parts can own */
  int64_t rows_block;   /* rows in one go over all positions; 0: all. 4 for depthwise
                           convolutions. Then all slabs have the same order */
  int64_t columns;      /* of the panel, all slabs; 0: inputs are read directly */
  int64_t slab_columns; /* of one slab: slab_columns * vectors * LANES <= PANEL_FLOATS */
  bool adds;            /* see convolution_columns.h */
  enum rectifier rectifier;
  float slope;
};

struct sparse_arrays {
  const float *x;
  const int32_t *offsets; /* of the panel's columns, from position 0 of x */
  const struct tap *taps;
  const struct sparse_row *rows;
  const uint32_t *group_starts; /* the first row of each group, and the number of rows */
  const float *bias;            /* by plane; may be NULL */
  float *y;
};

/* Some rows of one slab, whose taps follow each other. */
struct sparse_run {
  const struct tap *table, *taps;
  const struct sparse_row *rows;
  int64_t count;
  bool go_on;        /* sums go on from y, plus the bias */
  const float *bias; /* by plane; NULL: 0 */
  int64_t y_pitch;   /* floats between planes */
  enum rectifier rectifier;
  float slope;
};

/* V vectors of each row; the last stores `lanes` lanes. */
ALWAYS_INLINE void sparse_tile(
  const int V, const struct sparse_run *run, const float *x, float *y0, int64_t lanes
) {
  const struct tap *tap = run->taps;
  for (int64_t row = 0; row < run->count; row++) {
    const struct tap *end = run->table + run->rows[row].end;
    /* Nothing to add to what is there. */
    if (run->go_on && tap == end && !run->bias && run->rectifier == RECTIFIER_NONE) continue;
    const int64_t plane = run->rows[row].plane;
    float *y = y0 + plane * run->y_pitch;
    vector sum[MAX_SPARSE_VECTORS], bias = broadcast(run->bias ? run->bias[plane] : 0);
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) sum[v] = bias;
    /* What the next row goes on from lies in another plane, which no processor foresees. */
    if (run->go_on && row + 1 < run->count) {
      const float *next = y0 + run->rows[row + 1].plane * run->y_pitch;
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++)
        if (v * LANES % 16 == 0) __builtin_prefetch(next + v * LANES, 1);
    }
    for (; tap < end; tap++) {
      const float *input = x + tap->offset;
      float value = tap->value;
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] += value * load(input + v * LANES);
    }
    /* Behind the products, which do not wait for it then. */
    if (run->go_on) {
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) sum[v] += load(y + v * LANES);
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

/* Rows [first, end) of slab s. */
ALWAYS_INLINE struct sparse_run sparse_run_of(
  const struct convolution_sparse c, const struct sparse_arrays a, int64_t s, int64_t first,
  int64_t end
) {
  const struct sparse_row *rows = a.rows + s * c.output.planes + first;
  return (struct sparse_run){
    .table = a.taps,
    .taps = a.taps + (rows > a.rows ? rows[-1].end : 0),
    .rows = rows,
    .count = end - first,
    .go_on = s > 0 || c.adds,
    .bias = s > 0 ? NULL : a.bias,
    .y_pitch = c.output.plane_pitch,
    .rectifier = s == c.slabs - 1 ? c.rectifier : RECTIFIER_NONE,
    .slope = c.slope,
  };
}

/* Rows [first, end) over positions [q0, q1), at most V vectors of them, whose sums go to the
 * output's planes at the flat position. */
ALWAYS_INLINE void sparse_rows(
  const struct convolution_sparse c, const struct sparse_arrays a, float *panel, int64_t first,
  int64_t end, int64_t q0, int64_t q1
) {
  int64_t vectors = (q1 - q0 + LANES - 1) / LANES, lanes = q1 - q0 - (vectors - 1) * LANES;
  struct panel_piece pieces[c.columns > 0 ? MAX_SPARSE_VECTORS * LANES : 1];
  int64_t count = c.columns > 0 ? panel_pieces(c.output, c.row_pitch, q0, q1, pieces) : 0;
  for (int64_t s = 0; s < c.slabs; s++) {
    if (c.columns > 0) {
      int64_t from = s * c.slab_columns, rest = c.columns - from;
      int64_t columns = rest < c.slab_columns ? rest : c.slab_columns;
      fill_panel(pieces, count, a.x, a.offsets + from, columns, panel, c.vectors * LANES);
    }
    struct sparse_run run = sparse_run_of(c, a, s, first, end);
    sparse_tile_of(vectors, &run, c.columns > 0 ? panel : a.x + q0, a.y + q0, lanes);
  }
}

/* The same with one slab read directly, for an output whose rows lie elsewhere. */
ALWAYS_INLINE void sparse_rows_apart(
  const struct convolution_sparse c, const struct sparse_arrays a, int64_t first, int64_t end,
  int64_t q0, int64_t q1
) {
  _Alignas(64) float buffer[MAX_SPARSE_VECTORS * LANES];
  int64_t vectors = (q1 - q0 + LANES - 1) / LANES;
  for (int64_t row = first; row < end; row++) {
    struct sparse_run run = sparse_run_of(c, a, 0, row, row + 1);
    run.y_pitch = 0;
    float *plane = a.y + run.rows[0].plane * c.output.plane_pitch;
    if (c.adds) load_band(c.output, plane, buffer, c.row_pitch, q0, q1);
    sparse_tile_of(vectors, &run, a.x + q0, buffer, LANES);
    store_band(c.output, plane, buffer, c.row_pitch, q0, q1);
  }
}

/* Split over tiles of positions, or over groups of rows where tiles would not share evenly. */
ALWAYS_INLINE void convolution_sparse(
  const struct convolution_sparse c, const struct sparse_arrays a, int part, int parts
) {
  const bool packed = c.columns > 0, direct = packed || c.output.row_pitch == c.row_pitch;
  /* With several slabs and a wider output, sums are gathered flat in its planes and spread at the
   * end. */
  const bool flat = direct || c.slabs > 1;
  _Alignas(64) float panel[packed ? PANEL_FLOATS + 2 * LANES : 1];
  /* Gaps of the output that no piece fills are computed from what is here. */
  if (packed && c.output.row_pitch != c.row_pitch) memset(panel, 0, sizeof panel);

  int64_t positions = flat_positions(c.output, packed ? c.output.row_pitch : c.row_pitch);
  int64_t vectors = (positions + LANES - 1) / LANES;
  int64_t tiles = (vectors + c.vectors - 1) / c.vectors, tile = 0;
  /* Tiles of equal size: 26 vectors with V = 12 are 9 + 9 + 8. */
  int64_t step = (vectors + tiles - 1) / tiles * LANES;
  int64_t first = 0, end = c.output.planes;
  const bool even = tiles % parts == 0 || tiles >= 8 * parts || c.groups < parts;
  if (even && (direct || !flat)) {
    tile = part_start(tiles, part, parts);
    tiles = part_start(tiles, part + 1, parts);
  } else {
    first = a.group_starts[part_start(c.groups, part, parts)];
    end = a.group_starts[part_start(c.groups, part + 1, parts)];
  }
  for (int64_t row = first; c.adds && flat && !direct && row < end; row++)
    gather_band(c.output, a.y + a.rows[row].plane * c.output.plane_pitch, c.row_pitch);
  int64_t rows_block = c.rows_block > 0 ? c.rows_block : end - first;
  for (int64_t row = first; row < end; row += rows_block) {
    int64_t stop = row + rows_block < end ? row + rows_block : end;
    for (int64_t t = tile; t < tiles; t++) {
      int64_t q0 = t * step, q1 = q0 + step < positions ? q0 + step : positions;
      if (q0 >= q1) continue;
      if (flat)
        sparse_rows(c, a, panel, row, stop, q0, q1);
      else
        sparse_rows_apart(c, a, row, stop, q0, q1);
    }
  }
  int64_t q0 = tile * step, q1 = tiles * step < positions ? tiles * step : positions;
  for (int64_t row = first; flat && row < end && q0 < q1; row++) {
    float *plane = a.y + a.rows[row].plane * c.output.plane_pitch;
    if (direct)
      zero_band_halo(c.output, plane, q0, q1);
    else
      spread_band(c.output, plane, c.row_pitch);
  }
}

#endif
