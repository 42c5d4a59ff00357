/* test_elements.c: activations, scale, border biases, eltwise and softmax against plain loops in double. */
#include "activation.h"
#include "border_bias.h"
#include "eltwise.h"
#include "planes_check.h"
#include "scale.h"
#include "softmax.h"

static double wanted_activation(const struct activation *l, double x) {
  double a = l->a, b = l->b, c = l->c;
  switch (l->kind) {
    case ACTIVATION_RELU: return fmax(x, 0) + a * fmin(x, 0);
    case ACTIVATION_ELU: return x > 0 ? x : a * expm1(x);
    case ACTIVATION_SIGMOID: return 1 / (1 + exp(-x));
    case ACTIVATION_TANH: return tanh(x);
    case ACTIVATION_ABSVAL: return fabs(x);
    case ACTIVATION_BNLL: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case ACTIVATION_POWER: return b == 0 || c == 0 ? pow(a, c) : pow(a + b * x, c);
    case ACTIVATION_EXP: return exp(a * x + b);
    case ACTIVATION_LOG: return a * log(b * x + c);
    case ACTIVATION_THRESHOLD: return x > a;
    case ACTIVATION_CLIP: return fmax(a, fmin(x, b));
    case ACTIVATION_SWISH: return x / (1 + exp(-a * x));
  }
  return NAN;
}

static int64_t index_of(struct planes v, int64_t i) {
  int64_t c = i / (v.height * v.width), row = i / v.width % v.height;
  return c * v.plane_pitch + row * v.row_pitch + i % v.width;
}

static void check_activation(enum activation_kind kind, int parts) {
  bool single = random_bits() % 4 == 0;
  int64_t c = single ? 1 : random_int(1, 5), h = single ? 1 : random_int(1, 6);
  int64_t w = random_int(1, single ? 300 : 40);
  struct activation l = {
    .input = random_planes(c, h, w, !single && random_bits() & 1),
    .output = random_planes(c, h, w, !single && random_bits() & 1),
    .kind = kind,
    .a = 0.3f,
    .b = 0.7f,
    .c = 3,
  };
  if (kind == ACTIVATION_POWER) {
    static const float powers[] = {0, 1, 2, 3, -1};
    l.c = powers[random_bits() % 5];
    l.a = 3; /* so that the base keeps away from 0, where a sum has no digits left */
    if (random_bits() % 4 == 0) l.b = 0;
  }
  bool in_place = random_bits() & 1;
  if (in_place) l.output = l.input;
  float *x_memory, *x = random_value(l.input, &x_memory);
  int64_t count = c * h * w;
  double *wanted = malloc((size_t)count * sizeof *wanted);
  for (int64_t i = 0; i < count; i++) {
    float *v = x + index_of(l.input, i);
    *v *= 3;
    if (random_bits() % 8 == 0 && kind != ACTIVATION_POWER && kind != ACTIVATION_LOG) *v *= 20;
    if (random_bits() % 32 == 0 && kind != ACTIVATION_LOG) *v = 0;
    wanted[i] = wanted_activation(&l, *v);
  }
  float *other = guarded(planes_length(l.output));
  float *y_memory = in_place ? x_memory : other, *y = y_memory + plane_origin(l.output);
  for (int part = 0; part < parts; part++) activation(l, x, y, part, parts);
  static const char *names[] = {"relu",  "elu", "sigmoid", "tanh",      "absval", "bnll",
                                "power", "exp", "log",     "threshold", "clip",   "swish"};
  for (int64_t i = 0; i < count; i++) {
    /* Sigmoid and swish lose digits near 0 by Caffe's own formula; logarithms near 1. */
    double size = fabs(wanted[i]) + (kind == ACTIVATION_EXP || kind == ACTIVATION_TANH ? 0 : 1);
    expect_near(names[kind], y[index_of(l.output, i)], wanted[i], size, 4e-6);
  }
  if (!in_place)
    expect_halo("activation halo", l.output, y_memory, l.input.row_pitch == l.output.row_pitch);
  release(x_memory);
  release(other);
  free(wanted);
}

