/* activation.h: functions of one element, over planes values; in place when x == y and the layouts
 * agree.
 *
 * Each kind is Caffe's formula. Not-a-number passes through, except where said otherwise and for
 * Threshold, which gives 0.
 */
#ifndef SPARSEC_ACTIVATION_H
#define SPARSEC_ACTIVATION_H

#include <math.h>

#include "exponential.h"
#include "rows.h"

enum activation_kind {
  ACTIVATION_RELU,      /* max(x, 0) + a * min(x, 0) */
  ACTIVATION_ELU,       /* x > 0 ? x : a * (exp(x) - 1) */
  ACTIVATION_SIGMOID,   /* 0.5 * tanh(0.5 * x) + 0.5 */
  ACTIVATION_TANH,      /* tanh(x) */
  ACTIVATION_ABSVAL,    /* |x| */
  ACTIVATION_BNLL,      /* log(1 + exp(x)) */
  ACTIVATION_POWER,     /* (a + b * x) ^ c; c == 0 or b == 0: the constant a ^ c (1 when c == 0) */
  ACTIVATION_EXP,       /* exp(a * x + b): base^(scale*x + shift) with ln(base) multiplied in */
  ACTIVATION_LOG,       /* a * ln(b * x + c): a = 1 / ln(base) */
  ACTIVATION_THRESHOLD, /* x > a ? 1 : 0 */
  ACTIVATION_CLIP,      /* max(a, min(x, b)); a for what is not a number */
  ACTIVATION_SWISH,     /* x * sigmoid(a * x) */
};

struct activation {
  struct planes input, output;
  enum activation_kind kind;
  float a, b, c;
};

static inline __attribute__((unused)) float softplus(float x) {
  return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

ALWAYS_INLINE vector power_of_lanes(vector x, float exponent) {
  float lane[LANES];
  memcpy(lane, &x, sizeof lane);
  for (int i = 0; i < LANES; i++) lane[i] = powf(lane[i], exponent);
  memcpy(&x, lane, sizeof lane);
  return x;
}

/* exp(x) - 1, also near zero, where the difference would lose all digits: for small x through
 * tanh(x/2), as exp(x) - 1 = 2t / (1 - t). */
ALWAYS_INLINE vector vector_expm1(vector x) {
  vector t = vector_tanh(x * 0.5f);
  return choose(x > -1.0f, 2 * t / (1 - t), vector_exp(x) - 1);
}

ALWAYS_INLINE vector activated(vector x, int64_t plane, const void *constants) {
  (void)plane;
  const struct activation *l = constants;
  vector zero = {0}, one = broadcast(1);
  switch (l->kind) {
    case ACTIVATION_RELU: return rectified(x, RECTIFIER_RELU, l->a);
    case ACTIVATION_ELU: return choose(x > 0, x, l->a * vector_expm1(x));
    case ACTIVATION_SIGMOID: return vector_sigmoid(x);
    case ACTIVATION_TANH: return vector_tanh(x);
    case ACTIVATION_ABSVAL: return (vector)((vector_mask)x & 0x7fffffff);
    case ACTIVATION_BNLL: return each_lane(x, softplus);
    case ACTIVATION_POWER: {
      if (l->b == 0 || l->c == 0) return broadcast(powf(l->a, l->c));
      vector base = l->b * x + l->a;
      if (l->c == 1) return base;
      if (l->c == 2) return base * base;
      return power_of_lanes(base, l->c);
    }
    case ACTIVATION_EXP: return vector_exp(l->a * x + l->b);
    case ACTIVATION_LOG: return l->a * each_lane(l->b * x + l->c, logf);
    case ACTIVATION_THRESHOLD: return choose(x > l->a, one, zero);
    case ACTIVATION_CLIP: return maximum(broadcast(l->a), minimum(x, broadcast(l->b)));
    case ACTIVATION_SWISH: return x * vector_sigmoid(l->a * x);
  }
  return x;
}

/* y = f(x). Split over planes, or over elements of a dense value. */
ALWAYS_INLINE void activation(
  const struct activation l, const float *x, float *y, int part, int parts
) {
  struct piece p = piece_of(l.input, l.output, part, parts);
  map_rows(p.input, x + p.shift, p.output, y + p.shift, p.first, p.end, activated, &l);
}

/* PReLU: y = max(x, 0) + slope * min(x, 0), slope = slopes[plane % slope_count]. */
struct prelu {
  struct planes input, output;
  int64_t slope_count; /* channels; 1 when they share one slope */
};

struct prelu_constants {
  const float *slopes;
  int64_t count;
};

ALWAYS_INLINE vector prelu_of(vector x, int64_t plane, const void *constants) {
  const struct prelu_constants *l = constants;
  return rectified(x, RECTIFIER_RELU, l->slopes[plane % l->count]);
}

ALWAYS_INLINE void prelu(
  const struct prelu l, const float *x, const float *slopes, float *y, int part, int parts
) {
  struct prelu_constants constants = {slopes, l.slope_count};
  int64_t first = part_start(l.output.planes, part, parts);
  int64_t end = part_start(l.output.planes, part + 1, parts);
  map_rows(l.input, x, l.output, y, first, end, prelu_of, &constants);
}

#endif
