/* selection.h: layers whose answers or inputs are indices: ArgMax, Embed, BatchReindex. Dense
 * values. */
#ifndef SPARSEC_SELECTION_H
#define SPARSEC_SELECTION_H

#include <math.h>

#include "vector.h"

enum argmax_output {
  ARGMAX_INDICES, /* (outer, top_k, inner) */
  ARGMAX_VALUES,  /* (outer, top_k, inner) */
  ARGMAX_BOTH,    /* (outer, 2, top_k), inner = 1: indices, then values */
};

/* The top_k largest along the axis of (outer, axis, inner), in falling order; of equal values the
 * HIGHEST index comes first. 1 <= top_k <= axis. Split over outer * inner. */
struct argmax {
  int64_t outer, axis, inner, top_k;
  enum argmax_output output;
};

/* The index of the largest value that comes after `last` in the order; -1 as `last`: of all. */
ALWAYS_INLINE int64_t next_largest(const float *x, int64_t axis, int64_t inner, int64_t last) {
  int64_t best = -1;
  for (int64_t a = 0; a < axis; a++) {
    float v = x[a * inner];
    if (last >= 0) {
      float limit = x[last * inner];
      if (v > limit || (v == limit && a >= last)) continue;
    }
    if (best < 0 || v >= x[best * inner]) best = a;
  }
  return best;
}

ALWAYS_INLINE void argmax(const struct argmax l, const float *x, float *y, int part, int parts) {
  int64_t end = part_start(l.outer * l.inner, part + 1, parts);
  for (int64_t i = part_start(l.outer * l.inner, part, parts); i < end; i++) {
    int64_t outer = i / l.inner, inner = i % l.inner, last = -1;
    const float *from = x + outer * l.axis * l.inner + inner;
    for (int64_t k = 0; k < l.top_k; k++) {
      last = next_largest(from, l.axis, l.inner, last);
      float value = last < 0 ? NAN : from[last * l.inner];
      if (l.output == ARGMAX_BOTH) {
        y[(outer * 2) * l.top_k + k] = (float)last;
        y[(outer * 2 + 1) * l.top_k + k] = value;
      } else {
        y[(outer * l.top_k + k) * l.inner + inner] =
          l.output == ARGMAX_VALUES ? value : (float)last;
      }
      if (last < 0) last = 0; /* only values that are not numbers are left */
    }
  }
}

/* y[i] = table[indices[i]] (+ bias), rows of `width`; Embed with table = weights (rows, width),
 * bias may be NULL; BatchReindex with table = the first input. An index outside of the table, which
 * Caffe leaves undefined, gives a row of not-a-number. Split over rows of y. */
struct gather {
  int64_t count; /* indices */
  int64_t rows, width;
};

ALWAYS_INLINE void gather(
  const struct gather l, const float *table, const float *indices, const float *bias, float *y,
  int part, int parts
) {
  int64_t end = part_start(l.count, part + 1, parts);
  for (int64_t i = part_start(l.count, part, parts); i < end; i++) {
    float *to = y + i * l.width;
    if (!(indices[i] >= 0 && indices[i] < (float)l.rows)) {
      fill_floats(to, l.width, NAN);
      continue;
    }
    const float *row = table + (int64_t)indices[i] * l.width;
    if (!bias) {
      copy_floats(to, row, l.width);
      continue;
    }
    for (int64_t k = 0; k < l.width; k++) to[k] = row[k] + bias[k];
  }
}

#endif
