/* convolution_packed.h: dense convolution as a matrix product over packed panels of inputs.
 *
 * The sums of convolution_columns.h, where all outputs of a group share one list of columns:
 *     y[m][q] = bias[m] + sum over k of weights[m][k] * x[offsets[k] + place of q in the input]
 * for output positions q. A band of positions is taken at a time; of its inputs some columns are
 * copied into a panel (panel.h), from which all outputs are computed before the next columns come.
 *
 * Reads x at min(offsets) .. max(offsets) + positions of the input + READ_SLACK; writes the output's elements
 * and its declared halo (zeros), and gap columns.
 */
#ifndef SPARSEC_CONVOLUTION_PACKED_H
#define SPARSEC_CONVOLUTION_PACKED_H

#include "band.h"
#include "panel.h"
#include "strip.h"

/* Outputs that are computed together, of one group; the table ends with one more, which has nothing
 * but the ends of the others. */
struct packed_block {
  uint32_t group;        /* its inputs begin at x + group * group_pitch */
  uint32_t first_output; /* it has all up to the next block's */
};

/* Recommended: blocks of 6 outputs and 2 vectors for 8 lanes, 14 and 2 for 16; of 1 or 2 outputs and 4 vectors
 * where a group has no more. columns_block 512, or 128 for 64 outputs and fewer; band as many
 * positions as make a panel of 32 kB, but 2 tiles at least (measured on Zen 3: 88 to 91 % of the peak
 * for 1x1 convolutions at 28x28 and 56x56, where reading planes directly gives 77 to 83 %).
 */
struct convolution_packed {
  struct planes output;  /* output.planes = outputs of all groups */
  int64_t row_pitch;     /* of x */
  int64_t group_pitch;   /* floats of x from one group's inputs to the next's */
  int64_t columns;       /* of each group */
  int64_t columns_block; /* k summed in one go */
  int64_t blocks;        /* without the one at the table's end, sorted by group */
  int64_t tile_vectors;  /* P, 2 or 4; outputs of a block times P <= ACCUMULATORS */
  int64_t band;          /* positions: whole tiles, at most MAX_PANEL_POSITIONS, and
                            band * columns_block <= PANEL_FLOATS */
  bool adds;             /* see convolution_columns.h */
  enum rectifier rectifier;
  float slope;
};

struct packed_arrays {
  const float *x;
  const struct packed_block *blocks;
  const int32_t *offsets; /* [columns], the same for all groups */
  const float *weights;   /* by group, then columns_block columns, then block: [k][outputs]; and
                             LANES floats more */
  const float *bias;      /* of every output */
  float *y;
};

/* One block over one panel, from column k on. */
ALWAYS_INLINE void packed_block_band(
  const struct convolution_packed *c, const int outputs, const int P,
  const struct packed_arrays *a, const struct packed_block block, struct strip *strip,
  const float *panel, int64_t q0, int64_t q1, bool first, bool last
) {
  for (int m = 0; m < outputs; m++)
    strip->at[m] = (block.first_output + m) * c->output.plane_pitch;
  strip->bias = first ? a->bias + block.first_output : NULL;
  strip->go_on = !first || c->adds;
  strip->rectifier = last ? c->rectifier : RECTIFIER_NONE;
  const int64_t positions = q1 - q0, tail = positions % LANES;
  if (outputs >= 4 && outputs <= LANES && (tail == 1 || tail == 2)) {
    const int64_t whole = positions - tail;
    if (whole > 0) strips(outputs, P, strip, panel, a->y + q0, whole);
    if (tail == 1)
      strip_tail(outputs, strip, panel + whole, a->y + q0 + whole, 1);
    else
      strip_tail(outputs, strip, panel + whole, a->y + q0 + whole, 2);
  } else {
    strips(outputs, P, strip, panel, a->y + q0, positions);
  }
}

