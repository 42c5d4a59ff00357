/* test_depthwise.c: convolution of each plane by itself against plain loops in double. */
#include "convolution_depthwise.h"
#include "planes_check.h"

struct problem {
  struct planes input;
  struct convolution_depthwise layer;
  float *x_memory, *x, *weights, *bias;
};

/* Any padding, up to more than the kernel; the halo reaches as far as windows do. */
static bool make_problem(struct problem *p) {
  int64_t kernel = random_bits() & 1 ? 3 : 5, stride = random_int(1, 2);
  int64_t pad_y = random_int(0, kernel), pad_x = random_int(0, kernel);
  int64_t h = random_int(1, 20), w = random_int(1, random_bits() & 1 ? 12 : 70);
  if (h + 2 * pad_y < kernel || w + 2 * pad_x < kernel) return false;
  int64_t multiplier = random_int(1, 3), channels = random_int(1, 5);
  int64_t ho = (h + 2 * pad_y - kernel) / stride + 1, wo = (w + 2 * pad_x - kernel) / stride + 1;
  int64_t below = (ho - 1) * stride + kernel - pad_y - h;
  int64_t right = (wo - 1) * stride + kernel - pad_x - w;
  p->input = (struct planes){
    .planes = channels,
    .height = h,
    .width = w,
    .top = pad_y,
    .bottom = below > 0 ? below : 0,
    .left = pad_x,
    .right = right > 0 ? right : 0,
  };
  p->input.row_pitch = w + (pad_x > right ? pad_x : right) + random_int(0, 1);
  p->input.plane_pitch = plane_length(p->input) + random_int(0, 3);
  p->x = random_value(p->input, &p->x_memory);
  p->layer = (struct convolution_depthwise){
    .output = random_planes(channels * multiplier, ho, wo, random_bits() & 1),
    .row_pitch = p->input.row_pitch,
    .plane_pitch = p->input.plane_pitch,
    .pad_y = pad_y,
    .pad_x = pad_x,
    .kernel = kernel,
    .stride = stride,
    .multiplier = multiplier,
    .rectifier = random_bits() & 1 ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = random_bits() & 1 ? 0 : 0.25f,
  };
  p->weights = random_floats(p->layer.output.planes * kernel * kernel);
  p->bias = random_bits() & 1 ? random_floats(p->layer.output.planes) : NULL;
  return true;
}

static void compare(const struct problem *p, const float *y) {
  const struct convolution_depthwise l = p->layer;
  const struct planes in = p->input, out = l.output;
  for (int64_t m = 0; m < out.planes; m++)
    for (int64_t i = 0; i < out.height; i++)
      for (int64_t j = 0; j < out.width; j++) {
        double sum = p->bias ? p->bias[m] : 0, scale = fabs(sum);
        for (int64_t tap = 0; tap < l.kernel * l.kernel; tap++) {
          int64_t row = i * l.stride + tap / l.kernel - l.pad_y;
          int64_t column = j * l.stride + tap % l.kernel - l.pad_x;
          if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
          double x = p->x[m / l.multiplier * in.plane_pitch + row * in.row_pitch + column];
          double product = x * p->weights[m * l.kernel * l.kernel + tap];
          sum += product;
          scale += fabs(product);
        }
        if (l.rectifier == RECTIFIER_RELU && sum < 0) sum *= l.slope;
        double got = y[m * out.plane_pitch + i * out.row_pitch + j];
        expect_near("convolution_depthwise", got, sum, scale, 2e-6);
      }
}

static void check_depthwise(struct problem *p, int parts) {
  const struct planes out = p->layer.output;
  float *memory = guarded(planes_length(out)), *y = memory + plane_origin(out);
  const struct depthwise_arrays a = {p->x, p->weights, p->bias, y};
  for (int part = 0; part < parts; part++) convolution_depthwise(p->layer, a, part, parts);
  compare(p, y);
  expect_halo("convolution_depthwise halo", out, memory, true);
  release(memory);
}

/* Reads no further than READ_SLACK floats behind the last window: memory ends there. */
static void check_reach(struct problem *p) {
  const struct planes in = p->input, out = p->layer.output;
  int64_t length = planes_length(in) + READ_SLACK;
  float *x = malloc((size_t)length * sizeof *x), *memory = guarded(planes_length(out));
  for (int64_t i = 0; i < length; i++) x[i] = 0;
  const struct depthwise_arrays a = {
    x + plane_origin(in), p->weights, p->bias, memory + plane_origin(out)
  };
  convolution_depthwise(p->layer, a, 0, 1);
  release(memory);
  free(x);
}

int main(void) {
  for (int round = 0; round < 600; round++) {
    struct problem p;
    if (!make_problem(&p)) continue;
    check_depthwise(&p, 1 + round % 3);
    check_reach(&p);
    release(p.x_memory);
    release(p.weights);
    if (p.bias) release(p.bias);
  }
  return report("depthwise");
}
