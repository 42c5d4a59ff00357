/* Maximum pooling where channels lie together: oneDNN's, which packs positions into bytes one by one, takes five times
 * as long on AVX2. */
#include <float.h>
#include <string.h>

#include "primitives.h"

/* Compiled for the vectors of old and new processors; the right one is taken when the program starts. */
#define FOR_ANY_VECTORS __attribute__((target_clones("avx2", "default")))

/* Eight channels, at any address. */
typedef float floats __attribute__((vector_size(32), aligned(4)));
typedef int32_t ints __attribute__((vector_size(32), aligned(4)));
enum { width = 8 };

/* Where the vector that ends with the last channel begins, if that is not where one has ended: it takes some channels
 * again. Backward those add nothing. */
static int64_t last_vector(int64_t channels) {
  return channels % width != 0 && channels > width ? channels - width : -1;
}

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

FOR_ANY_VECTORS
static void forward_window(
  const dnn_maximum *p, range y, range x, const float *source, float *destination, int32_t *taps) {
  int64_t channel = 0, last = last_vector(p->inner);
  while (channel + width <= p->inner) {
    floats best = (floats){0} - FLT_MAX;
    ints place = (ints){0} - 1, tap = {0};
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap += 1) {
        floats value = *(const floats *)(source + (row * p->columns + column) * p->inner + channel);
        ints is_larger = value > best;
        best = (floats)(((ints)value & is_larger) | ((ints)best & ~is_larger));
        place = (tap & is_larger) | (place & ~is_larger);
      }
    *(floats *)(destination + channel) = best;
    *(ints *)(taps + channel) = place;
    channel = channel < last && channel + 2 * width > p->inner ? last : channel + width;
  }
  for (; channel < p->inner; channel++) {
    float best = -FLT_MAX;
    int32_t place = -1, tap = 0;
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap++) {
        float value = source[(row * p->columns + column) * p->inner + channel];
        if (value > best) best = value, place = tap;
      }
    destination[channel] = best;
    taps[channel] = place;
  }
}

FOR_ANY_VECTORS
static void backward_window(
  const dnn_maximum *p, range y, range x, const float *gradient, float *result, const int32_t *taps) {
  int64_t channel = 0, last = last_vector(p->inner);
  ints counts = (ints){0} - 1;
  while (channel + width <= p->inner) {
    ints value = *(const ints *)(gradient + channel) & counts, place = *(const ints *)(taps + channel), tap = {0};
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap += 1)
        *(floats *)(result + (row * p->columns + column) * p->inner + channel) += (floats)(value & (place == tap));
    if (channel < last && channel + 2 * width > p->inner) {
      counts = (ints){0, 1, 2, 3, 4, 5, 6, 7} >= (int32_t)(channel + width - last);
      channel = last;
    } else {
      channel += width;
    }
  }
  for (; channel < p->inner; channel++) {
    int64_t across = x.last - x.first, place = taps[channel];
    if (place < 0) continue;
    int64_t row = y.first + place / across, column = x.first + place % across;
    result[(row * p->columns + column) * p->inner + channel] += gradient[channel];
  }
}

static void forward_plane(const dnn_maximum *p, const float *source, float *destination, int32_t *taps) {
  for (int64_t row = 0; row < p->output_rows; row++) {
    range y = covered(p, 0, row);
    for (int64_t column = 0; column < p->output_columns; column++, destination += p->inner, taps += p->inner)
      forward_window(p, y, covered(p, 1, column), source, destination, taps);
  }
}

static void backward_plane(const dnn_maximum *p, const float *gradient, float *result, const int32_t *taps) {
  memset(result, 0, (size_t)(p->rows * p->columns * p->inner) * sizeof *result);
  for (int64_t row = 0; row < p->output_rows; row++) {
    range y = covered(p, 0, row);
    for (int64_t column = 0; column < p->output_columns; column++, gradient += p->inner, taps += p->inner)
      backward_window(p, y, covered(p, 1, column), gradient, result, taps);
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
