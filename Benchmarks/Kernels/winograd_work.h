/* winograd_work.h: a convolution by convolution_winograd, in the windows that are fastest for it. */
#ifndef SPARSEC_WINOGRAD_WORK_H
#define SPARSEC_WINOGRAD_WORK_H

#include "convolution_winograd.h"
#include "convolutions.h"
#include "timing.h"

struct winograd_work {
  struct convolution_winograd convolution;
  const struct layer *layer;
  float *weights, *scratch;
};

static void winograd_work(void *with) {
  struct winograd_work *w = with;
  convolution_winograd(
    w->convolution, w->layer->x, w->weights, NULL, w->layer->y, w->scratch, 0, 1
  );
}

static double winograd_window_seconds(const struct layer *l, int64_t window) {
  const struct shape s = l->shape;
  struct winograd_work w = {
    .layer = l,
    .convolution = {
      .input = l->input,
      .output = l->output,
      .groups = s.groups,
      .pad_top = s.pad,
      .pad_left = s.pad,
      .window = window,
      .taps = s.kernel,
      .filters_block = setting("WINOGRAD_FILTERS_BLOCK", 32),
      .channels_block = setting("WINOGRAD_CHANNELS_BLOCK", 64),
      .rectifier = RECTIFIER_RELU,
    },
  };
  /* As the emitter does: as many tiles as fit into 5 MB. */
  int64_t tile = window - s.kernel + 1, columns = (l->extent + tile - 1) / tile;
  int64_t tiles = (5 << 20) / 4 / (window * window * s.channels / s.groups);
  int64_t rows = (tiles < 240 ? tiles : 240) / columns;
  w.convolution.tile_rows = setting("TILE_ROWS", rows < 1 ? 1 : rows < columns ? rows : columns);
  struct winograd_extents e = winograd_extents(w.convolution);
  w.convolution.scratch_floats = winograd_scratch(w.convolution, e, NULL).size;
  w.scratch = room(4 * w.convolution.scratch_floats);
  /* Which weight stands where does not matter for the time. */
  int64_t vectors = (e.channels + WINOGRAD_CHANNELS - 1) / WINOGRAD_CHANNELS;
  int64_t count = s.groups * e.blocks * vectors * s.kernel * s.kernel * LANES;
  w.weights = room(4 * count);
  for (int64_t i = 0; i < count; i++) w.weights[i] = random_float();
  double time = seconds(winograd_work, &w);
  free(w.weights);
  free(w.scratch);
  return time;
}

/* 0 for layers that are not made for it; `window` is the best. */
static double winograd_seconds(const struct layer *l, int64_t *window) {
  const struct shape s = l->shape;
  if (s.stride != 1 || (s.kernel != 3 && s.kernel != 5) || s.groups == s.channels) return 0;
  double best = 0;
  for (int64_t a = s.kernel == 3 ? 4 : 6; a <= 8; a += 2) {
    double time = winograd_window_seconds(l, a);
    if (best > 0 && time >= best) continue;
    best = time;
    *window = a;
  }
  return best;
}

#endif
