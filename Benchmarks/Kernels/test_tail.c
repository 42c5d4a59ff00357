/* test_tail.c: statistics, selections, copies and the general windows against plain loops in
 * double. */
#include "check.h"
#include "copy.h"
#include "selection.h"
#include "statistics.h"
#include "windows.h"

static void check_statistics(int parts) {
  int64_t outer = random_int(1, 4), c = random_int(1, 5);
  int64_t inner = random_int(1, random_bits() % 8 == 0 ? 2000 : 60), count = outer * c * inner;
  float *x = random_floats(count), *y = guarded(count), *z = guarded(count);
  for (int64_t i = 0; i < count; i++) x[i] += 0.5f;
  struct batch_statistics b = {outer, c, inner, 1e-3f};
  struct mean_variance m = {outer * c, inner, random_bits() & 1, 1e-3f};
  struct reduction r = {outer, c * inner, random_bits() % 3, 0.5f};
  float *sums = guarded(outer);
  for (int part = 0; part < parts; part++) {
    batch_statistics(b, x, y, part, parts);
    mean_variance(m, x, z, part, parts);
    reduction(r, x, sums, part, parts);
  }
  for (int64_t k = 0; k < c; k++) {
    double sum = 0, squares = 0, n = (double)(outer * inner);
    for (int64_t i = 0; i < count; i++)
      if (i / inner % c == k) sum += x[i], squares += (double)x[i] * x[i];
    double mean = sum / n, deviation = sqrt(squares / n - mean * mean + 1e-3);
    for (int64_t i = 0; i < count; i++)
      if (i / inner % c == k)
        expect_near("batch_statistics", y[i], (x[i] - mean) / deviation, 1, 1e-4);
  }
  for (int64_t row = 0; row < outer * c; row++) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < inner; i++) mean += x[row * inner + i] / (double)inner;
    for (int64_t i = 0; i < inner; i++)
      variance += pow(x[row * inner + i] - mean, 2) / (double)inner;
    double factor = m.normalize_variance ? 1 / (sqrt(variance) + 1e-3) : 1;
    for (int64_t i = 0; i < inner; i++)
      expect_near(
        "mean_variance", z[row * inner + i], (x[row * inner + i] - mean) * factor, 1 + factor, 1e-5
      );
  }
  for (int64_t row = 0; row < outer; row++) {
    double sum = 0, scale = 0;
    for (int64_t i = 0; i < c * inner; i++) {
      double v = x[row * c * inner + i];
      sum += r.operation == SUM_OF_VALUES ? v : r.operation == SUM_OF_SQUARES ? v * v : fabs(v);
      scale += fabs(v) + v * v;
    }
    expect_near("reduction", sums[row], sum / 2, scale, 1e-6);
  }
  expect_guard("batch_statistics", y, count);
  expect_guard("mean_variance", z, count);
  expect_guard("reduction", sums, outer);
  release(x), release(y), release(z), release(sums);
}

static void check_argmax(int parts) {
  struct argmax l = {random_int(1, 4), random_int(1, 20), random_int(1, 5), 1, random_bits() % 3};
  if (l.output == ARGMAX_BOTH) l.inner = 1;
  l.top_k = random_int(1, l.axis);
  int64_t count = l.outer * l.axis * l.inner;
  int64_t results = l.outer * l.top_k * l.inner * (l.output == ARGMAX_BOTH ? 2 : 1);
  float *x = random_floats(count), *y = guarded(results);
  for (int64_t i = 0; i < count; i++) x[i] = roundf(3 * x[i]);
  for (int part = 0; part < parts; part++) argmax(l, x, y, part, parts);
  for (int64_t i = 0; i < l.outer * l.inner; i++) {
    int64_t o = i / l.inner, at = i % l.inner;
    const float *from = x + o * l.axis * l.inner + at;
    for (int64_t a = 0; a < l.axis; a++) {
      /* The place of candidate a: how many come before it. */
      int64_t place = 0;
      for (int64_t b = 0; b < l.axis; b++) {
        float other = from[b * l.inner], mine = from[a * l.inner];
        place += other > mine || (other == mine && b > a);
      }
      if (place >= l.top_k) continue;
      double value = from[a * l.inner], index = (double)a;
      if (l.output == ARGMAX_BOTH) {
        expect_near("argmax index", y[2 * o * l.top_k + place], index, 0, 0);
        expect_near("argmax value", y[(2 * o + 1) * l.top_k + place], value, 0, 0);
      } else {
        double got = y[(o * l.top_k + place) * l.inner + at];
        expect_near("argmax", got, l.output == ARGMAX_INDICES ? index : value, 0, 0);
      }
    }
  }
  expect_guard("argmax", y, results);
  release(x), release(y);
}

