/* test_convolution.c: the convolution kernels against plain loops in double. */
#include "convolution_columns.h"
#include "convolution_packed.h"
#include "convolution_sparse.h"
#include "planes_check.h"

/* One random convolution, its input as planes with halo (stride 1) or as phase planes, and its
 * weights as a dense matrix [outputs][channels/group][kernel][kernel] in which dead columns are all
 * zero. */
struct problem {
  int64_t channels, groups, outputs, kernel_y, kernel_x, pad_y, pad_x, stride_y, stride_x, dilation;
  struct planes input, output;
  struct phases phases;
  bool split;
  float *x_memory, *x, *weights, *bias;
  float *flat_memory, *flat; /* what the kernel reads */
  int64_t row_pitch, group_pitch, taps;
  float *addend_memory, *addend; /* NULL: the kernels do not add */
};

static int64_t extent(int64_t in, int64_t pad, int64_t kernel, int64_t dilation, int64_t stride) {
  return (in + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1;
}

static bool make_problem(struct problem *p) {
  *p = (struct problem){
    .groups = random_int(1, 3),
    .kernel_y = random_int(1, 4),
    .kernel_x = random_int(1, 4),
    .dilation = random_int(1, 2),
    .stride_y = random_int(1, 2),
    .stride_x = random_int(1, 3),
  };
  if (random_bits() & 1) p->stride_y = p->stride_x = 1;
  if (random_bits() % 4 == 0) p->kernel_y = p->kernel_x = 1;
  p->channels = p->groups * random_int(1, 6);
  p->outputs = p->groups * random_int(1, 26);
  p->pad_y = random_int(0, p->kernel_y - 1);
  p->pad_x = random_int(0, p->kernel_x - 1);
  int64_t h = random_int(1, 24), w = random_int(1, 40);
  if (h + 2 * p->pad_y < p->dilation * (p->kernel_y - 1) + 1) return false;
  if (w + 2 * p->pad_x < p->dilation * (p->kernel_x - 1) + 1) return false;
  int64_t ho = extent(h, p->pad_y, p->kernel_y, p->dilation, p->stride_y);
  int64_t wo = extent(w, p->pad_x, p->kernel_x, p->dilation, p->stride_x);
  p->split = p->stride_y > 1 || p->stride_x > 1;

  p->input = random_planes(p->channels, h, w, true);
  if (!p->split) {
    p->input.top = p->input.bottom = p->pad_y;
    p->input.left = p->input.right = p->pad_x;
    p->input.row_pitch = w + p->pad_x + random_int(0, 1);
    p->input.plane_pitch = plane_length(p->input) + random_int(0, 3);
  }
  p->x = random_value(p->input, &p->x_memory);
  p->flat = p->x;
  p->row_pitch = p->input.row_pitch;
  p->group_pitch = p->channels / p->groups * p->input.plane_pitch;
  if (p->split) {
    int64_t far_y = p->dilation * (p->kernel_y - 1), far_x = p->dilation * (p->kernel_x - 1);
    struct phases s = {
      .input = p->input,
      .stride_y = p->stride_y,
      .stride_x = p->stride_x,
      .pad_top = p->pad_y,
      .pad_left = p->pad_x,
      .phases_y = far_y + 1 < p->stride_y ? far_y + 1 : p->stride_y,
      .phases_x = far_x + 1 < p->stride_x ? far_x + 1 : p->stride_x,
      .height = ho + far_y / p->stride_y,
      .width = wo + far_x / p->stride_x,
    };
    s.row_pitch = s.width;
    s.phase_pitch = s.height * s.row_pitch;
    p->phases = s;
    p->row_pitch = s.row_pitch;
    p->group_pitch = p->channels / p->groups * s.phases_y * s.phases_x * s.phase_pitch;
    p->flat_memory = p->flat = guarded(p->groups * p->group_pitch);
    phase_split(s, p->x, p->flat, 0, 1);
  }

  bool halo = random_bits() & 1;
  p->output = random_planes(p->outputs, ho, wo, halo);
  if (random_bits() & 1 && p->row_pitch >= wo + 2) { /* the direct path, with or without halo */
    p->output.row_pitch = p->row_pitch;
    p->output.left = p->output.right = halo ? random_int(0, 2) : 0;
    p->output.plane_pitch = plane_length(p->output);
  }
  p->taps = p->channels / p->groups * p->kernel_y * p->kernel_x;
  p->weights = random_floats(p->outputs * p->taps);
  p->bias = random_bits() & 1 ? random_floats(p->outputs) : NULL;
  if (random_bits() & 1) p->addend = random_value(p->output, &p->addend_memory);
  return true;
}

static void free_problem(struct problem *p) {
  release(p->x_memory);
  release(p->weights);
  if (p->bias) release(p->bias);
  if (p->addend) release(p->addend_memory);
  if (p->flat_memory) release(p->flat_memory);
}

/* The offset of tap (r, s) of the group's channel c, as the headers define it. */
static int32_t offset_of(const struct problem *p, int64_t tap) {
  int64_t c = tap / (p->kernel_y * p->kernel_x);
  int64_t r = tap / p->kernel_x % p->kernel_y * p->dilation, s = tap % p->kernel_x * p->dilation;
  const struct phases *f = &p->phases;
  if (!p->split)
    return (int32_t)(c * p->input.plane_pitch + (r - p->pad_y) * p->input.row_pitch + s - p->pad_x);
  int64_t phase = (c * f->phases_y + r % p->stride_y) * f->phases_x + s % p->stride_x;
  return (int32_t)(phase * f->phase_pitch + r / p->stride_y * f->row_pitch + s / p->stride_x);
}

static void compare(
  const struct problem *p, const char *what, const float *y, float slope, bool relu
) {
  int64_t per_group = p->channels / p->groups, outputs_per_group = p->outputs / p->groups;
  for (int64_t o = 0; o < p->outputs; o++)
    for (int64_t i = 0; i < p->output.height; i++)
      for (int64_t j = 0; j < p->output.width; j++) {
        int64_t place = o * p->output.plane_pitch + i * p->output.row_pitch + j;
        double bias = p->bias ? p->bias[o] : 0, addend = p->addend ? p->addend[place] : 0;
        double sum = bias + addend, scale = fabs(bias) + fabs(addend);
        for (int64_t tap = 0; tap < p->taps; tap++) {
          int64_t c = o / outputs_per_group * per_group + tap / (p->kernel_y * p->kernel_x);
          int64_t row = tap / p->kernel_x % p->kernel_y * p->dilation + i * p->stride_y - p->pad_y;
          int64_t column = tap % p->kernel_x * p->dilation + j * p->stride_x - p->pad_x;
          if (row < 0 || row >= p->input.height || column < 0 || column >= p->input.width) continue;
          double x = p->x[c * p->input.plane_pitch + row * p->input.row_pitch + column];
          double product = x * p->weights[o * p->taps + tap];
          sum += product;
          scale += fabs(product);
        }
        if (relu && sum < 0) sum *= slope;
        expect_near(what, y[place], sum, scale, 2e-6);
      }
}

/* What the emitter makes of a problem's weights for convolution_columns. */
struct columns_tables {
  struct columns_block *blocks;
  uint32_t *planes;
  int32_t *offsets;
  float *weights, *bias;
  int64_t count, sizes;
};

static void free_tables(struct columns_tables *t) {
  free(t->blocks);
  free(t->planes);
  free(t->offsets);
  release(t->weights);
  if (t->bias) release(t->bias);
}

/* Puts zeros into the weights: outputs and, for each group, columns. */
static void make_zeros(struct problem *p, bool *dead) {
  int64_t per_group = p->outputs / p->groups;
  for (int64_t o = 0; o < p->outputs; o++) dead[o] = random_bits() % 4 == 0;
  if (random_bits() % 8 == 0)
    for (int64_t o = 0; o < p->outputs; o++) dead[o] = true;
  for (int64_t i = 0; i < p->groups * p->taps; i++) {
    bool dies = random_bits() % 4 == 0;
    for (int64_t m = 0; m < per_group; m++) {
      int64_t o = i / p->taps * per_group + m;
      if (dies || dead[o]) p->weights[o * p->taps + i % p->taps] = 0;
    }
  }
}

static bool is_zero_column(const struct problem *p, const uint32_t *outputs, int64_t n, int64_t k) {
  for (int64_t m = 0; m < n; m++)
    if (p->weights[outputs[m] * p->taps + k] != 0) return false;
  return true;
}

/* Blocks of M outputs or fewer; a block has columns that are zero now and then. */
static void make_tables(struct columns_tables *t, struct problem *p, int64_t M) {
  bool *dead = malloc((size_t)p->outputs);
  int64_t per_group = p->outputs / p->groups, all = p->outputs * p->taps;
  make_zeros(p, dead);
  *t = (struct columns_tables){
    .blocks = malloc((size_t)(p->outputs + 1) * sizeof *t->blocks),
    .planes = malloc((size_t)p->outputs * sizeof *t->planes),
    .offsets = malloc((size_t)(all + 1) * sizeof *t->offsets),
    .weights = guarded(all + 1),
    .bias = p->bias ? guarded(p->outputs) : NULL,
  };
  uint32_t outputs = 0, offsets = 0, weights = 0;
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t m = 0; m < per_group;) {
      uint32_t first = outputs, columns = 0;
      int64_t wanted = random_bits() & 1 ? M : random_int(1, M);
      for (; m < per_group && outputs - first < wanted; m++)
        if (!dead[g * per_group + m]) t->planes[outputs++] = (uint32_t)(g * per_group + m);
      if (outputs == first) continue;
      for (int64_t k = 0; k < p->taps; k++) {
        bool zero = is_zero_column(p, t->planes + first, outputs - first, k);
        if (k > 0 && zero && random_bits() % 4) continue; /* every block has a column */
        t->offsets[offsets + columns++] = offset_of(p, k);
        for (uint32_t i = first; i < outputs; i++)
          t->weights[weights + (columns - 1) * (outputs - first) + i - first] =
            p->weights[t->planes[i] * p->taps + k];
      }
      t->sizes |= 1 << (outputs - first);
      t->blocks[t->count++] =
        (struct columns_block){(uint32_t)g, first, columns, offsets, weights};
      offsets += columns;
      weights += columns * (outputs - first);
    }
  t->blocks[t->count] = (struct columns_block){0, outputs, 0, offsets, weights};
  for (int64_t o = 0; o < p->outputs; o++)
    if (dead[o]) t->planes[outputs++] = (uint32_t)o;
  for (int64_t o = 0; p->bias && o < p->outputs; o++) t->bias[o] = p->bias[t->planes[o]];
  free(dead);
}

