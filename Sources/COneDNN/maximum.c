/* Maximum pooling where channels lie together: oneDNN's, which packs positions into bytes one by one, takes five times
 * as long on AVX2. */
#include <float.h>
#include <string.h>

#include "primitives.h"

/* Compiled for the vectors of old and new processors; the right one is taken when the program starts. */
#define FOR_ANY_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))

typedef struct {
  const dnn_maximum *pooling;
  int parts;
  const float *source;
  float *destination;
  int32_t *taps;
} work;

typedef struct {
  int64_t first, last;
} range;

/* The positions of the image that window `position` covers along an axis. */
static range covered(const dnn_maximum *p, int axis, int64_t position) {
  int64_t start = position * p->stride[axis] - p->before[axis];
  int64_t end = start + p->kernel[axis], extent = axis == 0 ? p->rows : p->columns;
  return (range){start < 0 ? 0 : start, end > extent ? extent : end};
}

#define WIDTH 8
#include "maximum_windows.h"
#undef WIDTH
#define WIDTH 16
#include "maximum_windows.h"

static void forward_plane(const dnn_maximum *p, const float *source, float *destination, int32_t *taps) {
  for (int64_t row = 0; row < p->output_rows; row++) {
    range y = covered(p, 0, row);
    for (int64_t column = 0; column < p->output_columns; column++, destination += p->inner, taps += p->inner)
      (p->inner < 16 ? forward_window_8 : forward_window_16)(
        p, y, covered(p, 1, column), source, destination, taps);
  }
}

static void backward_plane(const dnn_maximum *p, const float *gradient, float *result, const int32_t *taps) {
  memset(result, 0, (size_t)(p->rows * p->columns * p->inner) * sizeof *result);
  for (int64_t row = 0; row < p->output_rows; row++) {
    range y = covered(p, 0, row);
    for (int64_t column = 0; column < p->output_columns; column++, gradient += p->inner, taps += p->inner)
      (p->inner < 16 ? backward_window_8 : backward_window_16)(
        p, y, covered(p, 1, column), gradient, result, taps);
  }
}

static void forward_part(int part, void *state) {
  const work *w = state;
  const dnn_maximum *p = w->pooling;
  int64_t input = p->rows * p->columns * p->inner, output = p->output_rows * p->output_columns * p->inner;
  for (int64_t i = p->outer * part / w->parts; i < p->outer * (part + 1) / w->parts; i++)
    forward_plane(p, w->source + i * input, w->destination + i * output, w->taps + i * output);
}

static void backward_part(int part, void *state) {
  const work *w = state;
  const dnn_maximum *p = w->pooling;
  int64_t input = p->rows * p->columns * p->inner, output = p->output_rows * p->output_columns * p->inner;
  for (int64_t i = p->outer * part / w->parts; i < p->outer * (part + 1) / w->parts; i++)
    backward_plane(p, w->source + i * output, w->destination + i * input, w->taps + i * output);
}

void dnn_maximum_forward(
  int threads, const dnn_maximum *pooling, const float *source, float *destination, int32_t *taps) {
  work state = {pooling, threads, source, destination, taps};
  dnn_parallel(threads, threads, forward_part, &state);
}

void dnn_maximum_backward(
  int threads, const dnn_maximum *pooling, const float *gradient, float *result, int32_t *taps) {
  work state = {pooling, threads, gradient, result, taps};
  dnn_parallel(threads, threads, backward_part, &state);
}
