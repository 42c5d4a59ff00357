/* statistics.h: layers that sum up their input: BatchNorm with its own statistics, MVN, Reduction.
 *
 * Values are dense. Sums are formed in float vectors over short chunks and added up in double.
 */
#ifndef SPARSEC_STATISTICS_H
#define SPARSEC_STATISTICS_H

#include <math.h>

#include "vector.h"

enum summand { SUM_OF_VALUES, SUM_OF_MAGNITUDES, SUM_OF_SQUARES };

/* The sum over x[0..n) of (x - shift), |x - shift| or (x - shift)^2. */
ALWAYS_INLINE double sum_over(enum summand what, const float *x, int64_t n, float shift) {
  double total = 0;
  for (int64_t start = 0; start < n; start += 512) {
    int64_t end = start + 512 < n ? start + 512 : n, i = start;
    vector sum = {0};
    for (; i + LANES <= end; i += LANES) {
      vector v = load(x + i) - shift;
      if (what == SUM_OF_VALUES) sum += v;
      if (what == SUM_OF_MAGNITUDES) sum += (vector)((vector_mask)v & 0x7fffffff);
      if (what == SUM_OF_SQUARES) sum += v * v;
    }
    total += sum_of_lanes(sum);
    for (; i < end; i++) {
      float v = x[i] - shift;
      total += what == SUM_OF_VALUES ? v : what == SUM_OF_MAGNITUDES ? fabsf(v) : v * v;
    }
  }
  return total;
}

ALWAYS_INLINE void shift_and_scale(const float *x, int64_t n, float shift, float factor, float *y) {
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - shift) * factor;
}

/* (outer, channels, inner); y = (x - mean) / sqrt(variance + eps), mean and biased variance of each
 * channel over outer and inner. In place allowed. Split over channels. */
struct batch_statistics {
  int64_t outer, channels, inner;
  float eps;
};

ALWAYS_INLINE void batch_statistics(
  const struct batch_statistics l, const float *x, float *y, int part, int parts
) {
  int64_t end = part_start(l.channels, part + 1, parts), pitch = l.channels * l.inner;
  for (int64_t c = part_start(l.channels, part, parts); c < end; c++) {
    const float *from = x + c * l.inner;
    double count = (double)(l.outer * l.inner), sum = 0, squares = 0;
    for (int64_t n = 0; n < l.outer; n++)
      sum += sum_over(SUM_OF_VALUES, from + n * pitch, l.inner, 0);
    float mean = (float)(sum / count);
    for (int64_t n = 0; n < l.outer; n++)
      squares += sum_over(SUM_OF_SQUARES, from + n * pitch, l.inner, mean);
    float factor = (float)(1 / sqrt(squares / count + (double)l.eps));
    for (int64_t n = 0; n < l.outer; n++)
      shift_and_scale(from + n * pitch, l.inner, mean, factor, y + c * l.inner + n * pitch);
  }
}

/* (outer, inner): each row gets mean 0 and, when normalize_variance, is divided by (standard
 * deviation + eps). In place allowed. Split over rows. */
struct mean_variance {
  int64_t outer, inner;
  bool normalize_variance;
  float eps;
};

ALWAYS_INLINE void mean_variance(
  const struct mean_variance l, const float *x, float *y, int part, int parts
) {
  int64_t end = part_start(l.outer, part + 1, parts);
  for (int64_t row = part_start(l.outer, part, parts); row < end; row++) {
    const float *from = x + row * l.inner;
    float mean = (float)(sum_over(SUM_OF_VALUES, from, l.inner, 0) / (double)l.inner), factor = 1;
    if (l.normalize_variance) {
      double variance = sum_over(SUM_OF_SQUARES, from, l.inner, mean) / (double)l.inner;
      factor = (float)(1 / (sqrt(variance) + (double)l.eps));
    }
    shift_and_scale(from, l.inner, mean, factor, y + row * l.inner);
  }
}

/* (outer, inner): y[row] = coefficient * sum of the row's values, magnitudes or squares. Mean: the
 * coefficient divided by inner. Split over rows. */
struct reduction {
  int64_t outer, inner;
  enum summand operation;
  float coefficient;
};

ALWAYS_INLINE void reduction(
  const struct reduction l, const float *x, float *y, int part, int parts
) {
  int64_t end = part_start(l.outer, part + 1, parts);
  for (int64_t row = part_start(l.outer, part, parts); row < end; row++)
    y[row] = (float)((double)l.coefficient * sum_over(l.operation, x + row * l.inner, l.inner, 0));
}

#endif