static void check_columns(struct problem *p, int parts) {
  static const int shapes[][2] = {{6, 2}, {4, 3}, {5, 2}, {3, 4}, {14, 2}, {9, 3}, {1, 1}};
  int shape = (int)random_int(0, ACCUMULATORS == 28 ? 6 : 3);
  struct columns_tables t;
  make_tables(&t, p, shapes[shape][0]);
  float *y_memory, *y = output_of(p->output, p->addend, &y_memory);
  bool relu = random_bits() & 1;
  float slope = random_bits() & 1 ? 0 : 0.25f;
  struct convolution_columns c = {
    .output = p->output,
    .row_pitch = p->row_pitch,
    .group_pitch = p->group_pitch,
    .blocks = t.count,
    .block_sizes = t.sizes,
    .columns_block = random_int(1, 20),
    .band = random_int(1, 400),
    .adds = p->addend,
    .rectifier = relu ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = slope,
  };
  for (int part = 0; part < parts; part++) switch (shape) {
#define WITH(i, M, P)                                                      \
  case i:                                                                  \
    c.tile_outputs = M;                                                    \
    c.tile_vectors = P;                                                    \
    convolution_columns(                                                   \
      c, p->flat, t.blocks, t.planes, t.offsets, t.weights, t.bias, y, part, parts \
    );                                                                     \
    break;
      WITH(0, 6, 2)
      WITH(1, 4, 3)
      WITH(2, 5, 2)
      WITH(3, 3, 4)
#if ACCUMULATORS == 28
      WITH(4, 14, 2)
      WITH(5, 9, 3)
      WITH(6, 1, 1)
#endif
    }
  compare(p, "convolution_columns", y, slope, relu);
  expect_halo("convolution_columns halo", p->output, y_memory, p->output.row_pitch == p->row_pitch);
  release(y_memory);
  free_tables(&t);
}

