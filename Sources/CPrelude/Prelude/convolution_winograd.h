/* convolution_winograd.h: 3 x 3 and 5 x 5 convolutions of stride 1 by Winograd's minimal filtering.
 *
 * The output is computed in tiles (winograd.h), a band of rows of tiles at a time:
 *   1. the windows of the band's tiles are transformed, all channels of a group;
 *   2. for `filters_block` filters and `channels_block` channels at a time, weights are transformed
 *      (they stand in memory as they are: four times fewer bytes, and nothing to set up) and, entry
 *      by entry, multiplied with the windows;
 *   3. the products are transformed back to tiles, with bias and rectifier.
 *
 * Where windows reach beyond the input's declared halo, channels are first copied between zeros;
 * where tiles reach beyond the output, they go through a buffer too. Reads x's elements and halo
 * and up to READ_SLACK floats behind; writes the output's elements and its declared halo (zeros).
 *
 * Sums are rounded otherwise than those of the plain product: their root mean square error was
 * 3e-7 (A = 4), 2e-6 (A = 6) and 3.5e-6 (A = 8) of the sums' own with blocks of 64 channels, and
 * 1e-5 of the largest sum at most. An infinity or NaN spreads over its tile.
 */
#ifndef SPARSEC_CONVOLUTION_WINOGRAD_H
#define SPARSEC_CONVOLUTION_WINOGRAD_H

#include "planes.h"
#include "winograd.h"

/* Tiles of a band at most. */
#define MAX_WINOGRAD_TILES 256

/* weights: [group][block of WINOGRAD_FILTERS filters][channel / WINOGRAD_CHANNELS][tap]
 *          [channel % WINOGRAD_CHANNELS][filter of the block], with zeros for filters and channels
 *          that do not exist; of transformed weights an entry instead of each tap. */
struct convolution_winograd {
  struct planes input, output; /* all channels and filters */
  int64_t groups;
  int64_t pad_top, pad_left;
  int64_t window;         /* A, a literal: 4, 6 or 8 */
  int64_t taps;           /* R, a literal: 3, or 5 with A > 4 */
  int64_t tile_rows;      /* rows of tiles of a band */
  int64_t filters_block;  /* a multiple of WINOGRAD_FILTERS */
  int64_t channels_block; /* a multiple of WINOGRAD_CHANNELS */
  bool is_transformed;    /* weights come as G w G^T (or were trained as such) */
  int64_t scratch_floats; /* that each part has: at least winograd_scratch(...).size */
  bool adds;              /* see convolution_columns.h */
  enum rectifier rectifier;
  float slope;
};

/* Scratch, in floats, each rounded up to a multiple of 16 (winograd_layout). */
struct winograd_scratch {
  float *windows;  /* channel blocks of A*A entries of [panel][channel][3, 2 or 1 vectors] */
  float *filters;  /* A*A entries of [block of filters][channel][WINOGRAD_FILTERS] */
  float *products; /* A*A entries of [filter][tile] */
  float *plane;    /* a band of one channel or filter */
  int64_t size;
};

/* Numbers that follow from a convolution_winograd. */
struct winograd_extents {
  int64_t tile;                   /* T */
  int64_t rows, columns;          /* of tiles */
  int64_t vectors;                /* of tiles of a band, at most */
  int64_t channels, blocks;       /* of a group; blocks of filters */
  int64_t filters;                /* of a group */
  int64_t slab, slabs;            /* channels of a block, rounded; how many blocks */
  int64_t windows_pitch, slab_pitch, filters_pitch, products_pitch; /* between entries; slabs */
  int64_t plane_pitch;            /* between rows of scratch.plane */
  bool inputs_lie_open, outputs_lie_open; /* not through scratch.plane */
};

ALWAYS_INLINE int64_t rounded_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

