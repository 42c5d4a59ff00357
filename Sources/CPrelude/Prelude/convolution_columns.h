/* convolution_columns.h: dense and compact convolution over lists of columns, without im2col.
 *
 * For every output m and every flat position q of the input's pitch
 *     y[m][q] = bias[m] + sum over k of weights[m][k] * x[offsets[k] + q],
 * where column k stands for one (input channel c, tap r, tap s) and
 *     offsets[k] = c*plane_pitch + (r*dilation - pad)*row_pitch + (s*dilation - pad)
 * for stride 1 (the input's halo holds the zeros; see planes.h), or the offset in phase planes for
 * other strides (see phase_split).
 *
 * Outputs are computed in blocks. All outputs of a block belong to one group and share a list of
 * columns; columns that are zero in all of them are not in the list. Outputs whose weights are all
 * zero are in no block: they are filled with their bias.
 *
 * A convolution that `adds` does so to what y holds, before the rectifier: y is a value of the output's
 * shape and layout, and each part reads what it writes.
 *
 * Reads x at min(offsets) .. max(offsets) + flat positions + READ_SLACK. Writes the output's
 * elements and its declared halo (zeros); and gap columns, where output.row_pitch == row_pitch.
 */
#ifndef SPARSEC_CONVOLUTION_COLUMNS_H
#define SPARSEC_CONVOLUTION_COLUMNS_H

#include "band.h"
#include "strip.h"

/* A table of blocks ends with one that has nothing but the ends of the lists. */
struct columns_block {
  uint32_t group;        /* its inputs begin at x + group * group_pitch */
  uint32_t first_output; /* place of its first output; it has all up to the next block's */
  uint32_t columns;      /* k */
  uint32_t first_offset; /* blocks may share a list */
  uint32_t first_weight; /* weights lie as [k][outputs of the block], block behind block */
};

/* Recommended: tile_outputs x tile_vectors = 6 x 2 or 4 x 3 for 8 lanes and 4 lanes; 14 x 2 or
 * 9 x 3 for 16: whichever leaves fewer unused outputs and vectors; fewer outputs where that leaves
 * out more columns, but not 3 x 4 with 16 registers or 7 x 4 with 32 (sums, inputs and a weight do
 * not fit: 3 x 4 takes twice the time of 3 x 3); columns_block about 256, a multiple of the taps of
 * a channel; band so that columns * band floats fill half of L2 at most, not below 4 tiles (band =
 * 64K floats / channels for 512 kB), and 512 at most for 32 kB of L1.
 */
struct convolution_columns {
  struct planes output;  /* output.planes = outputs of all groups */
  int64_t row_pitch;     /* of x: the pitch of flat positions */
  int64_t group_pitch;   /* floats of x from one group's inputs to the next's */
  int64_t blocks;        /* without the one at the table's end */
  int64_t block_sizes;   /* bit m is set when a block has m outputs; a literal */
  int64_t columns_block; /* k summed in one go, >= 1 */
  int64_t tile_outputs;  /* M <= 14, a literal: outputs of a block at most */
  int64_t tile_vectors;  /* P <= 4, a literal; M * P <= ACCUMULATORS (12; 28 with AVX-512) */
  int64_t band;          /* flat positions of one band; cut to BAND_FLOATS / M */
  bool adds;             /* to what is in y, whose halo is zero already */
  enum rectifier rectifier;
  float slope;
};

/* What all blocks share. */
struct columns_arrays {
  const float *x;
  const uint32_t *planes; /* the plane of every output: those in blocks, then the others */
  const int32_t *offsets;
  const float *weights;
  const float *bias; /* in the order of `planes`; may be NULL */
  float *y;
  float *buffer; /* BAND_FLOATS for sums that do not go straight to y */
};

