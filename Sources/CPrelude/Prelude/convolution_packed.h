/* convolution_packed.h: dense convolution as a matrix product over bands of positions.
 *
 * The sums of convolution_columns.h, where all outputs of a group share one list of columns:
 *     y[m][q] = bias[m] + sum over k of weights[m][k] * x[offsets[k] + place of q in the input]
 * for output positions q. A band of positions is taken at a time, and of its columns so many that their
 * inputs stay in the first-level cache while all outputs are computed from them (product.h).
 *
 * Reads x at min(offsets) .. max(offsets) + positions of the input + READ_SLACK; writes the output's elements
 * and its declared halo (zeros), and gap columns.
 */
#ifndef SPARSEC_CONVOLUTION_PACKED_H
#define SPARSEC_CONVOLUTION_PACKED_H

#include "band.h"
#include "panel.h"
#include "product.h"

/* Positions of a band, and where its inputs are read and its sums collected. */
enum band_form {
  BAND_OF_PLANES, /* in place: rows of the input and the output have the same pitch, or there is one row */
  BAND_OF_ROW,    /* in place: a band is one row, its length the output's row_pitch */
  BAND_OF_SUMS,   /* positions have the input's pitch, less than the output's; sums go to the panel, then to rows */
  BAND_OF_INPUTS  /* inputs are copied to the panel (panel.h) without what lies between their rows */
};

/* Recommended: rows only where they fill vectors; columns_block 128; a band of 512 positions of planes (256 where there
 * are more columns), of 224 of sums, and of inputs as many as make 16 kB, but one tile at least. Measured on Zen 3
 * with hot caches: 91 to 97 % of the peak for 1x1 convolutions at 14x14 to 112x112 in planes; twice the columns at a
 * time cost 3 to 10 %. */
struct convolution_packed {
  struct planes output;  /* output.planes = outputs of all groups */
  int64_t row_pitch;     /* of x */
  int64_t groups;
  int64_t group_pitch;   /* floats of x from one group's inputs to the next's */
  int64_t columns;       /* of each group */
  int64_t columns_block; /* k summed in one go */
  enum band_form form;
  int64_t band; /* positions; where there is a panel whole vectors, at most MAX_PANEL_POSITIONS, and for inputs
                   band * columns_block <= PANEL_FLOATS */
  bool adds;             /* see convolution_columns.h */
  enum rectifier rectifier;
  float slope;
};

struct packed_arrays {
  const float *x;
  const int32_t *offsets; /* [columns], the same for all groups */
  const float *weights;   /* by group, then columns_block columns, then block of BLOCK_OUTPUTS outputs (the
                             group's last one may have fewer): [k][outputs] */
  const float *bias;      /* of every output */
  float *y;
};

/* Blocks of outputs of a group. */
ALWAYS_INLINE int64_t blocks_of_group(const struct convolution_packed *c) {
  return (c->output.planes / c->groups + BLOCK_OUTPUTS - 1) / BLOCK_OUTPUTS;
}

/* Outputs [begin, end) of one group, counted from the group's first. */
struct packed_run {
  int64_t group, begin, end;
};

/* What is computed for a band: `count` positions, from inputs at x, panel or not, into sums at y. */
struct packed_band {
  const float *x;
  float *y, *panel;
  const int32_t *panel_offsets; /* NULL if inputs are read in place */
  const struct panel_piece *pieces;
  int64_t piece_count, pitch, count;
};

/* All columns of one run over one band. */
ALWAYS_INLINE void packed_products(
  const struct convolution_packed *c, const struct packed_arrays *a, const struct packed_run run,
  const struct packed_band b
) {
  const int64_t of_group = c->output.planes / c->groups, outputs = run.end - run.begin;
  const float *weights = a->weights + run.group * of_group * c->columns;
  for (int64_t k = 0; k < c->columns; k += c->columns_block) {
    const bool first = k == 0, last = k + c->columns_block >= c->columns;
    const struct product product = {
      .offsets = b.panel_offsets ? b.panel_offsets : a->offsets + k,
      .columns = last ? c->columns - k : c->columns_block,
      .pitch = b.pitch,
      .go_on = !first || c->adds,
      .rectifier = last ? c->rectifier : RECTIFIER_NONE,
      .slope = c->slope
    };
    if (b.panel_offsets)
      fill_panel(b.pieces, b.piece_count, b.x, a->offsets + k, product.columns, b.panel, c->band);
    product_band(
      &product, outputs, weights + k * of_group + run.begin * product.columns,
      first ? a->bias + run.group * of_group + run.begin : NULL, b.panel_offsets ? b.panel : b.x, b.y,
      b.count
    );
  }
}

