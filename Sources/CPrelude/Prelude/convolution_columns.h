/* convolution_columns.h: dense and compact convolution over a list of columns, without im2col.
 *
 * For every output m and every flat position q of the input's pitch
 *     y[m][q] = bias[m] + sum over k of weights[m][k] * x[offsets[k] + q],
 * where column k stands for one (input channel c, tap r, tap s) and
 *     offsets[k] = c*plane_pitch + (r*dilation - pad)*row_pitch + (s*dilation - pad)
 * for stride 1 (the input's halo holds the zeros; see planes.h), or the offset in phase planes for
 * other strides (see phase_split). Leaving columns out is how structured sparsity is used.
 *
 * Reads x at min(offsets) .. max(offsets) + flat positions + READ_SLACK. Writes the output's
 * elements and its declared halo (zeros); and gap columns, where output.row_pitch == row_pitch.
 */
#ifndef SPARSEC_CONVOLUTION_COLUMNS_H
#define SPARSEC_CONVOLUTION_COLUMNS_H

#include "band.h"
#include "strip.h"

/* Weights are packed for each group, for each block of `tile_outputs` outputs (the group's last
 * block holds the remaining ones), as [k][outputs of the block]; blocks follow each other without
 * gaps.
 *
 * Recommended: tile_outputs x tile_vectors = 6 x 2 or 4 x 3 for 8 lanes and 4 lanes; 14 x 2 or
 * 9 x 3 for 16: whichever leaves fewer unused outputs and vectors; columns_block about 256, a
 * multiple of the taps of a channel; band so that columns * band floats fill half of L2 at most,
 * not below 4 tiles (band = 64K floats / channels for 512 kB), and 512 at most for 32 kB of L1.
 */
struct convolution_columns {
  struct planes output;  /* output.planes = outputs of all groups */
  int64_t row_pitch;     /* of x: the pitch of flat positions */
  int64_t groups;        /* >= 1 */
  int64_t group_pitch;   /* floats of x from one group's inputs to the next's */
  int64_t columns;       /* k of one group; the same offsets serve all groups */
  int64_t columns_block; /* k summed in one go, >= 1 */
  int64_t tile_outputs;  /* M <= 14, a literal */
  int64_t tile_vectors;  /* P <= 4, a literal; M * P <= ACCUMULATORS (12; 28 with AVX-512) */
  int64_t band;          /* flat positions of one band; cut to BAND_FLOATS / M */
  enum rectifier rectifier;
  float slope;
};

/* One block of `outputs` outputs over positions [q0, q1); `direct`: sums go straight to y. */
ALWAYS_INLINE void columns_block_band(
  const struct convolution_columns c, const int outputs, const bool direct, const float *x,
  const int32_t *offsets, const float *weights, const float *bias, float *y, int64_t q0, int64_t q1
) {
  _Alignas(64) float buffer[direct ? 1 : BAND_FLOATS];
  float *sums = direct ? y + q0 : buffer;
  struct strip strip = {
    .slope = c.slope,
    /* One line more than the band: rows of sums shall not fall into the same cache sets. */
    .y_pitch = direct ? c.output.plane_pitch : (q1 - q0 + LANES - 1) / LANES * LANES + 16,
  };
  for (int64_t k = 0; k == 0 || k < c.columns; k += c.columns_block) {
    int64_t rest = c.columns - k;
    strip.columns = rest < c.columns_block ? rest : c.columns_block;
    strip.offsets = offsets + k;
    strip.weights = weights + k * outputs;
    strip.bias = k == 0 ? bias : NULL;
    strip.rectifier = rest <= c.columns_block ? c.rectifier : RECTIFIER_NONE;
    strips(outputs, (int)c.tile_vectors, &strip, x + q0, sums, q1 - q0);
  }
  for (int m = 0; m < outputs; m++) {
    float *plane = y + m * c.output.plane_pitch;
    if (direct)
      zero_band_halo(c.output, plane, q0, q1);
    else
      store_band(c.output, plane, sums + m * strip.y_pitch, c.row_pitch, q0, q1);
  }
}

/* bias may be NULL. Split over bands and blocks of outputs. */
ALWAYS_INLINE void convolution_columns(
  const struct convolution_columns c, const float *x, const int32_t *offsets, const float *weights,
  const float *bias, float *y, int part, int parts
) {
  static const float no_bias[MAX_TILE_OUTPUTS] = {0};
  const int M = (int)c.tile_outputs;
  const int64_t group_outputs = c.output.planes / c.groups;
  const int64_t group_blocks = (group_outputs + M - 1) / M, blocks = c.groups * group_blocks;
  const int rest = (int)(group_outputs % M);
  const int64_t tile = c.tile_vectors * LANES, positions = flat_positions(c.output, c.row_pitch);
  const bool direct = c.output.row_pitch == c.row_pitch;

  int64_t band = c.band, largest = (BAND_FLOATS / M - 16) / tile * tile;
  if (band > largest) band = largest;
  int64_t bands = (positions + band - 1) / band;
  /* Enough pieces that all parts are busy most of the time. */
  while (parts > 1 && bands * blocks < 4 * parts && positions / bands > 4 * tile) bands *= 2;
  /* Bands of equal length, in whole tiles. */
  band = ((positions + bands - 1) / bands + tile - 1) / tile * tile;
  bands = (positions + band - 1) / band;

  int64_t end = part_start(bands * blocks, part + 1, parts);
  for (int64_t i = part_start(bands * blocks, part, parts); i < end; i++) {
    int64_t q0 = i / blocks * band, q1 = q0 + band < positions ? q0 + band : positions;
    int64_t group = i % blocks / group_blocks, block = i % blocks % group_blocks;
    int64_t output = group * group_outputs + block * M;
    const float *block_x = x + group * c.group_pitch;
    const float *block_weights = weights + output * c.columns;
    const float *block_bias = bias ? bias + output : no_bias;
    float *block_y = y + output * c.output.plane_pitch;
    if (rest != 0 && block == group_blocks - 1)
      columns_block_band(
        c, rest, direct, block_x, offsets, block_weights, block_bias, block_y, q0, q1
      );
    else
      columns_block_band(
        c, M, direct, block_x, offsets, block_weights, block_bias, block_y, q0, q1
      );
  }
}

#endif
