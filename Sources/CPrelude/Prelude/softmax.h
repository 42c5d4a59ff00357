/* softmax.h: exp(x - max) / sum over the middle axis of a dense value (outer, axis, inner). */
#ifndef SPARSEC_SOFTMAX_H
#define SPARSEC_SOFTMAX_H

#include "exponential.h"

struct softmax {
  int64_t outer, axis, inner;
};

/* One row of `axis` neighbours. */
SHARED void softmax_row(int64_t axis, const float *x, float *y) {
  float most = x[0], sum = 0;
  for (int64_t i = 1; i < axis; i++) most = most < x[i] ? x[i] : most;
  vector sums = {0};
  for (int64_t i = 0; i < axis; i += LANES) {
    int64_t n = axis - i;
    if (n >= LANES) {
      vector e = vector_exp(load(x + i) - most);
      sums += e;
      store(y + i, e);
    } else {
      vector e = vector_exp(load_partial(x + i, n) - most);
      store_partial(y + i, e, n);
      for (int64_t lane = 0; lane < n; lane++) sum += e[lane];
    }
  }
  sum += sum_of_lanes(sums);
  for (int64_t i = 0; i < axis; i++) y[i] /= sum;
}

/* `lanes` positions side by side, the axis `inner` floats apart. */
SHARED void softmax_columns(int64_t axis, int64_t inner, const float *x, float *y, int64_t lanes) {
#define SOFTMAX_LOAD(p) (lanes == LANES ? load(p) : load_partial(p, lanes))
  vector most = SOFTMAX_LOAD(x), sum = {0};
  for (int64_t a = 1; a < axis; a++) most = maximum(most, SOFTMAX_LOAD(x + a * inner));
  for (int64_t pass = 0; pass < 2; pass++)
    for (int64_t a = 0; a < axis; a++) {
      vector v;
      if (pass == 0) {
        v = vector_exp(SOFTMAX_LOAD(x + a * inner) - most);
        sum += v;
      } else {
        v = SOFTMAX_LOAD(y + a * inner) / sum;
      }
      if (lanes == LANES)
        store(y + a * inner, v);
      else
        store_partial(y + a * inner, v, lanes);
    }
#undef SOFTMAX_LOAD
}

/* x and y may be the same. Split over everything but the axis. */
ALWAYS_INLINE void softmax(const struct softmax l, const float *x, float *y, int part, int parts) {
  int64_t steps = (l.inner + LANES - 1) / LANES;
  if (l.inner == 1) steps = 1;
  int64_t end = part_start(l.outer * steps, part + 1, parts);
  for (int64_t i = part_start(l.outer * steps, part, parts); i < end; i++) {
    int64_t column = i % steps * LANES, at = i / steps * l.axis * l.inner + column;
    int64_t lanes = l.inner - column < LANES ? l.inner - column : LANES;
    if (l.inner == 1)
      softmax_row(l.axis, x + at, y + at);
    else
      softmax_columns(l.axis, l.inner, x + at, y + at, lanes);
  }
}

#endif