ALWAYS_INLINE struct winograd_extents winograd_extents(const struct convolution_winograd c) {
  struct winograd_extents e = {.tile = c.window - c.taps + 1};
  e.rows = (c.output.height + e.tile - 1) / e.tile;
  e.columns = (c.output.width + e.tile - 1) / e.tile;
  e.vectors = (c.tile_rows * e.columns + LANES - 1) / LANES;
  e.channels = c.input.planes / c.groups;
  e.filters = c.output.planes / c.groups;
  e.blocks = (e.filters + WINOGRAD_FILTERS - 1) / WINOGRAD_FILTERS;
  e.slab = rounded_up(e.channels, WINOGRAD_CHANNELS);
  if (e.slab > c.channels_block) e.slab = c.channels_block;
  e.slabs = (e.channels + e.slab - 1) / e.slab;
  /* One line more than they need: entries shall not fall into the same cache sets. */
  e.windows_pitch = e.slab * e.vectors * LANES + 16;
  e.slab_pitch = c.window * c.window * e.windows_pitch;
  e.filters_pitch = c.filters_block * e.slab + 16;
  e.products_pitch = c.filters_block * e.vectors * LANES + 16;
  int64_t reach_y = e.rows * e.tile + c.taps - 1, reach_x = e.columns * e.tile + c.taps - 1;
  e.plane_pitch = rounded_up(reach_x + 2, 4);
  e.inputs_lie_open = c.input.top >= c.pad_top && c.input.left >= c.pad_left &&
                      reach_y - c.pad_top <= c.input.height + c.input.bottom &&
                      reach_x - c.pad_left <= c.input.width + c.input.right;
  e.outputs_lie_open =
    c.output.height == e.rows * e.tile && c.output.width == e.columns * e.tile;
  return e;
}

/* Cuts `memory` up; with NULL, only tells the size that one part needs. */
ALWAYS_INLINE struct winograd_scratch winograd_scratch(
  const struct convolution_winograd c, const struct winograd_extents e, float *memory
) {
  int64_t entries = c.window * c.window, at = 0;
  struct winograd_scratch s;
#define TAKE(name, count)               \
  s.name = memory ? memory + at : NULL; \
  at += rounded_up(count, 16);
  TAKE(windows, e.slabs * e.slab_pitch)
  TAKE(filters, entries * e.filters_pitch)
  TAKE(products, entries * e.products_pitch)
  TAKE(plane, (c.tile_rows * e.tile + c.taps - 1) * e.plane_pitch + 16)
#undef TAKE
  s.size = at;
  return s;
}

/* A band: rows of tiles [first, first + rows). */
struct winograd_band {
  int64_t first, rows, tiles, vectors;
  int64_t wide; /* vectors in panels of three; the others stand in panels of two, or alone */
};

ALWAYS_INLINE struct winograd_band winograd_band_of(
  const struct convolution_winograd c, const struct winograd_extents e, int64_t index
) {
  struct winograd_band b = {.first = index * c.tile_rows, .rows = c.tile_rows};
  if (b.rows > e.rows - b.first) b.rows = e.rows - b.first;
  b.tiles = b.rows * e.columns;
  b.vectors = (b.tiles + LANES - 1) / LANES;
  b.wide = b.vectors % 3 == 0 ? b.vectors : b.vectors % 3 == 2 ? b.vectors - 2 : b.vectors - 4;
  if (b.wide < 0) b.wide = 0;
  return b;
}

/* The panel of vector v: where it begins, and how many vectors it has. */
ALWAYS_INLINE int64_t panel_start(const struct winograd_band *b, int64_t v) {
  return v < b->wide ? v / 3 * 3 : b->wide + (v - b->wide) / 2 * 2;
}

ALWAYS_INLINE int64_t panel_vectors(const struct winograd_band *b, int64_t start) {
  if (start < b->wide) return 3;
  return b->vectors - start < 2 ? 1 : 2;
}

/* Where the band's tiles begin, in rows `pitch` apart; lanes without a tile repeat the last. */
SHARED void tile_places(
  const struct winograd_band *b, int64_t columns, int64_t tile, int64_t pitch, int32_t *at
) {
  for (int64_t i = 0; i < b->vectors * LANES; i++) {
    int64_t t = i < b->tiles ? i : b->tiles - 1;
    at[i] = (int32_t)((t / columns * pitch + t % columns) * tile);
  }
}