static void check_special(void) {
  static const float values[] = {-INFINITY, INFINITY, NAN, -200, 200, 0, -87.5f, -100, 88.5f};
  enum { COUNT = 9 };
  struct planes v = {1, 1, COUNT, COUNT, COUNT, 0, 0, 0, 0};
  for (int kind = ACTIVATION_ELU; kind <= ACTIVATION_TANH; kind++) {
    float y[COUNT];
    struct activation l = {v, v, (enum activation_kind)kind, 1, 0, 0};
    activation(l, values, y, 0, 1);
    for (int i = 0; i < COUNT; i++)
      expect_near("special", y[i], wanted_activation(&l, values[i]), 1, 1e-6);
  }
  float y[COUNT];
  activation((struct activation){v, v, ACTIVATION_EXP, 1, 0, 0}, values, y, 0, 1);
  for (int i = 0; i < COUNT; i++) {
    float wanted = expf(values[i]);
    expect_near("exp special", y[i], wanted, wanted + 1e-38, 1e-6);
  }
  activation((struct activation){v, v, ACTIVATION_RELU, 0, 0, 0}, values, y, 0, 1);
  expect(isnan(y[0]) && isinf(y[1]) == 1 && isnan(y[2]) && y[3] == 0, "relu special", y[0], NAN);
}

static void check_scale(int parts) {
  int64_t c = random_int(1, 6), h = random_int(1, 6), w = random_int(1, 30), n = random_int(1, c);
  struct scale l = {
    random_planes(c, h, w, random_bits() & 1), random_planes(c, h, w, random_bits() & 1), n,
    RECTIFIER_RELU, 0.5f};
  float *x_memory, *x = random_value(l.input, &x_memory);
  float *y_memory = guarded(planes_length(l.output)), *y = y_memory + plane_origin(l.output);
  float *z_memory = guarded(planes_length(l.output)), *z = z_memory + plane_origin(l.output);
  float *scale = random_floats(n), *bias = random_floats(n);
  int which = (int)random_int(0, 2);
  for (int part = 0; part < parts; part++) {
    scale_planes(l, x, which == 1 ? NULL : scale, which == 2 ? NULL : bias, y, part, parts);
    prelu((struct prelu){l.input, l.output, n}, x, scale, z, part, parts);
  }
  for (int64_t i = 0; i < c * h * w; i++) {
    double v = x[index_of(l.input, i)];
    int64_t k = i / (h * w) % n;
    double scaled = (which == 1 ? v : v * scale[k]) + (which == 2 ? 0 : bias[k]);
    if (scaled < 0) scaled /= 2;
    expect_near("scale_planes", y[index_of(l.output, i)], scaled, 1, 1e-6);
    expect_near("prelu", z[index_of(l.output, i)], v > 0 ? v : v * scale[k], 1, 1e-6);
  }
  expect_halo("scale halo", l.output, y_memory, l.input.row_pitch == l.output.row_pitch);
  expect_halo("prelu halo", l.output, z_memory, l.input.row_pitch == l.output.row_pitch);
  float *rows = random_floats(h * w), *out = guarded(h * w), *factors = random_floats(w);
  for (int part = 0; part < parts; part++)
    scale_rows(h, w, rows, factors, which ? factors : NULL, out, part, parts);
  for (int64_t i = 0; i < h * w; i++) {
    double f = factors[i % w];
    expect_near("scale_rows", out[i], rows[i] * f + (which ? f : 0), 1, 1e-6);
  }
  expect_guard("scale_rows", out, h * w);
  release(x_memory), release(y_memory), release(z_memory), release(scale), release(bias);
  release(rows), release(out), release(factors);
}

static void check_eltwise(int parts) {
  bool single = random_bits() % 4 == 0;
  int64_t c = single ? 1 : random_int(1, 5), h = single ? 1 : random_int(1, 6);
  int64_t w = random_int(1, single ? 200 : 30);
  struct eltwise l = {
    .output = random_planes(c, h, w, !single && random_bits() & 1),
    .operation = random_bits() % 3,
    .inputs = random_int(1, 4),
    .rectifier = random_bits() & 1,
  };
  struct eltwise_input inputs[4];
  struct planes layouts[4];
  float *memories[4];
  for (int64_t k = 0; k < l.inputs; k++) {
    layouts[k] = random_planes(c, h, w, random_bits() & 1);
    float *x = random_value(layouts[k], &memories[k]);
    inputs[k] =
      (struct eltwise_input){x, layouts[k].row_pitch, layouts[k].plane_pitch, random_float()};
  }
  float *y_memory = guarded(planes_length(l.output)), *y = y_memory + plane_origin(l.output);
  for (int part = 0; part < parts; part++) eltwise(l, inputs, y, part, parts);
  for (int64_t i = 0; i < c * h * w; i++) {
    double wanted = l.operation == ELTWISE_PRODUCT ? 1 : l.operation == ELTWISE_SUM ? 0 : -1e30;
    for (int64_t k = 0; k < l.inputs; k++) {
      double v = inputs[k].x[index_of(layouts[k], i)];
      if (l.operation == ELTWISE_PRODUCT) wanted *= v;
      if (l.operation == ELTWISE_SUM) wanted += inputs[k].coefficient * v;
      if (l.operation == ELTWISE_MAXIMUM && v > wanted) wanted = v;
    }
    if (l.rectifier && wanted < 0) wanted = 0;
    expect_near("eltwise", y[index_of(l.output, i)], wanted, 1, 1e-6);
  }
  expect_halo("eltwise halo", l.output, y_memory, true);
  for (int64_t k = 0; k < l.inputs; k++) release(memories[k]);
  release(y_memory);
}