static void check_gather(int parts) {
  struct gather l = {random_int(1, 9), random_int(1, 7), random_int(1, 40)};
  float *table = random_floats(l.rows * l.width), *bias = random_floats(l.width);
  float *indices = random_floats(l.count), *y = guarded(l.count * l.width);
  bool with_bias = random_bits() & 1;
  for (int64_t i = 0; i < l.count; i++) indices[i] = (float)random_int(-1, l.rows);
  if (random_bits() & 1) indices[0] = NAN;
  for (int part = 0; part < parts; part++)
    gather(l, table, indices, with_bias ? bias : NULL, y, part, parts);
  for (int64_t i = 0; i < l.count * l.width; i++) {
    float index = indices[i / l.width];
    bool known = index >= 0 && index < (float)l.rows;
    double wanted = known ? (double)table[(int64_t)index * l.width + i % l.width] : NAN;
    if (with_bias) wanted += bias[i % l.width];
    expect_near("gather", y[i], wanted, 1, 1e-6);
  }
  expect_guard("gather", y, l.count * l.width);
  release(table), release(bias), release(indices), release(y);
}

static void check_box_copy(int parts) {
  struct box_copy b = {.axes = random_int(1, 4)};
  int64_t in[4], out[4], from = 0, to = 0, in_pitch = 1, out_pitch = 1, in_start[4], out_start[4];
  for (int64_t axis = b.axes - 1; axis >= 0; axis--) {
    b.extent[axis] = random_int(1, 7);
    in_start[axis] = random_int(0, 3);
    out_start[axis] = random_int(0, 3);
    in[axis] = b.extent[axis] + in_start[axis] + random_int(0, 2);
    out[axis] = b.extent[axis] + out_start[axis] + random_int(0, 2);
    bool repeat = random_bits() % 8 == 0;
    b.x_stride[axis] = repeat ? 0 : in_pitch;
    b.y_stride[axis] = out_pitch;
    from += in_start[axis] * in_pitch;
    to += out_start[axis] * out_pitch;
    in_pitch *= in[axis];
    out_pitch *= out[axis];
  }
  float *x = random_floats(in_pitch), *y = guarded(out_pitch);
  for (int part = 0; part < parts; part++) box_copy(b, x + from, y + to, part, parts);
  for (int64_t i = 0; i < out_pitch; i++) {
    int64_t rest = i, source = from;
    bool inside = true;
    for (int64_t axis = b.axes - 1; axis >= 0; axis--) {
      int64_t at = rest % out[axis] - out_start[axis];
      rest /= out[axis];
      inside = inside && at >= 0 && at < b.extent[axis];
      source += at * b.x_stride[axis];
    }
    float wanted = inside ? x[source] : GUARD;
    expect(y[i] == wanted, "box_copy", y[i], wanted);
  }
  expect_guard("box_copy", y, out_pitch);
  release(x), release(y);
}