static void check_sparse(struct problem *p, int parts, bool packed) {
  int64_t per_group = p->outputs / p->groups, slabs = 1, vectors = random_int(1, 12);
  bool direct = packed || p->output.row_pitch == p->row_pitch;
  if (packed || p->output.row_pitch >= p->row_pitch) slabs = random_int(1, 3);
  if (packed && p->groups > 1) return;
  int64_t slab_columns = (p->taps + slabs - 1) / slabs;
  slabs = (p->taps + slab_columns - 1) / slab_columns;
  if (packed && slab_columns * vectors * LANES > PANEL_FLOATS) return;
  struct tap *taps = malloc((size_t)(p->outputs * p->taps + 1) * sizeof *taps);
  struct sparse_row *rows = malloc((size_t)(slabs * p->outputs) * sizeof *rows);
  int32_t *offsets = malloc((size_t)p->taps * sizeof *offsets);
  for (int64_t tap = 0; tap < p->taps; tap++) offsets[tap] = offset_of(p, tap);
  int64_t rows_block = random_int(0, 5);
  uint32_t count = 0, starts[4];
  int64_t groups = random_int(1, 3);
  for (int64_t g = 0; g <= groups; g++) starts[g] = (uint32_t)(p->outputs * g / groups);
  double keep = random_bits() % 3 * 0.4;
  for (int64_t i = 0; i < p->outputs * p->taps; i++)
    if ((random_float() + 1) / 2 > keep) p->weights[i] = 0;
  for (int64_t s = 0; s < slabs; s++)
    for (int64_t i = 0; i < p->outputs; i++) {
      /* Rows of a group the other way round in every second slab. */
      int64_t g = 0;
      while (starts[g + 1] <= i) g++;
      int64_t o = s & 1 && rows_block == 0 ? starts[g] + starts[g + 1] - 1 - i : i;
      for (int64_t tap = slab_columns * s; tap < slab_columns * (s + 1) && tap < p->taps; tap++) {
        float w = p->weights[o * p->taps + tap];
        if (w == 0) continue;
        int64_t base = o / per_group * p->group_pitch;
        taps[count++] = (struct tap){
          packed ? (int32_t)((tap - slab_columns * s) * vectors * LANES)
                 : (int32_t)base + offsets[tap],
          w
        };
      }
      rows[s * p->outputs + i] = (struct sparse_row){(uint32_t)o, count};
    }
  float *y_memory, *y = output_of(p->output, p->addend, &y_memory);
  bool relu = random_bits() & 1;
  struct convolution_sparse c = {
    .output = p->output,
    .row_pitch = p->row_pitch,
    .slabs = slabs,
    .vectors = vectors,
    .groups = groups,
    .rows_block = rows_block,
    .columns = packed ? p->taps : 0,
    .slab_columns = slab_columns,
    .adds = p->addend,
    .rectifier = relu ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = 0.1f,
  };
  const struct sparse_arrays a = {p->flat, offsets, taps, rows, starts, p->bias, y};
  for (int part = 0; part < parts; part++) convolution_sparse(c, a, part, parts);
  compare(p, "convolution_sparse", y, 0.1f, relu);
  expect_halo("convolution_sparse halo", p->output, y_memory, direct || slabs > 1);
  release(y_memory);
  free(taps);
  free(rows);
  free(offsets);
}