/* Sums of a band in the panel, as many outputs at a time as find room, and from there to rows. */
ALWAYS_INLINE void packed_sums(
  const struct convolution_packed *c, const struct packed_arrays *a, float *panel,
  const struct packed_run run, int64_t q0, int64_t q1
) {
  const int64_t of_group = c->output.planes / c->groups;
  const int64_t room = PANEL_FLOATS / c->band / BLOCK_OUTPUTS * BLOCK_OUTPUTS;
  for (int64_t begin = run.begin; begin < run.end; begin += room) {
    const struct packed_run some = {
      run.group, begin, begin + room < run.end ? begin + room : run.end
    };
    float *plane = a->y + (run.group * of_group + begin) * c->output.plane_pitch;
    const int64_t outputs = some.end - begin;
    if (c->adds)
      for (int64_t m = 0; m < outputs; m++)
        load_band(
          c->output, plane + m * c->output.plane_pitch, panel + m * c->band, c->row_pitch, q0, q1
        );
    const struct packed_band band = {
      .x = a->x + run.group * c->group_pitch + q0, .y = panel, .pitch = c->band, .count = q1 - q0
    };
    packed_products(c, a, some, band);
    for (int64_t m = 0; m < outputs; m++)
      store_band(
        c->output, plane + m * c->output.plane_pitch, panel + m * c->band, c->row_pitch, q0, q1
      );
  }
}

/* One run over positions [q0, q1). */
ALWAYS_INLINE void packed_group_band(
  const struct convolution_packed *c, const struct packed_arrays *a, float *panel,
  const int32_t *panel_offsets, const struct packed_run run, int64_t q0, int64_t q1
) {
  if (c->form == BAND_OF_SUMS) {
    packed_sums(c, a, panel, run, q0, q1);
    return;
  }
  const int64_t first_output = run.group * (c->output.planes / c->groups) + run.begin;
  float *y = a->y + first_output * c->output.plane_pitch;
  struct panel_piece pieces[MAX_PANEL_POSITIONS];
  struct packed_band band = {
    .x = a->x + run.group * c->group_pitch,
    .y = y + q0,
    .panel = panel,
    .pieces = pieces,
    .pitch = c->output.plane_pitch,
    .count = q1 - q0
  };
  if (c->form == BAND_OF_PLANES) band.x += q0;
  if (c->form == BAND_OF_ROW) {
    band.x += q0 / c->output.row_pitch * c->row_pitch;
    band.count = c->output.width;
  }
  if (c->form == BAND_OF_INPUTS) {
    band.panel_offsets = panel_offsets;
    band.piece_count = panel_pieces(c->output, c->row_pitch, q0, q1, pieces);
  }
  packed_products(c, a, run, band);
  for (int64_t m = 0; m < run.end - run.begin; m++)
    zero_band_halo(c->output, y + m * c->output.plane_pitch, q0, q1);
}

/* Blocks [begin, end) of all groups' over positions [q0, q1). Shared by all layers: a copy for each would
 * take the compiler half a second. */
SHARED void packed_band(
  const struct convolution_packed *c, const struct packed_arrays *a, float *panel,
  const int32_t *panel_offsets, int64_t begin, int64_t end, int64_t q0, int64_t q1
) {
  const int64_t of_group = c->output.planes / c->groups, blocks = blocks_of_group(c);
  for (int64_t i = begin; i < end;) {
    int64_t group = i / blocks, stop = (group + 1) * blocks;
    if (stop > end) stop = end;
    int64_t from = (i - group * blocks) * BLOCK_OUTPUTS, to = (stop - group * blocks) * BLOCK_OUTPUTS;
    if (to > of_group) to = of_group;
    const struct packed_run run = {group, from, to};
    packed_group_band(c, a, panel, panel_offsets, run, q0, q1);
    i = stop;
  }
}

/* Split over bands; over bands and blocks where there are few bands. */
ALWAYS_INLINE void convolution_packed(
  const struct convolution_packed c, const struct packed_arrays a, int part, int parts
) {
  _Alignas(64) float panel[PANEL_FLOATS + 2 * LANES];
  int32_t panel_offsets[PANEL_FLOATS / LANES];
  if (c.form == BAND_OF_INPUTS) {
    for (int64_t k = 0; k < c.columns_block; k++) panel_offsets[k] = (int32_t)(k * c.band);
    /* Gaps of the output that no piece fills are computed from what is here. */
    memset(panel, 0, sizeof panel);
  }

  const int64_t pitch = c.form == BAND_OF_SUMS ? c.row_pitch : c.output.row_pitch;
  const int64_t positions = flat_positions(c.output, pitch);
  const int64_t bands = (positions + c.band - 1) / c.band, blocks = c.groups * blocks_of_group(&c);
  /* Parts share bands only where whole ones would not come out even. */
  const bool whole = bands % parts == 0 || bands >= 8 * parts;
  const int64_t pieces = whole ? bands : bands * blocks, of_band = whole ? 1 : blocks;
  const int64_t end = part_start(pieces, part + 1, parts);
  for (int64_t i = part_start(pieces, part, parts); i < end;) {
    int64_t band = i / of_band, stop = (band + 1) * of_band;
    if (stop > end) stop = end;
    int64_t q0 = band * c.band, q1 = q0 + c.band < positions ? q0 + c.band : positions;
    int64_t from = whole ? 0 : i - band * of_band, to = whole ? blocks : stop - band * of_band;
    packed_band(&c, &a, panel, panel_offsets, from, to, q0, q1);
    i = stop;
  }
}

#endif