/* Blocks [begin, end) over positions [q0, q1). */
ALWAYS_INLINE void packed_band(
  const int P, const struct convolution_packed *c, const struct packed_arrays *a, float *panel,
  const int32_t *panel_offsets, int64_t begin, int64_t end, int64_t q0, int64_t q1
) {
  struct panel_piece pieces[MAX_PANEL_POSITIONS];
  int64_t count = panel_pieces(c->output, c->row_pitch, q0, q1, pieces);
  for (int64_t i = begin; i < end;) {
    int64_t group = a->blocks[i].group, stop = i, group_start = i, group_end = i;
    while (stop < end && a->blocks[stop].group == group) stop++;
    while (group_start > 0 && a->blocks[group_start - 1].group == group) group_start--;
    while (group_end < c->blocks && a->blocks[group_end].group == group) group_end++;
    int64_t before = a->blocks[group_start].first_output;
    int64_t of_group = a->blocks[group_end].first_output - before;
    /* Weights of the groups before, which have the same columns. */
    const float *weights = a->weights + before * c->columns;
    for (int64_t k = 0; k < c->columns; k += c->columns_block) {
      int64_t columns = c->columns - k < c->columns_block ? c->columns - k : c->columns_block;
      fill_panel(
        pieces, count, a->x + group * c->group_pitch, a->offsets + k, columns, panel, c->band
      );
      struct strip strip = {.offsets = panel_offsets, .columns = columns, .slope = c->slope};
      for (int64_t b = i; b < stop; b++) {
        const struct packed_block block = a->blocks[b];
        strip.weights = weights + k * of_group + (block.first_output - before) * columns;
        switch (a->blocks[b + 1].first_output - block.first_output) {
#define SIZE(m)                                                                          \
  case m:                                                                                \
    if (m * P <= ACCUMULATORS)                                                           \
      packed_block_band(                                                                 \
        c, m, P, a, block, &strip, panel, q0, q1, k == 0, k + columns == c->columns      \
      );                                                                                 \
    break;
          SIZE(1)
          SIZE(2)
          SIZE(3)
          SIZE(4)
          SIZE(5)
          SIZE(6)
          SIZE(7)
          SIZE(8)
          SIZE(9)
          SIZE(10)
          SIZE(11)
          SIZE(12)
          SIZE(13)
          SIZE(14)
#undef SIZE
        }
      }
    }
    i = stop;
  }
  for (int64_t o = a->blocks[begin].first_output; o < a->blocks[end].first_output; o++)
    zero_band_halo(c->output, a->y + o * c->output.plane_pitch, q0, q1);
}

/* Shared by all layers: a copy for each would take the compiler half a second. */
#define PACKED_BAND(P)                                                                       \
  SHARED void packed_band_##P(                                                               \
    const struct convolution_packed *c, const struct packed_arrays *a, float *panel,         \
    const int32_t *panel_offsets, int64_t begin, int64_t end, int64_t q0, int64_t q1         \
  ) {                                                                                        \
    packed_band(P, c, a, panel, panel_offsets, begin, end, q0, q1);                          \
  }
PACKED_BAND(2)
PACKED_BAND(4)

/* Split over bands; over bands and blocks where there are few bands. */
ALWAYS_INLINE void convolution_packed(
  const struct convolution_packed c, const struct packed_arrays a, int part, int parts
) {
  _Alignas(64) float panel[PANEL_FLOATS + 2 * LANES];
  int32_t panel_offsets[PANEL_FLOATS / LANES];
  for (int64_t k = 0; k < c.columns_block; k++) panel_offsets[k] = (int32_t)(k * c.band);
  /* Gaps of the output that no piece fills are computed from what is here. */
  if (c.output.row_pitch != c.row_pitch) memset(panel, 0, sizeof panel);

  const int64_t positions = flat_positions(c.output, c.output.row_pitch);
  const int64_t bands = (positions + c.band - 1) / c.band, blocks = c.blocks;
  /* Parts share bands only where whole ones would not come out even. */
  const bool whole = bands % parts == 0 || bands >= 8 * parts;
  const int64_t pieces = whole ? bands : bands * blocks, of_band = whole ? 1 : blocks;
  const int64_t end = part_start(pieces, part + 1, parts);
  for (int64_t i = part_start(pieces, part, parts); i < end;) {
    int64_t band = i / of_band, stop = (band + 1) * of_band;
    if (stop > end) stop = end;
    int64_t q0 = band * c.band, q1 = q0 + c.band < positions ? q0 + c.band : positions;
    int64_t from = whole ? 0 : i - band * of_band, to = whole ? blocks : stop - band * of_band;
    if (c.tile_vectors == 2)
      packed_band_2(&c, &a, panel, panel_offsets, from, to, q0, q1);
    else
      packed_band_4(&c, &a, panel, panel_offsets, from, to, q0, q1);
    i = stop;
  }
}

#endif