/* One block of `outputs` outputs over positions [q0, q1); `direct`: sums go straight to y. */
ALWAYS_INLINE void columns_block_band(
  const struct convolution_columns c, const int outputs, const bool direct,
  const struct columns_block block, const struct columns_arrays a, int64_t q0, int64_t q1
) {
  static const float no_bias[MAX_TILE_OUTPUTS] = {0};
  const uint32_t *planes = a.planes + block.first_output;
  const float *bias = a.bias ? a.bias + block.first_output : no_bias;
  const float *x = a.x + block.group * c.group_pitch + q0;
  float *sums = direct ? a.y + q0 : a.buffer;
  struct strip strip = {.slope = c.slope};
  /* One line more than the band: rows of sums shall not fall into the same cache sets. */
  int64_t buffer_pitch = (q1 - q0 + LANES - 1) / LANES * LANES + 16;
  for (int m = 0; m < outputs; m++)
    strip.at[m] = direct ? planes[m] * c.output.plane_pitch : m * buffer_pitch;
  for (int m = 0; c.adds && !direct && m < outputs; m++)
    load_band(
      c.output, a.y + planes[m] * c.output.plane_pitch, sums + strip.at[m], c.row_pitch, q0, q1
    );
  for (int64_t k = 0; k < block.columns; k += c.columns_block) {
    int64_t rest = block.columns - k;
    strip.columns = rest < c.columns_block ? rest : c.columns_block;
    strip.offsets = a.offsets + block.first_offset + k;
    strip.weights = a.weights + block.first_weight + k * outputs;
    strip.bias = k == 0 ? bias : NULL;
    strip.go_on = k > 0 || c.adds;
    strip.rectifier = rest <= c.columns_block ? c.rectifier : RECTIFIER_NONE;
    strips(outputs, (int)c.tile_vectors, &strip, x, sums, q1 - q0);
  }
  for (int m = 0; m < outputs; m++) {
    float *plane = a.y + planes[m] * c.output.plane_pitch;
    if (direct)
      zero_band_halo(c.output, plane, q0, q1);
    else
      store_band(c.output, plane, sums + strip.at[m], c.row_pitch, q0, q1);
  }
}

/* The first of `bands` x `count` pieces, band by band, that belongs to `part`: a piece weighs as
 * many multiply-adds as its block has weights. */
ALWAYS_INLINE int64_t first_piece(
  const struct columns_block *blocks, int64_t count, int64_t bands, int part, int parts
) {
  int64_t of_band = blocks[count].first_weight, block = 0;
  if (of_band == 0) return 0;
  int64_t wanted = part_start(bands * of_band, part, parts);
  while (blocks[block].first_weight < wanted % of_band) block++;
  return wanted / of_band * count + block;
}

/* bias may be NULL. Split over bands and blocks of outputs. */
ALWAYS_INLINE void convolution_columns(
  const struct convolution_columns c, const float *x, const struct columns_block *blocks,
  const uint32_t *planes, const int32_t *offsets, const float *weights, const float *bias, float *y,
  int part, int parts
) {
  const int M = (int)c.tile_outputs;
  const int64_t tile = c.tile_vectors * LANES, positions = flat_positions(c.output, c.row_pitch);
  const bool direct = c.output.row_pitch == c.row_pitch;
  _Alignas(64) float buffer[direct ? 1 : BAND_FLOATS];
  const struct columns_arrays a = {x, planes, offsets, weights, bias, y, buffer};

  int64_t band = c.band, largest = (BAND_FLOATS / M - 16) / tile * tile;
  if (band > largest) band = largest;
  int64_t bands = (positions + band - 1) / band;
  /* Enough pieces that all parts are busy most of the time. */
  while (parts > 1 && bands * c.blocks < 4 * parts && positions / bands > 4 * tile) bands *= 2;
  /* Bands of equal length, in whole tiles. */
  band = ((positions + bands - 1) / bands + tile - 1) / tile * tile;
  bands = (positions + band - 1) / band;

  int64_t end = first_piece(blocks, c.blocks, bands, part + 1, parts);
  for (int64_t i = first_piece(blocks, c.blocks, bands, part, parts); i < end; i++) {
    int64_t q0 = i / c.blocks * band, q1 = q0 + band < positions ? q0 + band : positions;
    const struct columns_block *block = blocks + i % c.blocks;
    switch (block[1].first_output - block[0].first_output) {
#define SIZE(m)                                              \
  case m:                                                    \
    if (m <= M && c.block_sizes >> m & 1)                    \
      columns_block_band(c, m, direct, *block, a, q0, q1);   \
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

  int64_t live = blocks[c.blocks].first_output, dead = c.output.planes - live;
  int64_t stop = live + part_start(dead, part + 1, parts);
  for (int64_t i = live + part_start(dead, part, parts); i < stop; i++) {
    float value = bias ? bias[i] : 0, *plane = y + planes[i] * c.output.plane_pitch;
    if (c.adds)
      add_to_plane(c.output, plane, value, c.rectifier, c.slope);
    else
      fill_plane(c.output, plane, rectified_scalar(value, c.rectifier, c.slope));
  }
}

#endif
