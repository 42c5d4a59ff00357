/* convolutions.h: convolutions of CaffeNet and ResNet-50 with random weights, packed for the dense
 * and the sparse kernels, and the work that is timed.
 *
 * The work includes phase splits and writes planes with the next layer's halo. */
#ifndef SPARSEC_CONVOLUTIONS_H
#define SPARSEC_CONVOLUTIONS_H

#include "convolution_columns.h"
#include "convolution_sparse.h"
#include "planes_check.h"
#include "room.h"

struct shape {
  const char *name;
  int64_t channels, groups, height, outputs, kernel, pad, stride;
  double density;
};

static const struct shape shapes[] = {
  {"caffenet conv1", 3, 1, 227, 96, 11, 0, 4, 0.8},
  {"caffenet conv2", 96, 2, 27, 256, 5, 2, 1, 0.16},
  {"caffenet conv3", 256, 1, 13, 384, 3, 1, 1, 0.058},
  {"caffenet conv4", 384, 2, 13, 384, 3, 1, 1, 0.041},
  {"caffenet conv5", 384, 2, 13, 256, 3, 1, 1, 0.119},
  {"resnet 3x3 64@56", 64, 1, 56, 64, 3, 1, 1, 0.15},
  {"resnet 3x3 128@28", 128, 1, 28, 128, 3, 1, 1, 0.08},
  {"resnet 3x3 256@14", 256, 1, 14, 256, 3, 1, 1, 0.03},
  {"resnet 3x3 512@7", 512, 1, 7, 512, 3, 1, 1, 0.02},
  {"resnet 1x1 256>64@56", 256, 1, 56, 64, 1, 0, 1, 0.1},
  {"resnet 1x1 64>256@56", 64, 1, 56, 256, 1, 0, 1, 0.1},
  {"resnet 1x1 512>128@28", 512, 1, 28, 128, 1, 0, 1, 0.1},
  {"resnet 1x1 1024>256@14", 1024, 1, 14, 256, 1, 0, 1, 0.1},
  {"resnet 1x1 2048>512@7", 2048, 1, 7, 512, 1, 0, 1, 0.1},
  {"depthwise 3x3 128@28", 128, 128, 28, 128, 3, 1, 1, 1},
};

struct layer {
  struct shape shape;
  int64_t extent, columns, taps_count;
  struct planes input, output;
  struct phases phases;
  float *x, *flat, *weights, *packed, *y;
  int32_t *offsets;
  uint32_t *planes;
  struct columns_block *blocks;
  struct tap *taps;
  struct sparse_row *rows;
  uint32_t group_starts[2];
  struct convolution_columns dense;
  struct convolution_sparse sparse;
};

static struct planes with_halo(int64_t c, int64_t n, int64_t halo) {
  struct planes v = {c, n, n, n + halo, 0, halo, halo, halo, halo};
  v.plane_pitch = ((plane_length(v) + 15) / 16 | 1) * 16; /* an odd number of cache lines */
  return v;
}

/* Floats in front of element (0, 0, 0), which is aligned to a cache line. */
static int64_t lead_in(struct planes v) { return (plane_origin(v) + 15) / 16 * 16; }

