/* windows.h: convolution, deconvolution and im2col over any number of spatial axes; dense values.
 *
 * The general forms, for shapes that the planes kernels do not serve (1-d, 3-d, deconvolution).
 * Window position i and tap k of an axis meet at image index i*stride - pad + k*dilation; taps
 * outside of the image count zero. Work goes row by row along the last axis.
 */
#ifndef SPARSEC_WINDOWS_H
#define SPARSEC_WINDOWS_H

#include "vector.h"

#define MAX_WINDOW_AXES 30

struct windows {
  int64_t axes; /* 1 .. MAX_WINDOW_AXES */
  int64_t image[MAX_WINDOW_AXES], positions[MAX_WINDOW_AXES];
  int64_t kernel[MAX_WINDOW_AXES], stride[MAX_WINDOW_AXES], pad[MAX_WINDOW_AXES];
  int64_t dilation[MAX_WINDOW_AXES];
};

ALWAYS_INLINE int64_t volume(int64_t axes, const int64_t *extent) {
  int64_t product = 1;
  for (int64_t axis = 0; axis < axes; axis++) product *= extent[axis];
  return product;
}

/* Where tap `tap` meets the image in row `row` of positions (all axes but the last, flattened). */
struct meeting {
  bool inside;        /* false: the whole row lies in padding */
  int64_t image;      /* flat start of the image row */
  int64_t shift;      /* position i of the row meets column i*stride + shift */
  int64_t begin, end; /* positions whose column lies inside the image */
};

ALWAYS_INLINE struct meeting meeting_of(const struct windows *w, int64_t tap, int64_t row) {
  int64_t last = w->axes - 1, pitch = w->image[last], width = w->positions[last];
  struct meeting m = {.inside = true};
  m.shift = tap % w->kernel[last] * w->dilation[last] - w->pad[last];
  tap /= w->kernel[last];
  for (int64_t axis = last - 1; axis >= 0; axis--) {
    int64_t at = row % w->positions[axis] * w->stride[axis] - w->pad[axis] +
                 tap % w->kernel[axis] * w->dilation[axis];
    row /= w->positions[axis];
    tap /= w->kernel[axis];
    if (at < 0 || at >= w->image[axis]) m.inside = false;
    m.image += at * pitch;
    pitch *= w->image[axis];
  }
  int64_t stride = w->stride[last], inside = w->image[last] - m.shift;
  m.begin = m.shift < 0 ? (-m.shift + stride - 1) / stride : 0;
  m.end = inside > 0 ? (inside + stride - 1) / stride : 0;
  if (m.end > width) m.end = width;
  if (m.begin > m.end) m.begin = m.end;
  return m;
}

/* For one tap of weight `weight`: positions += weight * image, over all rows. */
SHARED void gather_tap(
  const struct windows *w, int64_t tap, float weight, const float *image, float *positions
) {
  int64_t last = w->axes - 1, rows = volume(last, w->positions), stride = w->stride[last];
  for (int64_t row = 0; row < rows; row++) {
    struct meeting m = meeting_of(w, tap, row);
    if (!m.inside) continue;
    float *y = positions + row * w->positions[last];
    const float *x = image + m.image + m.shift;
    if (stride == 1)
      for (int64_t i = m.begin; i < m.end; i++) y[i] += weight * x[i];
    else
      for (int64_t i = m.begin; i < m.end; i++) y[i] += weight * x[i * stride];
  }
}

/* The transpose: image += weight * positions. */
SHARED void scatter_tap(
  const struct windows *w, int64_t tap, float weight, const float *positions, float *image
) {
  int64_t last = w->axes - 1, rows = volume(last, w->positions), stride = w->stride[last];
  for (int64_t row = 0; row < rows; row++) {
    struct meeting m = meeting_of(w, tap, row);
    if (!m.inside) continue;
    const float *x = positions + row * w->positions[last];
    float *y = image + m.image + m.shift;
    if (stride == 1)
      for (int64_t i = m.begin; i < m.end; i++) y[i] += weight * x[i];
    else
      for (int64_t i = m.begin; i < m.end; i++) y[i * stride] += weight * x[i];
  }
}

/* inputs -> outputs channels, both multiples of groups. */
struct windowed_layer {
  struct windows windows;
  int64_t inputs, outputs, groups;
};

/* x (inputs, image...), weights (outputs, inputs/groups, kernel...), y (outputs, positions...);
 * bias may be NULL. Zero weights are skipped. Split over outputs. */
ALWAYS_INLINE void convolution_windows(
  const struct windowed_layer l, const float *x, const float *weights, const float *bias, float *y,
  int part, int parts
) {
  const struct windows *w = &l.windows;
  int64_t taps = volume(w->axes, w->kernel), positions = volume(w->axes, w->positions);
  int64_t image = volume(w->axes, w->image), per_group = l.inputs / l.groups;
  int64_t end = part_start(l.outputs, part + 1, parts);
  for (int64_t o = part_start(l.outputs, part, parts); o < end; o++) {
    float *to = y + o * positions;
    const float *from = x + o / (l.outputs / l.groups) * per_group * image;
    fill_floats(to, positions, bias ? bias[o] : 0);
    for (int64_t k = 0; k < per_group * taps; k++) {
      float weight = weights[o * per_group * taps + k];
      if (weight != 0) gather_tap(w, k % taps, weight, from + k / taps * image, to);
    }
  }
}

/* x (inputs, positions...), weights (inputs, outputs/groups, kernel...), y (outputs, image...);
 * bias may be NULL. Zero weights are skipped. Split over outputs. */
ALWAYS_INLINE void deconvolution_windows(
  const struct windowed_layer l, const float *x, const float *weights, const float *bias, float *y,
  int part, int parts
) {
  const struct windows *w = &l.windows;
  int64_t taps = volume(w->axes, w->kernel), positions = volume(w->axes, w->positions);
  int64_t image = volume(w->axes, w->image), per_group = l.inputs / l.groups;
  int64_t group_outputs = l.outputs / l.groups, end = part_start(l.outputs, part + 1, parts);
  for (int64_t o = part_start(l.outputs, part, parts); o < end; o++) {
    fill_floats(y + o * image, image, bias ? bias[o] : 0);
    for (int64_t k = 0; k < per_group * taps; k++) {
      int64_t c = o / group_outputs * per_group + k / taps, tap = k % taps;
      float weight = weights[(c * group_outputs + o % group_outputs) * taps + tap];
      if (weight != 0) scatter_tap(w, tap, weight, x + c * positions, y + o * image);
    }
  }
}

/* y (channels * taps, positions...): row c*taps + tap holds what the tap meets, zero in padding.
 * Split over rows. */
ALWAYS_INLINE void im2col(
  const struct windows w, int64_t channels, const float *x, float *y, int part, int parts
) {
  int64_t taps = volume(w.axes, w.kernel), positions = volume(w.axes, w.positions);
  int64_t image = volume(w.axes, w.image), end = part_start(channels * taps, part + 1, parts);
  for (int64_t k = part_start(channels * taps, part, parts); k < end; k++) {
    fill_floats(y + k * positions, positions, 0);
    gather_tap(&w, k % taps, 1, x + k / taps * image, y + k * positions);
  }
}

#endif
