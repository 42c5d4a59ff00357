/* panel.h: what a convolution reads for a band of positions, copied behind each other.
 *
 * A panel has a row for each column of the weights' matrix (see convolution_columns.h), with the
 * inputs of the band's positions next to each other. Reading planes directly, every row would lie
 * on a memory page of its own: more pages than a processor keeps addresses of. Positions are those of
 * the output, whose rows may lie closer than the input's: gaps are left out on the way.
 */
#ifndef SPARSEC_PANEL_H
#define SPARSEC_PANEL_H

#include "planes.h"

/* Positions of a band at most. */
#define MAX_PANEL_POSITIONS 512
/* Floats of a panel: 64 kB stay in the second-level cache. What is copied too far needs LANES more. */
#define PANEL_FLOATS 16384

/* Part of a row: `vectors` vectors from x + from to the panel's row + to. */
struct panel_piece {
  int32_t from, to, vectors;
};

/* The pieces of output positions [q0, q1), of which at most MAX_PANEL_POSITIONS; x has `row_pitch`.
 * Pieces rise, and what one copies too far is overwritten by the next or belongs to gaps. */
SHARED int64_t panel_pieces(
  struct planes output, int64_t row_pitch, int64_t q0, int64_t q1, struct panel_piece *pieces
) {
  if (output.row_pitch == row_pitch || output.height == 1) {
    pieces[0] = (struct panel_piece){
      (int32_t)q0, 0, (int32_t)((q1 - q0 + LANES - 1) / LANES)
    };
    return 1;
  }
  int64_t count = 0;
  for (int64_t row = q0 / output.row_pitch; row * output.row_pitch < q1; row++) {
    int64_t begin = row * output.row_pitch, end = begin + output.width, shift = 0;
    if (begin < q0) shift = q0 - begin;
    if (end > q1) end = q1;
    int64_t floats = end - begin - shift;
    if (floats <= 0) continue;
    pieces[count++] = (struct panel_piece){
      (int32_t)(row * row_pitch + shift), (int32_t)(begin + shift - q0),
      (int32_t)((floats + LANES - 1) / LANES)
    };
  }
  return count;
}

/* Copies the rows of `columns` columns, whose inputs for position 0 lie at x + offsets[k], to
 * panel + k * pitch. Writes up to LANES floats behind the last row's pitch. */
SHARED void fill_panel(
  const struct panel_piece *pieces, int64_t count, const float *x, const int32_t *offsets,
  int64_t columns, float *panel, int64_t pitch
) {
  for (int64_t k = 0; k < columns; k++, panel += pitch) {
    const float *row = x + offsets[k];
    for (const struct panel_piece *p = pieces; p < pieces + count; p++)
      for (int64_t v = 0; v < p->vectors; v++)
        store(panel + p->to + v * LANES, load(row + p->from + v * LANES));
  }
}

#endif