/* The image index of position and tap, or -1 in padding. */
static int64_t met(const struct windows *w, int64_t position, int64_t tap) {
  int64_t index = 0, pitch = 1;
  bool inside = true;
  for (int64_t a = w->axes - 1; a >= 0; a--) {
    int64_t at =
      position % w->positions[a] * w->stride[a] - w->pad[a] + tap % w->kernel[a] * w->dilation[a];
    position /= w->positions[a];
    tap /= w->kernel[a];
    inside = inside && at >= 0 && at < w->image[a];
    index += at * pitch;
    pitch *= w->image[a];
  }
  return inside ? index : -1;
}

static void check_windows(int parts) {
  struct windowed_layer l = {.windows.axes = random_int(1, 3), .groups = random_int(1, 2)};
  struct windows *w = &l.windows;
  for (int64_t a = 0; a < w->axes; a++) {
    w->image[a] = random_int(1, 9);
    w->kernel[a] = random_int(1, 3);
    w->stride[a] = random_int(1, 3);
    w->pad[a] = random_int(0, 2);
    w->dilation[a] = random_int(1, 2);
    int64_t span = w->dilation[a] * (w->kernel[a] - 1) + 1;
    if (w->image[a] + 2 * w->pad[a] < span) return;
    w->positions[a] = (w->image[a] + 2 * w->pad[a] - span) / w->stride[a] + 1;
  }
  l.inputs = l.groups * random_int(1, 3);
  l.outputs = l.groups * random_int(1, 3);
  int64_t taps = volume(w->axes, w->kernel), positions = volume(w->axes, w->positions);
  int64_t image = volume(w->axes, w->image), in = l.inputs / l.groups, out = l.outputs / l.groups;
  float *weights = random_floats(l.inputs * out * taps), *bias = random_floats(l.outputs);
  float *x = random_floats(l.inputs * image), *y = guarded(l.outputs * positions);
  float *columns = guarded(l.inputs * taps * positions);
  float *small = random_floats(l.inputs * positions), *big = guarded(l.outputs * image);
  for (int part = 0; part < parts; part++) {
    convolution_windows(l, x, weights, bias, y, part, parts);
    deconvolution_windows(l, small, weights, bias, big, part, parts);
    im2col(l.windows, l.inputs, x, columns, part, parts);
  }
  double *wanted = calloc((size_t)(l.outputs * image), sizeof *wanted);
  for (int64_t o = 0; o < l.outputs; o++) {
    int64_t g = o / out;
    for (int64_t q = 0; q < positions; q++) {
      double sum = bias[o];
      for (int64_t c = 0; c < in; c++)
        for (int64_t t = 0; t < taps; t++) {
          int64_t at = met(w, q, t);
          if (at < 0) continue;
          sum += (double)weights[(o * in + c) * taps + t] * x[(g * in + c) * image + at];
          wanted[o * image + at] += (double)weights[((g * in + c) * out + o % out) * taps + t] *
                                    small[(g * in + c) * positions + q];
        }
      expect_near("convolution_windows", y[o * positions + q], sum, 10, 1e-6);
    }
    for (int64_t i = 0; i < image; i++)
      expect_near(
        "deconvolution_windows", big[o * image + i], wanted[o * image + i] + bias[o], 10, 1e-6
      );
  }
  for (int64_t k = 0; k < l.inputs * taps; k++)
    for (int64_t q = 0; q < positions; q++) {
      int64_t at = met(w, q, k % taps);
      float value = at < 0 ? 0 : x[k / taps * image + at], got = columns[k * positions + q];
      expect(got == value, "im2col", got, value);
    }
  expect_guard("convolution_windows", y, l.outputs * positions);
  expect_guard("deconvolution_windows", big, l.outputs * image);
  expect_guard("im2col", columns, l.inputs * taps * positions);
  release(weights), release(bias), release(x), release(y), release(columns);
  release(small), release(big);
  free(wanted);
}

int main(void) {
  for (int round = 0; round < 600; round++) {
    int parts = 1 + round % 3;
    check_statistics(parts);
    check_argmax(parts);
    check_gather(parts);
    check_box_copy(parts);
    check_windows(parts);
  }
  return report("tail");
}