/* The part of rows [row, row + rows) and columns [column, column + width) of a plane that lies
 * inside it, copied to the same place of `to`. */
SHARED void copy_inside(
  struct planes v, const float *plane, int64_t row, int64_t rows, int64_t column, int64_t width,
  float *to, int64_t pitch
) {
  int64_t left = column < 0 ? -column : 0;
  if (width > v.width - column) width = v.width - column;
  int64_t i = row < 0 ? -row : 0, end = rows < v.height - row ? rows : v.height - row;
  for (; i < end && left < width; i++)
    copy_floats(
      to + i * pitch + left, plane + (row + i) * v.row_pitch + column + left, width - left
    );
}

/* Transforms all windows of the band; x is the group's first channel. */
ALWAYS_INLINE void winograd_windows(
  const int A, const struct convolution_winograd *c, const struct winograd_extents *e,
  const struct winograd_band *b, const float *x, const struct winograd_scratch *s
) {
  int32_t at[MAX_WINOGRAD_TILES];
  int64_t row = b->first * e->tile - c->pad_top, rows = b->rows * e->tile + c->taps - 1;
  int64_t pitch = e->inputs_lie_open ? c->input.row_pitch : e->plane_pitch;
  tile_places(b, e->columns, e->tile, pitch, at);
  if (!e->inputs_lie_open) fill_floats(s->plane, rows * pitch + 16, 0);
  for (int64_t k = 0; k < e->channels; k++, x += c->input.plane_pitch) {
    const float *from = x + row * c->input.row_pitch - c->pad_left;
    if (!e->inputs_lie_open) {
      copy_inside(c->input, x, row, rows, -c->pad_left, pitch, s->plane, pitch);
      from = s->plane;
    }
    float *to = s->windows + k / e->slab * e->slab_pitch;
    for (int64_t v = 0; v < b->vectors; v++) {
      int64_t start = panel_start(b, v), width = panel_vectors(b, start);
      int64_t place = start * e->slab + k % e->slab * width + v - start;
      transform_windows(A, from, at + v * LANES, pitch, to + place * LANES, e->windows_pitch);
    }
  }
  /* Channels that fill up the last vector of weights: their weights are zero, but NaN is not. */
  for (int64_t k = e->channels; k % WINOGRAD_CHANNELS != 0; k++)
    for (int64_t v = 0; v < b->vectors; v++) {
      int64_t start = panel_start(b, v), width = panel_vectors(b, start);
      int64_t place = start * e->slab + k % e->slab * width + v - start;
      float *to = s->windows + (e->slabs - 1) * e->slab_pitch + place * LANES;
      for (int64_t i = 0; i < A * A; i++) store(to + i * e->windows_pitch, (vector){0});
    }
}

/* All entries of `blocks` blocks of filters, over the channels of one slab. */
SHARED void winograd_products(
  int64_t entries, const struct winograd_extents *e, const struct winograd_band *b, int64_t blocks,
  int64_t channels, const float *windows, const struct winograd_scratch *s, bool go_on
) {
  const int64_t filters = WINOGRAD_FILTERS;
  int64_t u_pitch = channels * filters, m_pitch = b->vectors * LANES;
  for (int64_t i = 0; i < entries; i++) {
    const float *u = s->filters + i * e->filters_pitch, *entry = windows + i * e->windows_pitch;
    float *products = s->products + i * e->products_pitch;
    for (int64_t start = 0; start < b->vectors;) {
      int64_t width = panel_vectors(b, start), block = 0;
      const float *v = entry + start * e->slab * LANES;
      float *m = products + start * LANES;
      const int64_t narrow = WINOGRAD_NARROW_BLOCKS;
      for (; width == 1 && block + narrow <= blocks; block += narrow)
        winograd_narrow_product(
          channels, u + block * u_pitch, u_pitch, v, m + block * filters * m_pitch, m_pitch, go_on
        );
      for (; block < blocks; block++) {
        const float *of_block = u + block * u_pitch;
        float *to = m + block * filters * m_pitch;
        if (width == 3) winograd_product_1x3(channels, of_block, u_pitch, v, to, m_pitch, go_on);
        if (width == 2) winograd_product_1x2(channels, of_block, u_pitch, v, to, m_pitch, go_on);
        if (width == 1) winograd_product_1x1(channels, of_block, u_pitch, v, to, m_pitch, go_on);
      }
      start += width;
    }
  }
}