static void check_border_bias(int parts) {
  int64_t c = random_int(1, 6), h = random_int(1, 8), w = random_int(1, 40);
  bool in_place = random_bits() & 1, relu = random_bits() & 1;
  struct border_bias l = {
    .input = random_planes(c, h, w, random_bits() & 1),
    .output = random_planes(c, h, w, random_bits() & 1),
    .channels = random_int(1, c),
    .channel_pitch = 3 * w,
    .rectifier = relu ? RECTIFIER_RELU : RECTIFIER_NONE,
    .slope = random_bits() & 1 ? 0 : 0.25f,
  };
  if (in_place) l.output = l.input;
  float *x_memory, *x = random_value(l.input, &x_memory), *bias = random_floats(3 * w * c);
  struct border_row rows[8];
  for (int64_t row = 0; row < h; row++) {
    int32_t first = (int32_t)random_int(0, 2), begin = (int32_t)random_int(0, w);
    rows[row] = (struct border_row){first * (int32_t)w, begin, (int32_t)random_int(begin, w)};
    if (relu) rows[row].quiet_end = rows[row].quiet_begin;
  }
  for (int64_t row = 0; row < h; row++)
    for (int64_t i = rows[row].quiet_begin; i < rows[row].quiet_end; i++)
      for (int64_t k = 0; k < l.channels; k++) bias[k * 3 * w + rows[row].bias + i] = 0;
  double *wanted = malloc((size_t)(c * h * w) * sizeof *wanted);
  for (int64_t i = 0; i < c * h * w; i++) {
    int64_t k = i / (h * w) % l.channels;
    wanted[i] = x[index_of(l.input, i)];
    wanted[i] += bias[k * 3 * w + rows[i / w % h].bias + i % w];
    if (relu && wanted[i] < 0) wanted[i] *= l.slope;
  }
  float *other = guarded(planes_length(l.output));
  float *y_memory = in_place ? x_memory : other, *y = y_memory + plane_origin(l.output);
  for (int part = 0; part < parts; part++) border_bias(l, x, rows, bias, y, part, parts);
  for (int64_t i = 0; i < c * h * w; i++)
    expect_near("border_bias", y[index_of(l.output, i)], wanted[i], 1, 1e-6);
  if (!in_place) expect_halo("border_bias halo", l.output, y_memory, false);
  release(x_memory), release(other), release(bias);
  free(wanted);
}

static void check_softmax(int parts) {
  struct softmax l = {
    random_int(1, 4), random_int(1, 60), random_bits() & 1 ? 1 : random_int(1, 40)};
  int64_t count = l.outer * l.axis * l.inner;
  float *x = random_floats(count), *y = guarded(count);
  for (int64_t i = 0; i < count; i++) x[i] *= 30;
  for (int part = 0; part < parts; part++) softmax(l, x, y, part, parts);
  for (int64_t o = 0; o < l.outer; o++)
    for (int64_t i = 0; i < l.inner; i++) {
      double sum = 0, most = -1e30;
      const float *from = x + o * l.axis * l.inner + i, *to = y + o * l.axis * l.inner + i;
      for (int64_t a = 0; a < l.axis; a++) most = fmax(most, from[a * l.inner]);
      for (int64_t a = 0; a < l.axis; a++) sum += exp(from[a * l.inner] - most);
      for (int64_t a = 0; a < l.axis; a++)
        expect_near("softmax", to[a * l.inner], exp(from[a * l.inner] - most) / sum, 1, 1e-6);
    }
  expect_guard("softmax", y, count);
  release(x), release(y);
}

int main(void) {
  check_special();
  for (int round = 0; round < 900; round++) {
    check_activation((enum activation_kind)(round % (ACTIVATION_SWISH + 1)), 1 + round / 12 % 3);
    check_scale(1 + round % 3);
    check_eltwise(1 + round % 3);
    check_border_bias(1 + round % 3);
    check_softmax(1 + round % 3);
  }
  return report("elements");
}
