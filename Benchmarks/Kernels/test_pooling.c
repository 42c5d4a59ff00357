/* test_pooling.c: pooling and local response normalization against plain loops in double. */
#include "lrn.h"
#include "planes_check.h"
#include "pooling.h"

static float at(struct planes v, const float *p, int64_t c, int64_t i, int64_t j) {
  return p[c * v.plane_pitch + i * v.row_pitch + j];
}

static double square(double v) { return v * v; }

/* Caffe's output extent: ceil, and the last window starts inside when there is padding. */
static int64_t pooled_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad, bool clip) {
  int64_t out = (in + 2 * pad - kernel + stride - 1) / stride + 1;
  if (in + 2 * pad < kernel) return 0;
  if (clip && (out - 1) * stride >= in + pad) out--;
  return out;
}

static void check_pooling(int parts) {
  int64_t h = random_int(1, 20), w = random_int(1, random_bits() % 32 == 0 ? 5000 : 40);
  struct pooling p = {
    .kernel_y = random_int(1, h < 5 ? h : 5),
    .kernel_x = random_int(1, w < 6 ? w : 6),
    .stride_y = random_int(1, 4),
    .stride_x = random_int(1, 4),
    .method = random_bits() % 3,
    .start = random_bits() & 1 ? -FLT_MAX : 0,
  };
  if (random_bits() % 6 == 0) p.kernel_y = h, p.kernel_x = w; /* global */
  if (random_bits() & 1) p.pad_y = random_int(0, p.kernel_y - 1);
  if (random_bits() & 1) p.pad_x = random_int(0, p.kernel_x - 1);
  bool clip = p.pad_y > 0 || p.pad_x > 0;
  int64_t ho = pooled_extent(h, p.kernel_y, p.stride_y, p.pad_y, clip);
  int64_t wo = pooled_extent(w, p.kernel_x, p.stride_x, p.pad_x, clip);
  if (ho < 1 || wo < 1) return;
  int64_t channels = random_int(1, 4);
  p.input = random_planes(channels, h, w, random_bits() & 1);
  p.output = random_planes(channels, ho, wo, random_bits() & 1);
  float *x_memory, *x = random_value(p.input, &x_memory);
  if (p.method == POOLING_STOCHASTIC)
    for (int64_t i = 0; i < planes_length(p.input); i++) x_memory[i] = fabsf(x_memory[i]) + 0.1f;
  if (p.method == POOLING_MAXIMUM && random_bits() & 1) /* ties */
    for (int64_t i = 0; i < planes_length(p.input); i++) x_memory[i] = roundf(2 * x_memory[i]);
  float *y_memory = guarded(planes_length(p.output)), *y = y_memory + plane_origin(p.output);
  float *m_memory = guarded(planes_length(p.output)), *m = m_memory + plane_origin(p.output);
  for (int part = 0; part < parts; part++) {
    pooling(p, x, y, part, parts);
    pooling_mask(p, x, m, part, parts);
  }
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < ho; i++)
      for (int64_t j = 0; j < wo; j++) {
        int64_t top = i * p.stride_y - p.pad_y, left = j * p.stride_x - p.pad_x;
        int64_t bottom = top + p.kernel_y, right = left + p.kernel_x;
        if (bottom > h + p.pad_y) bottom = h + p.pad_y;
        if (right > w + p.pad_x) right = w + p.pad_x;
        double size = (double)((bottom - top) * (right - left));
        double sum = 0, squares = 0, most = p.start, largest = -FLT_MAX;
        int64_t index = -1;
        for (int64_t r = top < 0 ? 0 : top; r < bottom && r < h; r++)
          for (int64_t s = left < 0 ? 0 : left; s < right && s < w; s++) {
            double v = at(p.input, x, c, r, s);
            sum += v;
            squares += v * v;
            if (v > most) most = v;
            if (v > largest) largest = v, index = r * w + s;
          }
        double got = at(p.output, y, c, i, j);
        if (p.method == POOLING_MAXIMUM) expect_near("pooling maximum", got, most, 0, 0);
        if (p.method == POOLING_AVERAGE)
          expect_near("pooling average", got, sum / size, 1 + fabs(sum / size), 2e-6);
        if (p.method == POOLING_STOCHASTIC)
          expect_near(
            "pooling stochastic", got, squares / (sum + FLT_MIN), squares / (sum + FLT_MIN), 2e-5
          );
        expect_near("pooling mask", at(p.output, m, c, i, j), (double)index, 0, 0);
      }
  expect_halo("pooling halo", p.output, y_memory, false);
  release(x_memory);
  release(y_memory);
  release(m_memory);
}

