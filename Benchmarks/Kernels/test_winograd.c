/* test_winograd.c: convolution_winograd against plain loops in double. */
#include "convolution_winograd.h"
#include "planes_check.h"

/* Errors in units of the largest sum that a tile could have: all inputs and weights at most 1. */
static double largest_error[MAX_WINDOW + 1];
static const double bounds[MAX_WINDOW + 1] = {[4] = 2e-7, [6] = 3e-6, [8] = 6e-6};

struct problem {
  struct convolution_winograd c;
  float *x_memory, *x, *weights, *packed, *bias;
  float *addend_memory, *addend; /* NULL: it does not add */
};

/* The order of weights that the kernel's header describes. */
static float *pack(const struct convolution_winograd *c, const float *weights) {
  int64_t channels = c->input.planes / c->groups, filters = c->output.planes / c->groups;
  int64_t area = c->taps * c->taps, blocks = (filters + WINOGRAD_FILTERS - 1) / WINOGRAD_FILTERS;
  int64_t vectors = (channels + WINOGRAD_CHANNELS - 1) / WINOGRAD_CHANNELS;
  int64_t count = c->groups * blocks * vectors * area * LANES;
  float *packed = guarded(count);
  for (int64_t i = 0; i < count; i++) packed[i] = 0;
  for (int64_t f = 0; f < c->output.planes; f++)
    for (int64_t k = 0; k < channels; k++)
      for (int64_t tap = 0; tap < area; tap++) {
        int64_t block = f / filters * blocks + f % filters / WINOGRAD_FILTERS;
        int64_t lane = k % WINOGRAD_CHANNELS * WINOGRAD_FILTERS + f % filters % WINOGRAD_FILTERS;
        packed[((block * vectors + k / WINOGRAD_CHANNELS) * area + tap) * LANES + lane] =
          weights[(f * channels + k) * area + tap];
      }
  return packed;
}

static bool make_problem(struct problem *p) {
  static const int forms[][2] = {{4, 3}, {6, 3}, {8, 3}, {6, 5}, {8, 5}};
  const int *form = forms[random_int(0, 4)];
  int64_t groups = random_int(1, 3), width = random_int(1, 30), height = random_int(1, 30);
  int64_t top = random_int(0, 2), left = random_int(0, 2);
  struct convolution_winograd c = {
    .input = random_planes(groups * random_int(1, 17), height, width, random_bits() & 1),
    .groups = groups,
    .pad_top = top,
    .pad_left = left,
    .window = form[0],
    .taps = form[1],
    .filters_block = random_int(1, 3) * WINOGRAD_FILTERS,
    .channels_block = random_int(1, 5) * WINOGRAD_CHANNELS,
    .rectifier = random_bits() & 1 ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = random_bits() & 1 ? 0 : 0.25f,
  };
  /* As padding at the bottom and on the right may differ, so may the output's size. */
  int64_t rows = height + top + random_int(0, 2) - c.taps + 1;
  int64_t columns = width + left + random_int(0, 2) - c.taps + 1;
  if (rows < 1 || columns < 1) return false;
  c.output = random_planes(groups * random_int(1, 17), rows, columns, random_bits() & 1);
  int64_t tile = c.window - c.taps + 1, most = 64 / ((columns + tile - 1) / tile);
  c.tile_rows = random_int(1, most < 4 ? most : 4);
  p->c = c;
  p->x = random_value(c.input, &p->x_memory);
  int64_t count = c.output.planes * c.input.planes / groups * c.taps * c.taps;
  p->weights = random_floats(count);
  p->packed = pack(&c, p->weights);
  p->bias = random_bits() & 1 ? random_floats(c.output.planes) : NULL;
  p->c.adds = random_bits() & 1;
  p->addend = p->c.adds ? random_value(c.output, &p->addend_memory) : NULL;
  return true;
}

static double expected(const struct problem *p, int64_t f, int64_t i, int64_t j) {
  const struct convolution_winograd *c = &p->c;
  int64_t channels = c->input.planes / c->groups;
  int64_t first = f / (c->output.planes / c->groups) * channels;
  double sum = p->bias ? p->bias[f] : 0;
  if (p->addend) sum += p->addend[f * c->output.plane_pitch + i * c->output.row_pitch + j];
  for (int64_t k = 0; k < channels; k++)
    for (int64_t tap = 0; tap < c->taps * c->taps; tap++) {
      int64_t row = i + tap / c->taps - c->pad_top, column = j + tap % c->taps - c->pad_left;
      if (row < 0 || row >= c->input.height || column < 0 || column >= c->input.width) continue;
      sum += (double)p->weights[(f * channels + k) * c->taps * c->taps + tap] *
             p->x[(first + k) * c->input.plane_pitch + row * c->input.row_pitch + column];
    }
  return c->rectifier != RECTIFIER_NONE && sum < 0 ? sum * c->slope : sum;
}

static void check(struct problem *p, int parts) {
  struct convolution_winograd *c = &p->c;
  c->scratch_floats = winograd_scratch(*c, winograd_extents(*c), NULL).size;
  float *y_memory, *y = output_of(c->output, p->addend, &y_memory);
  for (int part = 0; part < parts; part++) {
    float *scratch = guarded(c->scratch_floats);
    convolution_winograd(*c, p->x, p->packed, p->bias, y, scratch, part, parts);
    expect_guard("convolution_winograd scratch", scratch, c->scratch_floats);
    release(scratch);
  }
  double scale = (double)(c->input.planes / c->groups * c->taps * c->taps);
  for (int64_t f = 0; f < c->output.planes; f++)
    for (int64_t i = 0; i < c->output.height; i++)
      for (int64_t j = 0; j < c->output.width; j++) {
        double got = y[f * c->output.plane_pitch + i * c->output.row_pitch + j];
        double wanted = expected(p, f, i, j), error = fabs(got - wanted) / scale;
        if (error > largest_error[c->window]) largest_error[c->window] = error;
        expect_near("convolution_winograd", got, wanted, scale, bounds[c->window]);
      }
  expect_halo("convolution_winograd halo", c->output, y_memory, false);
  release(y_memory);
}

/* What lies beyond the input and its halo is not part of any sum, not even times zero. */
static void spoil_surroundings(struct problem *p) {
  struct convolution_winograd *c = &p->c;
  for (int64_t i = 0; i < planes_length(c->input); i++)
    if (p->x_memory[i] == GUARD) p->x_memory[i] = NAN;
  for (int64_t i = -GUARD_FLOATS; i < 0; i++) p->x_memory[i] = NAN;
  for (int64_t i = 0; i < GUARD_FLOATS; i++) p->x_memory[planes_length(c->input) + i] = NAN;
}

int main(void) {
  for (int round = 0; round < 150; round++) {
    struct problem p;
    if (!make_problem(&p)) continue;
    spoil_surroundings(&p);
    check(&p, 1 + round % 3);
    release(p.x_memory);
    release(p.weights);
    release(p.packed);
    if (p.bias) release(p.bias);
    if (p.addend) release(p.addend_memory);
  }
  for (int window = 4; window <= MAX_WINDOW; window += 2)
    printf(
      "windows of %d: errors up to %.2g of the largest sum\n", window, largest_error[window]
    );
  return report("winograd");
}