/* Filters [first, end) of the group: y and bias are the group's first. */
ALWAYS_INLINE void winograd_tiles(
  const int A, const int T, const struct convolution_winograd *c, const struct winograd_extents *e,
  const struct winograd_band *b, int64_t first, int64_t end, const float *bias, float *y,
  const struct winograd_scratch *s
) {
  int32_t at[MAX_WINOGRAD_TILES];
  int64_t row = b->first * T, m_pitch = b->vectors * LANES;
  struct tile_output o = {at, c->output.row_pitch, 0, c->adds, c->rectifier, c->slope};
  if (!e->outputs_lie_open) o.pitch = e->plane_pitch;
  tile_places(b, e->columns, T, o.pitch, at);
  int64_t height = c->output.height - row < b->rows * T ? c->output.height - row : b->rows * T;
  for (int64_t f = first; f < end; f++) {
    float *plane = y + f * c->output.plane_pitch + row * c->output.row_pitch;
    float *to = e->outputs_lie_open ? plane : s->plane;
    const float *m = s->products + (f - first) * m_pitch;
    o.bias = bias ? bias[f] : 0;
    for (int64_t i = 0; c->adds && !e->outputs_lie_open && i < height; i++)
      copy_floats(s->plane + i * o.pitch, plane + i * c->output.row_pitch, c->output.width);
    for (int64_t v = 0; v < b->vectors; v++) {
      int64_t n = b->tiles - v * LANES < LANES ? b->tiles - v * LANES : LANES;
      struct tile_output here = o;
      here.at += v * LANES;
      transform_tiles(A, T, m + v * LANES, e->products_pitch, &here, to, n);
    }
    for (int64_t i = 0; !e->outputs_lie_open && i < height; i++)
      copy_floats(plane + i * c->output.row_pitch, s->plane + i * o.pitch, c->output.width);
  }
}

/* One band of one group, blocks of filters [first_block, end_block). */
ALWAYS_INLINE void winograd_band(
  const int A, const int R, const struct convolution_winograd *c, const struct winograd_extents *e,
  const struct winograd_band *b, int64_t first_block, int64_t end_block, const float *x,
  const float *weights, const float *bias, float *y, const struct winograd_scratch *s
) {
  const int64_t F = WINOGRAD_FILTERS;
  const int64_t area = c->is_transformed ? A * A : R * R;
  int64_t of_block = rounded_up(e->channels, WINOGRAD_CHANNELS) * area * F;
  winograd_windows(A, c, e, b, x, s);
  for (int64_t block = first_block; block < end_block; block += c->filters_block / F) {
    int64_t blocks = c->filters_block / F;
    if (blocks > end_block - block) blocks = end_block - block;
    for (int64_t slab = 0; slab < e->slabs; slab++) {
      int64_t k = slab * e->slab, channels = rounded_up(e->channels - k, WINOGRAD_CHANNELS);
      if (channels > e->slab) channels = e->slab;
      for (int64_t i = 0; i < blocks; i++) {
        const float *w = weights + (block + i) * of_block + k * area * F;
        float *u = s->filters + i * channels * F;
        for (int64_t j = 0; j < channels; j += WINOGRAD_CHANNELS) {
          if (c->is_transformed)
            place_filters(A, w + j * area * F, u + j * F, e->filters_pitch);
          else
            transform_filters(A, R, w + j * area * F, u + j * F, e->filters_pitch);
        }
      }
      winograd_products(
        A * A, e, b, blocks, channels, s->windows + slab * e->slab_pitch, s, slab > 0
      );
    }
    int64_t end = (block + blocks) * F < e->filters ? (block + blocks) * F : e->filters;
    winograd_tiles(A, A - R + 1, c, e, b, block * F, end, bias, y, s);
  }
}

