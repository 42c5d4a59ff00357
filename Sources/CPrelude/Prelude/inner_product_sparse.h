/* inner_product_sparse.h: Y = W X + b for one item or several, with sparse W, stored by columns, so
 * that inputs which are zero cost nothing at all. Several items lie side by side in the lanes, and
 * every weight is read once for sixteen of them. */
#ifndef SPARSEC_INNER_PRODUCT_SPARSE_H
#define SPARSEC_INNER_PRODUCT_SPARSE_H

#include "vector.h"

/* Four weights of one column. A column's last block is filled with zeros for its last output. */
struct column_block {
  float values[4];
  uint16_t rows[4]; /* outputs */
};

/* A column's blocks lie one behind the other, those of `segments` ranges of segment_outputs outputs
 * (the last may be shorter) in order: blocks column_ends[i*segments + s - 1] (0 for the very first)
 * up to column_ends[i*segments + s] are those of column i and segment s. One thread reads whole
 * columns, several own segments. At most 65536 outputs.
 * Items: x[item*x_pitch + input], y[item*y_pitch + output]. */
struct inner_product_sparse {
  int64_t outputs, inputs;
  int64_t items, x_pitch, y_pitch;
  int64_t segments, segment_outputs;
  enum rectifier rectifier;
  float slope;
};

/* One behind the other: a row may be named again, by the zeros behind it. */
ALWAYS_INLINE void add_block(float input, const struct column_block *block, float *y) {
  typedef float quad __attribute__((vector_size(16)));
  quad values;
  memcpy(&values, block->values, sizeof values);
  quad products = input * values;
  uint64_t rows;
  memcpy(&rows, block->rows, sizeof rows);
  y[rows & 0xffff] += products[0];
  y[rows >> 16 & 0xffff] += products[1];
  y[rows >> 32 & 0xffff] += products[2];
  y[rows >> 48] += products[3];
}

/* Adds a column, and meanwhile fetches one that comes later: 8 blocks are 3 cache lines. Fetches in
 * one go would have the additions wait behind them. */
ALWAYS_INLINE void add_column(
  float input, const struct column_block *block, const struct column_block *end,
  const struct column_block *next, const struct column_block *next_end, float *y
) {
  enum { BLOCKS = 8, BYTES = BLOCKS * sizeof(struct column_block) };
  const char *line = (const char *)next, *last = (const char *)next_end;
  for (; end - block >= BLOCKS; block += BLOCKS, line += BYTES) {
#pragma clang loop unroll(full)
    for (int b = 0; b < BYTES; b += 64) __builtin_prefetch(line + b);
#pragma clang loop unroll(full)
    for (int b = 0; b < BLOCKS; b++) add_block(input, block + b, y);
  }
  for (; block < end; block++) add_block(input, block, y);
  for (; line < last; line += 64) __builtin_prefetch(line);
}

/* Segments [first, end) of all columns that meet an input. Those are listed before, since the coming
 * ones must be fetched in time: columns are short and far apart, and memory would be waited for. */
SHARED void add_segments(
  int64_t inputs, const float *x, const uint32_t *column_ends, int64_t segments, int64_t first,
  int64_t end, const struct column_block *blocks, float *y
) {
  enum { LIST = 512, AHEAD = 3 };
  struct {
    const struct column_block *begin, *end;
    float input;
  } live[LIST + AHEAD];
  int64_t i = 0;
  while (i < inputs) {
    int64_t count = 0;
    for (; i < inputs && count < LIST; i++) {
      int64_t before = i * segments + first - 1;
      live[count].begin = blocks + (before < 0 ? 0 : column_ends[before]);
      live[count].end = blocks + column_ends[i * segments + end - 1];
      live[count].input = x[i];
      count += x[i] != 0 && live[count].begin < live[count].end;
    }
    if (count == 0) continue;
    /* Behind the last one: nothing to fetch. */
    for (int64_t j = 0; j < AHEAD; j++) live[count + j].begin = live[count + j].end = blocks;
    for (int64_t j = 0; j < AHEAD; j++)
      for (const char *line = (const char *)live[j].begin; line < (const char *)live[j].end; line += 64)
        __builtin_prefetch(line);
    for (int64_t j = 0; j < count; j++)
      add_column(
        live[j].input, live[j].begin, live[j].end, live[j + AHEAD].begin, live[j + AHEAD].end, y
      );
  }
}