static void make_layer(struct layer *l, struct shape s) {
  *l = (struct layer){.shape = s};
  l->extent = (s.height + 2 * s.pad - s.kernel) / s.stride + 1;
  int64_t per_group = s.channels / s.groups, area = s.kernel * s.kernel;
  l->columns = per_group * area;
  l->input = with_halo(s.channels, s.height, s.stride > 1 ? 0 : s.pad);
  l->output = with_halo(s.outputs, l->extent, s.stride > 1 ? 1 : s.pad);
  l->x = (float *)room(4 * (planes_length(l->input) + 1024)) + lead_in(l->input);
  for (int64_t c = 0; c < s.channels; c++)
    for (int64_t i = 0; i < s.height * s.height; i++)
      l->x[c * l->input.plane_pitch + i / s.height * l->input.row_pitch + i % s.height] =
        random_float();
  l->y = (float *)room(4 * (planes_length(l->output) + 1024)) + lead_in(l->output);
  int64_t pitch = l->input.row_pitch, plane = l->input.plane_pitch;
  l->flat = l->x;
  if (s.stride > 1) {
    int64_t n = l->extent + (s.kernel - 1) / s.stride;
    l->phases = (struct phases){l->input, s.stride, s.stride, s.pad, s.pad, s.stride,
                                s.stride, n,        n,        n,     n * n};
    pitch = n;
    plane = s.stride * s.stride * n * n;
    l->flat = room(4 * plane * s.channels + 4096);
  }
  l->offsets = room(4 * l->columns);
  for (int64_t k = 0; k < l->columns; k++) {
    int64_t c = k / area, r = k % area / s.kernel, t = k % s.kernel;
    int64_t phase = r % s.stride * s.stride + t % s.stride;
    l->offsets[k] = (int32_t
    )(s.stride == 1 ? c * plane + (r - s.pad) * pitch + t - s.pad
                    : c * plane + phase * pitch * pitch + r / s.stride * pitch + t / s.stride);
  }
  l->weights = room(4 * s.outputs * l->columns);
  l->packed = room(4 * s.outputs * l->columns);
  for (int64_t i = 0; i < s.outputs * l->columns; i++) l->weights[i] = random_float();
  int64_t M = setting("TILE_OUTPUTS", ACCUMULATORS == 28 ? 14 : 6), outputs = s.outputs / s.groups;
  l->planes = room(4 * s.outputs);
  l->blocks = room((int64_t)sizeof *l->blocks * (s.outputs + 1));
  float *to = l->packed;
  int64_t blocks = 0, sizes = 0;
  for (int64_t g = 0; g < s.groups; g++)
    for (int64_t m = 0; m < outputs; m += M) {
      int64_t end = m + M < outputs ? m + M : outputs;
      l->blocks[blocks++] = (struct columns_block){
        .group = (uint32_t)g,
        .first_output = (uint32_t)(g * outputs + m),
        .columns = (uint32_t)l->columns,
        .first_weight = (uint32_t)(to - l->packed),
      };
      sizes |= 1 << (end - m);
      for (int64_t k = 0; k < l->columns; k++)
        for (int64_t o = m; o < end; o++) *to++ = l->weights[(g * outputs + o) * l->columns + k];
    }
  l->blocks[blocks] = (struct columns_block){
    .first_output = (uint32_t)s.outputs, .first_weight = (uint32_t)(to - l->packed)
  };
  for (int64_t o = 0; o < s.outputs; o++) l->planes[o] = (uint32_t)o;
  int64_t half_l2 = setting("HALF_L2", 65536);
  int64_t band = half_l2 / per_group;
  l->dense = (struct convolution_columns){
    .output = l->output,
    .row_pitch = pitch,
    .group_pitch = per_group * plane,
    .blocks = blocks,
    .block_sizes = sizes,
    .columns_block = setting("COLUMNS", 256),
    .tile_outputs = M,
    .tile_vectors = setting("TILE_VECTORS", 2),
    .band = setting(
      "BAND", band < 128   ? 128
              : band > 512 ? 512
                           : band
    ),
    .rectifier = RECTIFIER_RELU,
  };

  double taps_of_row = s.density * (double)l->columns;
  int64_t footprint =
    4 * per_group * (MAX_SPARSE_VECTORS * LANES + (s.kernel - 1) / s.stride * pitch);
  int64_t slabs =
    footprint / 16384 < taps_of_row / 12 ? footprint / 16384 : (int64_t)taps_of_row / 12;
  slabs = setting("SLABS", slabs < 1 ? 1 : slabs);
  if (l->output.row_pitch < pitch) slabs = 1;
  l->taps = room((int64_t)sizeof(struct tap) * s.outputs * l->columns);
  l->rows = room((int64_t)sizeof *l->rows * slabs * s.outputs);
  bool *kept = room(s.outputs * l->columns);
  for (int64_t i = 0; i < s.outputs * l->columns; i++)
    kept[i] = (random_float() + 1) / 2 < s.density;
  uint32_t count = 0;
  for (int64_t b = 0; b < slabs; b++)
    for (int64_t o = 0; o < s.outputs; o++) {
      for (int64_t k = l->columns * b / slabs; k < l->columns * (b + 1) / slabs; k++) {
        if (!kept[o * l->columns + k]) continue;
        int64_t base = o / outputs * per_group * plane;
        l->taps[count++] =
          (struct tap){(int32_t)base + l->offsets[k], l->weights[o * l->columns + k]};
      }
      l->rows[b * s.outputs + o] = (struct sparse_row){(uint32_t)o, count};
    }
  free(kept);
  l->taps_count = count;
  l->group_starts[1] = (uint32_t)s.outputs;
  l->sparse = (struct convolution_sparse){
    .output = l->output,
    .row_pitch = pitch,
    .slabs = slabs,
    .vectors = setting("VECTORS", MAX_SPARSE_VECTORS),
    .groups = 1,
    .rows_block = setting("ROWS", s.groups == s.channels ? 4 : 0),
    .rectifier = RECTIFIER_RELU,
  };
}

static void free_layer(struct layer *l) {
  if (l->flat != l->x) free(l->flat);
  free(l->x - lead_in(l->input));
  free(l->y - lead_in(l->output));
  free(l->offsets);
  free(l->planes);
  free(l->blocks);
  free(l->weights);
  free(l->packed);
  free(l->taps);
  free(l->rows);
}

static void split_work(struct layer *l) {
  if (l->shape.stride > 1) phase_split(l->phases, l->x, l->flat, 0, 1);
}

static void dense_work(void *with) {
  struct layer *l = with;
  split_work(l);
  struct convolution_columns c = l->dense;
#define TILE(M, P)                                                                        \
  if (c.tile_outputs == M && c.tile_vectors == P) {                                       \
    c.tile_outputs = M;                                                                   \
    c.tile_vectors = P;                                                                   \
    convolution_columns(                                                                  \
      c, l->flat, l->blocks, l->planes, l->offsets, l->packed, NULL, l->y, 0, 1           \
    );                                                                                    \
  }
  TILE(6, 2)
  TILE(4, 3)
#if ACCUMULATORS == 28
  TILE(14, 2)
  TILE(9, 3)
#endif
}

static void sparse_work(void *with) {
  struct layer *l = with;
  split_work(l);
  const struct sparse_arrays a = {
    .x = l->flat, .taps = l->taps, .rows = l->rows, .group_starts = l->group_starts, .y = l->y
  };
  convolution_sparse(l->sparse, a, 0, 1);
}

#endif