/* Rows of tiles of a band when `parts` share the work: fewer than one part alone would take, so that
 * each has a band of its own, where all the weights cost less to transform than all the windows and
 * few lanes stay empty. */
ALWAYS_INLINE int64_t shared_tile_rows(
  const struct convolution_winograd c, const struct winograd_extents e, int parts
) {
  int64_t rows = (e.rows + parts - 1) / parts;
  if (c.groups * ((e.rows + c.tile_rows - 1) / c.tile_rows) >= parts || rows >= c.tile_rows)
    return c.tile_rows;
  int64_t vectors = (rows * e.columns + LANES - 1) / LANES;
  bool cheap = e.vectors * 2 * LANES > e.filters, full = vectors * parts * 8 <= e.vectors * 9;
  return cheap && full ? rows : c.tile_rows;
}

/* What each part does: whole bands of a group where there are enough for all parts, else a share of
 * the blocks of filters in every band. */
ALWAYS_INLINE void winograd_part(
  const int A, const int R, struct convolution_winograd c, const float *x, const float *weights,
  const float *bias, float *y, float *scratch, int part, int parts
) {
  c.tile_rows = shared_tile_rows(c, winograd_extents(c), parts);
  const struct winograd_extents e = winograd_extents(c);
  const struct winograd_scratch s = winograd_scratch(c, e, scratch);
  /* Whoever gave less has miscounted: better to stop than to write elsewhere. */
  if (s.size > c.scratch_floats) __builtin_trap();
  int64_t bands = (e.rows + c.tile_rows - 1) / c.tile_rows, pieces = c.groups * bands;
  int64_t first_block = 0, end_block = e.blocks, piece = 0, end = pieces;
  if (pieces % parts == 0 || pieces >= 4 * parts) {
    piece = part_start(pieces, part, parts);
    end = part_start(pieces, part + 1, parts);
  } else {
    first_block = part_start(e.blocks, part, parts);
    end_block = part_start(e.blocks, part + 1, parts);
  }
  int64_t area = c.is_transformed ? A * A : R * R;
  int64_t of_block = rounded_up(e.channels, WINOGRAD_CHANNELS) * area * WINOGRAD_FILTERS;
  for (; piece < end && first_block < end_block; piece++) {
    int64_t group = piece / bands;
    struct winograd_band b = winograd_band_of(c, e, piece % bands);
    winograd_band(
      A, R, &c, &e, &b, first_block, end_block, x + group * e.channels * c.input.plane_pitch,
      weights + group * e.blocks * of_block, bias ? bias + group * e.filters : NULL,
      y + group * e.filters * c.output.plane_pitch, &s
    );
  }
}

#define WINOGRAD_PART(A, R)                                                                   \
  SHARED void winograd_part_##A##_##R(                                                        \
    const struct convolution_winograd *c, const float *x, const float *weights,               \
    const float *bias, float *y, float *scratch, int part, int parts                          \
  ) {                                                                                         \
    winograd_part(A, R, *c, x, weights, bias, y, scratch, part, parts);                       \
  }
WINOGRAD_PART(4, 3)
WINOGRAD_PART(6, 3)
WINOGRAD_PART(8, 3)
WINOGRAD_PART(6, 5)
WINOGRAD_PART(8, 5)

/* bias may be NULL. scratch is for this part alone. Split over bands and groups, or filters. */
ALWAYS_INLINE void convolution_winograd(
  const struct convolution_winograd c, const float *x, const float *weights, const float *bias,
  float *y, float *scratch, int part, int parts
) {
  switch (c.window * 8 + c.taps) {
#define CALL(A, R) \
  case A * 8 + R: winograd_part_##A##_##R(&c, x, weights, bias, y, scratch, part, parts); break;
    CALL(4, 3)
    CALL(6, 3)
    CALL(8, 3)
    CALL(6, 5)
    CALL(8, 5)
#undef CALL
  }
  zero_halo(c.output, y, part, parts);
}

#endif
