/* inner_product_sparse.h: y = W x + b for one item, with sparse W, stored by columns, so that
 * inputs which are zero cost nothing at all. */
#ifndef SPARSEC_INNER_PRODUCT_SPARSE_H
#define SPARSEC_INNER_PRODUCT_SPARSE_H

#include "vector.h"

/* The outputs are cut into `segments` ranges of segment_outputs (the last may be shorter; at most
 * 65536 each); each segment has its own columns, so that parts can own segments. Entries of segment
 * s and column i are column_ends[s*inputs + i - 1] (0 for the very first) up to
 * column_ends[s*inputs + i]; entry e adds values[e] * x[i] to output s*segment_outputs + rows[e].
 * Fewer segments are faster (2 cost 3-15 % over 1, 4 cost 20 %): one for each thread that will
 * share the work. */
struct inner_product_sparse {
  int64_t outputs, inputs;
  int64_t segments, segment_outputs;
  enum rectifier rectifier;
  float slope;
};

ALWAYS_INLINE void prefetch_column(
  const uint16_t *rows, const float *values, uint32_t begin, uint32_t end
) {
  for (uint32_t e = begin; e < end; e += 16) __builtin_prefetch(values + e);
  for (uint32_t e = begin; e < end; e += 32) __builtin_prefetch(rows + e);
}

ALWAYS_INLINE void add_column(
  float input, const uint16_t *rows, const float *values, int64_t count, float *y
) {
  int64_t e = 0;
  /* A column names a row once, so the four updates never meet. */
  for (; e + 4 <= count; e += 4) {
    uint16_t a = rows[e], b = rows[e + 1], c = rows[e + 2], d = rows[e + 3];
    float ya = y[a] + input * values[e], yb = y[b] + input * values[e + 1];
    float yc = y[c] + input * values[e + 2], yd = y[d] + input * values[e + 3];
    y[a] = ya;
    y[b] = yb;
    y[c] = yc;
    y[d] = yd;
  }
  for (; e < count; e++) y[rows[e]] += input * values[e];
}

/* All columns of one segment. Live columns are listed first, so that the coming ones can be fetched
 * while one is added: they are short and far apart, and memory would be waited for at each. */
SHARED void add_segment(
  int64_t inputs, const float *x, const uint32_t *column_ends, uint32_t start, const uint16_t *rows,
  const float *values, float *y
) {
  enum { LIST = 512, AHEAD = 3 };
  struct {
    uint32_t begin, end;
    float input;
  } live[LIST + AHEAD];
  int64_t i = 0;
  while (i < inputs) {
    int64_t count = 0;
    for (; i < inputs && count < LIST; i++) {
      uint32_t begin = i > 0 ? column_ends[i - 1] : start;
      live[count].begin = begin;
      live[count].end = column_ends[i];
      live[count].input = x[i];
      count += x[i] != 0 && begin < column_ends[i];
    }
    for (int64_t j = 0; j < count && j < AHEAD; j++)
      prefetch_column(rows, values, live[j].begin, live[j].end);
    for (int64_t j = 0; j < count; j++) {
      int64_t k = j + AHEAD;
      if (k < count) prefetch_column(rows, values, live[k].begin, live[k].end);
      uint32_t begin = live[j].begin;
      add_column(live[j].input, rows + begin, values + begin, live[j].end - begin, y);
    }
  }
}

SHARED void inner_product_segment(
  struct inner_product_sparse p, const float *x, const uint32_t *column_ends, const uint16_t *rows,
  const float *values, const float *bias, float *y, int64_t segment
) {
  int64_t first = segment * p.segment_outputs, end = first + p.segment_outputs;
  if (end > p.outputs) end = p.outputs;
  for (int64_t o = first; o < end; o++) y[o] = bias ? bias[o] : 0;
  const uint32_t *ends = column_ends + segment * p.inputs;
  add_segment(p.inputs, x, ends, segment > 0 ? ends[-1] : 0, rows, values, y + first);
  for (int64_t o = first; o < end; o++) y[o] = rectified_scalar(y[o], p.rectifier, p.slope);
}

/* x and y are contiguous; bias may be NULL. Split over segments. */
ALWAYS_INLINE void inner_product_sparse(
  const struct inner_product_sparse p, const float *x, const uint32_t *column_ends,
  const uint16_t *rows, const float *values, const float *bias, float *y, int part, int parts
) {
  int64_t end = part_start(p.segments, part + 1, parts);
  for (int64_t s = part_start(p.segments, part, parts); s < end; s++)
    inner_product_segment(p, x, column_ends, rows, values, bias, y, s);
}

#endif
