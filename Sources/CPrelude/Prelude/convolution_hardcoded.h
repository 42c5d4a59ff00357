/* convolution_hardcoded.h: convolution whose pattern of nonzeros is code.
 *
 * Outputs are computed in blocks of a few. The code of a block holds an instruction for every
 * nonzero weight and for every column that the block reads; it computes all outputs of the block at
 * `vectors` vectors of flat positions (see convolution_columns.h), kept in registers, and is run for
 * one tile of positions after the other. Values are a stream beside it.
 *
 * Outputs whose weights are all zero are in no block: they are filled with their bias. Reads x at
 * min(offsets) .. max(offsets) + flat positions; writes as told at convolution_columns.h.
 */
#ifndef SPARSEC_CONVOLUTION_HARDCODED_H
#define SPARSEC_CONVOLUTION_HARDCODED_H

#include "band.h"

#define MAX_HARDCODED_OUTPUTS 28

/* sums[m * vectors * LANES + i] = bias[m] + ... at position i, for every output m of the block. */
typedef void hardcoded_code(
  const float *x, const float *values, const float *bias, float *sums
);

/* A table of blocks ends with one that has nothing but the ends of the others. */
struct hardcoded_block {
  uint32_t first_value;   /* of the block's stream */
  uint32_t first_output; /* place of its first output; it has all up to the next block's */
};

struct convolution_hardcoded {
  struct planes output; /* output.planes = outputs of all groups */
  int64_t row_pitch;    /* of x: the pitch of flat positions, of which there are vectors*LANES at least */
  int64_t blocks;       /* without the one at the table's end */
  int64_t vectors;      /* a literal */
  bool adds;            /* see convolution_columns.h */
  enum rectifier rectifier;
  float slope;
};

struct hardcoded_arrays {
  const float *x;
  const unsigned char *code;
  const uint32_t *code_starts; /* of every block, in bytes from `code` */
  const struct hardcoded_block *blocks;
  const float *values;
  const uint32_t *planes; /* the plane of every output: those in blocks, then the others */
  const float *bias;      /* in the order of `planes` */
  float *y;
};

/* The first block of `part`: blocks weigh their nonzeros. */
SHARED int64_t
balanced_block(const struct hardcoded_block *blocks, int64_t count, int part, int parts) {
  if (part == parts) return count;
  int64_t first = 0, wanted = part_start(blocks[count].first_value, part, parts);
  while (first < count && blocks[first].first_value < wanted) first++;
  return first;
}

/* Puts the sums of an output at one tile where they belong; its first `done` positions have been there. */
ALWAYS_INLINE void put_hardcoded_sums(
  const struct convolution_hardcoded c, const float *sums, float *to, int64_t done
) {
  if (c.adds && done > 0) {
    for (int64_t i = done; i < c.vectors * LANES; i++)
      to[i] = rectified_scalar(to[i] + sums[i], c.rectifier, c.slope);
    return;
  }
  for (int64_t i = 0; i < c.vectors * LANES; i += LANES) {
    vector sum = c.adds ? load(to + i) + load(sums + i) : load(sums + i);
    store(to + i, rectified(sum, c.rectifier, c.slope));
  }
}

/* One block over positions [q0, q1), a tile or more; the last tile may overlap the one before. The
 * sums of output m go to `rows[m]`, which stands for position q0. */
ALWAYS_INLINE void hardcoded_block_band(
  const struct convolution_hardcoded c, const struct hardcoded_arrays a, const int64_t block,
  int64_t q0, int64_t q1, float *const *rows
) {
  const struct hardcoded_block b = a.blocks[block];
  const int64_t step = c.vectors * LANES, outputs = a.blocks[block + 1].first_output - b.first_output;
  hardcoded_code *code = (hardcoded_code *)(uintptr_t)(a.code + a.code_starts[block]);
  const float *values = a.values + b.first_value, *bias = a.bias + b.first_output;
  _Alignas(64) float sums[MAX_HARDCODED_OUTPUTS * 4 * LANES];
  for (int64_t q = q0; q < q1; q += step) {
    int64_t at = q + step <= q1 ? q : q1 - step;
    code(a.x + at, values, bias, sums);
    for (int64_t m = 0; m < outputs; m++)
      put_hardcoded_sums(c, sums + m * step, rows[m] + at - q0, q - at);
  }
}

ALWAYS_INLINE void convolution_hardcoded(
  const struct convolution_hardcoded c, const struct hardcoded_arrays a, int part, int parts
) {
  const bool direct = c.output.row_pitch == c.row_pitch;
  const int64_t positions = flat_positions(c.output, c.row_pitch), step = c.vectors * LANES;
  const int64_t first = balanced_block(a.blocks, c.blocks, part, parts);
  const int64_t end = balanced_block(a.blocks, c.blocks, part + 1, parts);
  _Alignas(64) float buffer[BAND_FLOATS];
  float *rows[MAX_HARDCODED_OUTPUTS];
  for (int64_t block = first; block < end; block++) {
    const uint32_t *planes = a.planes + a.blocks[block].first_output;
    const int64_t outputs = a.blocks[block + 1].first_output - a.blocks[block].first_output;
    if (direct) {
      for (int64_t m = 0; m < outputs; m++) rows[m] = a.y + planes[m] * c.output.plane_pitch;
      hardcoded_block_band(c, a, block, 0, positions, rows);
      for (int64_t m = 0; m < outputs; m++) zero_band_halo(c.output, rows[m], 0, positions);
      continue;
    }
    /* Bands of whole tiles, as many as the buffer holds; the last ends with the positions, and
     * begins early enough to have a whole tile. */
    const int64_t band = BAND_FLOATS / outputs / step * step;
    for (int64_t q0 = 0; q0 < positions; q0 += band) {
      int64_t q1 = q0 + band < positions ? q0 + band : positions;
      int64_t from = q1 - q0 < step ? q1 - step : q0;
      for (int64_t m = 0; m < outputs; m++) {
        rows[m] = buffer + m * band;
        if (c.adds)
          load_band(
            c.output, a.y + planes[m] * c.output.plane_pitch, rows[m], c.row_pitch, from, q1
          );
      }
      hardcoded_block_band(c, a, block, from, q1, rows);
      for (int64_t m = 0; m < outputs; m++)
        store_band(
          c.output, a.y + planes[m] * c.output.plane_pitch, rows[m] + q0 - from, c.row_pitch, q0, q1
        );
    }
  }
  /* Outputs without weights. */
  const int64_t others = c.output.planes - a.blocks[c.blocks].first_output;
  for (int64_t i = part_start(others, part, parts); i < part_start(others, part + 1, parts); i++) {
    int64_t place = a.blocks[c.blocks].first_output + i;
    float *plane = a.y + a.planes[place] * c.output.plane_pitch;
    if (c.adds)
      add_to_plane(c.output, plane, a.bias[place], c.rectifier, c.slope);
    else
      fill_plane(c.output, plane, rectified_scalar(a.bias[place], c.rectifier, c.slope));
  }
}

#endif