/* Segments [first, end) for one item. */
SHARED void inner_product_segments(
  struct inner_product_sparse p, const float *x, const uint32_t *column_ends,
  const struct column_block *blocks, const float *bias, float *y, int64_t first, int64_t end
) {
  int64_t from = first * p.segment_outputs, to = end * p.segment_outputs;
  if (to > p.outputs) to = p.outputs;
  if (from >= to) return;
  for (int64_t o = from; o < to; o++) y[o] = bias ? bias[o] : 0;
  add_segments(p.inputs, x, column_ends, p.segments, first, end, blocks, y);
  for (int64_t o = from; o < to; o++) y[o] = rectified_scalar(y[o], p.rectifier, p.slope);
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

/* sums[row - first][item] += value * inputs[item] for a column's blocks. */
ALWAYS_INLINE void add_column_of_items(
  const float *inputs, const struct column_block *block, const struct column_block *end,
  int64_t first, float *sums
) {
  vector input[ITEM_VECTORS];
  vector_mask live = {0};
#pragma clang loop unroll(full)
  for (int v = 0; v < ITEM_VECTORS; v++) {
    input[v] = load(inputs + v * LANES);
    live |= input[v] != 0;
  }
  if (!__builtin_reduce_or(live)) return;
  for (; block < end; block++)
    for (int k = 0; k < 4; k++) {
      float *y = sums + ((int64_t)block->rows[k] - first) * ITEMS_TOGETHER, value = block->values[k];
#pragma clang loop unroll(full)
      for (int v = 0; v < ITEM_VECTORS; v++) {
        vector product = input[v] * value; /* rounded as in add_block */
        store(y + v * LANES, load(y + v * LANES) + product);
      }
    }
}

/* One segment for 1 to ITEMS_TOGETHER items. */
SHARED void inner_product_segment_of_items(
  struct inner_product_sparse p, const float *x, const uint32_t *column_ends,
  const struct column_block *blocks, const float *bias, float *y, int64_t items, int64_t segment
) {
  int64_t first = segment * p.segment_outputs, end = first + p.segment_outputs;
  if (end > p.outputs) end = p.outputs;
  float sums[OUTPUTS_TOGETHER * ITEMS_TOGETHER];
  for (int64_t o = first; o < end; o++)
#pragma clang loop unroll(full)
    for (int v = 0; v < ITEM_VECTORS; v++)
      store(sums + (o - first) * ITEMS_TOGETHER + v * LANES, broadcast(bias ? bias[o] : 0));
  float lanes[INPUTS_TOGETHER * ITEMS_TOGETHER] = {0};
  for (int64_t i = 0; i < p.inputs; i += INPUTS_TOGETHER) {
    int64_t count = p.inputs - i < INPUTS_TOGETHER ? p.inputs - i : INPUTS_TOGETHER;
    items_into_lanes(x + i, p.x_pitch, items, count, lanes);
    for (int64_t j = 0; j < count; j++) {
      const uint32_t *ends = column_ends + (i + j) * p.segments + segment;
      const struct column_block *begin = blocks + (ends > column_ends ? ends[-1] : 0);
      add_column_of_items(lanes + j * ITEMS_TOGETHER, begin, blocks + ends[0], first, sums);
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
  const struct column_block *blocks, const float *bias, float *y, int part, int parts
) {
  int64_t first = part_start(p.segments, part, parts);
  int64_t end = part_start(p.segments, part + 1, parts);
  for (int64_t item = 0; item < p.items; item += ITEMS_TOGETHER) {
    int64_t items = p.items - item < ITEMS_TOGETHER ? p.items - item : ITEMS_TOGETHER;
    const float *from = x + item * p.x_pitch;
    float *to = y + item * p.y_pitch;
    if (items_are_together(p, from, items)) {
      for (int64_t s = first; s < end; s++)
        inner_product_segment_of_items(p, from, column_ends, blocks, bias, to, items, s);
    } else {
      for (int64_t i = 0; i < items; i++)
        inner_product_segments(
          p, from + i * p.x_pitch, column_ends, blocks, bias, to + i * p.y_pitch, first, end
        );
    }
  }
}

#endif