/* All weights, a few columns at a time. */
static void check_packed(struct problem *p, int parts) {
  int64_t per_group = p->outputs / p->groups, block_columns = random_int(1, 20);
  if (block_columns > p->taps) block_columns = p->taps;
  int32_t *offsets = malloc((size_t)p->taps * sizeof *offsets);
  float *weights = guarded(p->outputs * p->taps);
  float *bias = calloc((size_t)p->outputs, sizeof *bias);
  int64_t w = 0;
  for (int64_t k = 0; k < p->taps; k++) offsets[k] = offset_of(p, k);
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t k = 0; k < p->taps; k += block_columns)
      for (int64_t m = 0; m < per_group; m += BLOCK_OUTPUTS)
        for (int64_t i = k; i < k + block_columns && i < p->taps; i++)
          for (int64_t o = m; o < m + BLOCK_OUTPUTS && o < per_group; o++)
            weights[w++] = p->weights[(g * per_group + o) * p->taps + i];
  for (int64_t o = 0; o < p->outputs && p->bias; o++) bias[o] = p->bias[o];
  float *y_memory, *y = output_of(p->output, p->addend, &y_memory);
  bool relu = random_bits() & 1;
  struct convolution_packed c = {
    .output = p->output,
    .row_pitch = p->row_pitch,
    .groups = p->groups,
    .group_pitch = p->group_pitch,
    .columns = p->taps,
    .columns_block = block_columns,
    .form = BAND_OF_INPUTS,
    .band = random_int(1, 12) * LANES,
    .adds = p->addend,
    .rectifier = relu ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = 0.1f,
  };
  if (p->output.row_pitch == p->row_pitch && random_bits() & 1) c.form = BAND_OF_PLANES;
  if (p->row_pitch < p->output.row_pitch && random_bits() & 1) c.form = BAND_OF_SUMS;
  if (random_bits() % 4 == 0) c.form = BAND_OF_ROW, c.band = p->output.row_pitch;
  const struct packed_arrays a = {p->flat, offsets, weights, bias, y};
  for (int part = 0; part < parts; part++) convolution_packed(c, a, part, parts);
  compare(p, "convolution_packed", y, 0.1f, relu);
  expect_halo("convolution_packed halo", p->output, y_memory, true);
  release(y_memory);
  release(weights);
  free(offsets);
  free(bias);
}

int main(void) {
  for (int round = 0; round < 300; round++) {
    struct problem p;
    if (!make_problem(&p)) continue;
    check_columns(&p, 1 + round % 3);
    check_packed(&p, 1 + round % 3);
    check_sparse(&p, 1 + round % 3, false);
    check_sparse(&p, 1 + round % 3, true);
    free_problem(&p);
  }
  return report("convolution");
}