static void check_lrn(int parts) {
  bool wide = random_bits() % 16 == 0;
  int64_t c = random_int(1, wide ? 2 : 12), h = random_int(1, wide ? 3 : 12);
  int64_t w = random_int(1, wide ? 3000 : 40);
  struct lrn l = {
    .input = random_planes(c, h, w, random_bits() & 1),
    .output = random_planes(c, h, w, random_bits() & 1),
    .size = 2 * random_int(0, 3) + 1,
    .alpha = 0.7f,
    .beta = random_bits() & 1 ? 0.75f : 0.6f,
    .k = 1.5f,
  };
  float *x_memory, *x = random_value(l.input, &x_memory);
  /* Where the channels lay before others were removed. */
  struct lrn_window windows[12];
  int64_t half = l.size / 2, position[12];
  for (int64_t k = 0; k < c; k++) position[k] = (k ? position[k - 1] + 1 : 0) + random_int(0, 2);
  for (int64_t k = 0; k < c; k++) {
    int64_t begin = k, end = k;
    while (begin > 0 && position[begin - 1] >= position[k] - half) begin--;
    while (end < c && position[end] <= position[k] + half) end++;
    windows[k] = (struct lrn_window){(int32_t)begin, (int32_t)end, (float)random_int(0, 3)};
  }
  static const char *names[] = {"lrn_across", "lrn_within", "lrn_windows"};
  for (int way = 0; way < 3; way++) {
    bool within = way == 1;
    float *y_memory = guarded(planes_length(l.output)), *y = y_memory + plane_origin(l.output);
    for (int part = 0; part < parts; part++) {
      if (way == 0) lrn_across(l, x, y, part, parts);
      if (way == 1) lrn_within(l, x, y, part, parts);
      if (way == 2) lrn_windows(l, windows, x, y, part, parts);
    }
    for (int64_t k = 0; k < c; k++)
      for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++) {
          double sum = 0;
          if (within) {
            for (int64_t r = i - half; r <= i + half; r++)
              for (int64_t s = j - half; s <= j + half; s++)
                if (r >= 0 && r < h && s >= 0 && s < w) sum += square(at(l.input, x, k, r, s));
            sum = 1 + (double)l.alpha / (double)(l.size * l.size) * sum;
          } else {
            for (int64_t d = 0; d < c; d++) {
              int64_t distance = way == 2 ? position[d] - position[k] : d - k;
              if (distance >= -half && distance <= half) sum += square(at(l.input, x, d, i, j));
            }
            if (way == 2) sum += (double)windows[k].removed;
            sum = (double)l.k + (double)l.alpha / (double)l.size * sum;
          }
          double wanted = at(l.input, x, k, i, j) * pow(sum, -(double)l.beta);
          expect_near(names[way], at(l.output, y, k, i, j), wanted, 1, 1e-6);
        }
    expect_halo("lrn halo", l.output, y_memory, false);
    release(y_memory);
  }
  release(x_memory);
}

int main(void) {
  for (int round = 0; round < 60; round++) {
    check_pooling(1 + round % 3);
    if (round % 3 == 0) check_lrn(1 + round / 3 % 3);
  }
  return report("pooling");
}
