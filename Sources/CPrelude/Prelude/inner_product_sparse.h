/* inner_product_sparse.h: Y = W X + b for one item or several, with sparse W, stored by columns, so
 * that inputs which are zero cost nothing at all. Several items lie side by side in the lanes, and
 * every weight is read once for sixteen of them. */
#ifndef SPARSEC_INNER_PRODUCT_SPARSE_H
#define SPARSEC_INNER_PRODUCT_SPARSE_H

#include "vector.h"

/* The outputs are cut into `segments` ranges of segment_outputs (the last may be shorter; at most
 * 65536 each); each segment has its own columns, so that parts can own segments. Entries of segment
 * s and column i are column_ends[s*inputs + i - 1] (0 for the very first) up to
 * column_ends[s*inputs + i]; entry e adds values[e] * x[i] to output s*segment_outputs + rows[e].
 * Fewer segments are faster (2 cost 3-15 % over 1, 4 cost 20 %): one for each thread that will
 * share the work. Items: x[item*x_pitch + input], y[item*y_pitch + output]. */
struct inner_product_sparse {
  int64_t outputs, inputs;
  int64_t items, x_pitch, y_pitch;
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
  /* Four rows a load; a column names a row once, so the four updates never meet. */
  for (; e + 4 <= count; e += 4) {
    uint64_t four;
    memcpy(&four, rows + e, sizeof four);
    float *a = y + (four & 0xffff), *b = y + (four >> 16 & 0xffff);
    float *c = y + (four >> 32 & 0xffff), *d = y + (four >> 48);
    float sum_a = *a + input * values[e], sum_b = *b + input * values[e + 1];
    float sum_c = *c + input * values[e + 2], sum_d = *d + input * values[e + 3];
    *a = sum_a;
    *b = sum_b;
    *c = sum_c;
    *d = sum_d;
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

/* -- several items -- */

enum {
  ITEMS_TOGETHER = 16,
  ITEM_VECTORS = ITEMS_TOGETHER / LANES,
  OUTPUTS_TOGETHER = 1024, /* sums of a segment for all items: 64 KB of stack */
  INPUTS_TOGETHER = 16,
};

/* to[input][item] = x[item][input] for `count` inputs; other lanes are left alone. */
ALWAYS_INLINE void items_into_lanes(
  const float *x, int64_t x_pitch, int64_t items, int64_t count, float *to
) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t item = 0; item < items; item++)
      to[i * ITEMS_TOGETHER + item] = x[item * x_pitch + i];
}

/* sums[row][item] += value * inputs[item] for a column's entries. */
ALWAYS_INLINE void add_column_of_items(
  const float *inputs, const uint16_t *rows, const float *values, int64_t count, float *sums
) {
  vector input[ITEM_VECTORS];
  vector_mask live = {0};
#pragma clang loop unroll(full)
  for (int v = 0; v < ITEM_VECTORS; v++) {
    input[v] = load(inputs + v * LANES);
    live |= input[v] != 0;
  }
  if (!__builtin_reduce_or(live)) return;
  for (int64_t e = 0; e < count; e++) {
    float *y = sums + (int64_t)rows[e] * ITEMS_TOGETHER, value = values[e];
#pragma clang loop unroll(full)
    for (int v = 0; v < ITEM_VECTORS; v++)
      store(y + v * LANES, load(y + v * LANES) + input[v] * value);
  }
}

/* One segment for 1 to ITEMS_TOGETHER items. */
SHARED void inner_product_segment_of_items(
  struct inner_product_sparse p, const float *x, const uint32_t *column_ends, const uint16_t *rows,
  const float *values, const float *bias, float *y, int64_t items, int64_t segment
) {
  int64_t first = segment * p.segment_outputs, end = first + p.segment_outputs;
  if (end > p.outputs) end = p.outputs;
  float sums[OUTPUTS_TOGETHER * ITEMS_TOGETHER];
  for (int64_t o = first; o < end; o++)
#pragma clang loop unroll(full)
    for (int v = 0; v < ITEM_VECTORS; v++)
      store(sums + (o - first) * ITEMS_TOGETHER + v * LANES, broadcast(bias ? bias[o] : 0));
  const uint32_t *ends = column_ends + segment * p.inputs;
  uint32_t entry = segment > 0 ? ends[-1] : 0;
  float lanes[INPUTS_TOGETHER * ITEMS_TOGETHER] = {0};
  for (int64_t i = 0; i < p.inputs; i += INPUTS_TOGETHER) {
    int64_t count = p.inputs - i < INPUTS_TOGETHER ? p.inputs - i : INPUTS_TOGETHER;
    items_into_lanes(x + i, p.x_pitch, items, count, lanes);
    for (int64_t j = 0; j < count; j++) {
      add_column_of_items(
        lanes + j * ITEMS_TOGETHER, rows + entry, values + entry, ends[i + j] - entry, sums
      );
      entry = ends[i + j];
    }
  }
  for (int64_t item = 0; item < items; item++)
    for (int64_t o = first; o < end; o++) {
      float sum = sums[(o - first) * ITEMS_TOGETHER + item];
      y[item * p.y_pitch + o] = rectified_scalar(sum, p.rectifier, p.slope);
    }
}

/* Whether all items together cost less than each with its own live inputs: an entry that is visited
 * for sixteen items takes a third longer than one for a single item (measured on Zen 3). */
SHARED bool items_are_together(struct inner_product_sparse p, const float *x, int64_t items) {
  if (items == 1 || p.segment_outputs > OUTPUTS_TOGETHER) return false;
  int64_t live = 0;
  for (int64_t item = 0; item < items; item++)
    for (int64_t i = 0; i < p.inputs; i++) live += x[item * p.x_pitch + i] != 0;
  return 3 * live > 4 * p.inputs;
}

/* bias may be NULL. Split over segments. */
ALWAYS_INLINE void inner_product_sparse(
  const struct inner_product_sparse p, const float *x, const uint32_t *column_ends,
  const uint16_t *rows, const float *values, const float *bias, float *y, int part, int parts
) {
  int64_t first = part_start(p.segments, part, parts);
  int64_t end = part_start(p.segments, part + 1, parts);
  for (int64_t item = 0; item < p.items; item += ITEMS_TOGETHER) {
    int64_t items = p.items - item < ITEMS_TOGETHER ? p.items - item : ITEMS_TOGETHER;
    const float *from = x + item * p.x_pitch;
    float *to = y + item * p.y_pitch;
    if (items_are_together(p, from, items)) {
      for (int64_t s = first; s < end; s++)
        inner_product_segment_of_items(p, from, column_ends, rows, values, bias, to, items, s);
    } else {
      for (int64_t i = 0; i < items; i++)
        for (int64_t s = first; s < end; s++)
          inner_product_segment(
            p, from + i * p.x_pitch, column_ends, rows, values, bias, to + i * p.y_pitch, s
          );
    }
  }
}

#endif
