/* inner_product_columns.h: Y = W X + b for one item or several, with dense W stored by columns.
 *
 * Several items share every weight that is read: blocks of columns x outputs are multiplied with
 * all items while they are in the caches. Of few items with many zeros each reads the columns of
 * its own live inputs instead, and no others; these come in long runs, six at a time, which the
 * hardware fetches at the full speed of memory (fetching by hand is a third slower, on Zen 3).
 * Either way an output's products are added in the order of the inputs, so an item's result does
 * not depend on its company, nor on the parts.
 */
#ifndef SPARSEC_INNER_PRODUCT_COLUMNS_H
#define SPARSEC_INNER_PRODUCT_COLUMNS_H

#include "vector.h"

/* weights[input*pitch + output]: pitch is a multiple of 16, at least outputs rounded up to one, and
 * best an odd multiple, so that columns do not compete for cache sets. Behind the last column lie
 * 16 more floats. Items: x[item*x_pitch + input], y[item*y_pitch + output]. */
struct inner_product_columns {
  int64_t outputs, inputs, pitch;
  int64_t items, x_pitch, y_pitch;
  enum rectifier rectifier;
  float slope;
};

enum {
  COLUMNS_AT_ONCE = 6,        /* streams from memory */
  COLUMN_LIST = 576,          /* live columns listed at a time */
  COLUMN_OUTPUTS = 4096,      /* sums that stay in the first-level cache */
  COLUMN_BLOCK = 256,         /* columns that are multiplied with all items before the next */
  COLUMN_TILE = 2 * LANES,    /* outputs of a register tile */
  COLUMN_ITEMS = 6,           /* items of a register tile */
};

struct live_column {
  int64_t at; /* where the column begins */
  float input;
};

/* -- one item: only columns of inputs that are not zero -- */

/* y[0..n) += the products of COUNT columns. */
ALWAYS_INLINE void add_live_columns(
  const int COUNT, const struct live_column *live, const float *weights, float *y, int64_t n
) {
  const float *column[COLUMNS_AT_ONCE];
  vector input[COLUMNS_AT_ONCE];
#pragma clang loop unroll(full)
  for (int c = 0; c < COUNT; c++) {
    column[c] = weights + live[c].at;
    input[c] = broadcast(live[c].input);
  }
  int64_t i = 0;
  for (; i + COLUMN_TILE <= n; i += COLUMN_TILE) {
    vector a = load(y + i), b = load(y + i + LANES);
#pragma clang loop unroll(full)
    for (int c = 0; c < COUNT; c++) {
      a += input[c] * load(column[c] + i);
      b += input[c] * load(column[c] + i + LANES);
    }
    store(y + i, a);
    store(y + i + LANES, b);
  }
  for (; i < n; i += LANES) {
    bool whole = i + LANES <= n;
    vector a = whole ? load(y + i) : load_partial(y + i, n - i);
#pragma clang loop unroll(full)
    for (int c = 0; c < COUNT; c++) a += input[c] * load(column[c] + i);
    if (whole)
      store(y + i, a);
    else
      store_partial(y + i, a, n - i);
  }
}

/* Outputs [first, end) of one item. */
SHARED void inner_product_live_columns(
  struct inner_product_columns p, const float *x, const float *weights, const float *bias, float *y,
  int64_t first, int64_t end
) {
  struct live_column live[COLUMN_LIST];
  for (int64_t o = first; o < end; o++) y[o] = bias ? bias[o] : 0;
  for (int64_t i = 0; i < p.inputs;) {
    int64_t count = 0;
    for (; i < p.inputs && count < COLUMN_LIST; i++) {
      live[count] = (struct live_column){i * p.pitch, x[i]};
      count += x[i] != 0;
    }
    for (int64_t o = first; o < end; o += COLUMN_OUTPUTS) {
      int64_t n = end - o < COLUMN_OUTPUTS ? end - o : COLUMN_OUTPUTS, c = 0;
      for (; c + COLUMNS_AT_ONCE <= count; c += COLUMNS_AT_ONCE)
        add_live_columns(COLUMNS_AT_ONCE, live + c, weights + o, y + o, n);
      for (; c < count; c++) add_live_columns(1, live + c, weights + o, y + o, n);
    }
  }
  for (int64_t o = first; o < end; o++) y[o] = rectified_scalar(y[o], p.rectifier, p.slope);
}

/* -- several items -- */

/* A tile of ITEMS items x COLUMN_TILE outputs goes over `columns` columns. The next tile's weights
 * are fetched on the way if FETCH. */
ALWAYS_INLINE void items_tile(
  const int ITEMS, const bool FETCH, const struct inner_product_columns *p, const float *x,
  const float *w, int64_t columns, float *y, int64_t y_pitch
) {
  vector sum[COLUMN_ITEMS][2];
#pragma clang loop unroll(full)
  for (int item = 0; item < ITEMS; item++) {
    sum[item][0] = load(y + item * y_pitch);
    sum[item][1] = load(y + item * y_pitch + LANES);
  }
  for (int64_t c = 0; c < columns; c++, w += p->pitch) {
    if (FETCH) __builtin_prefetch(w + COLUMN_TILE);
    vector a = load(w), b = load(w + LANES);
#pragma clang loop unroll(full)
    for (int item = 0; item < ITEMS; item++) {
      float input = x[item * p->x_pitch + c];
      sum[item][0] += input * a;
      sum[item][1] += input * b;
    }
  }
#pragma clang loop unroll(full)
  for (int item = 0; item < ITEMS; item++) {
    store(y + item * y_pitch, sum[item][0]);
    store(y + item * y_pitch + LANES, sum[item][1]);
  }
}

#define ITEMS_TILE(ITEMS)                                                                        \
  SHARED void items_tile_##ITEMS(                                                                \
    const struct inner_product_columns *p, const float *x, const float *w, int64_t columns,      \
    float *y, int64_t y_pitch, bool fetch                                                        \
  ) {                                                                                            \
    if (fetch)                                                                                   \
      items_tile(ITEMS, true, p, x, w, columns, y, y_pitch);                                     \
    else                                                                                         \
      items_tile(ITEMS, false, p, x, w, columns, y, y_pitch);                                    \
  }
ITEMS_TILE(1)
ITEMS_TILE(2)
ITEMS_TILE(3)
ITEMS_TILE(4)
ITEMS_TILE(5)
ITEMS_TILE(6)
#undef ITEMS_TILE

/* All items, `n` <= COLUMN_TILE outputs, `columns` columns. */
ALWAYS_INLINE void items_block(
  const struct inner_product_columns *p, const float *x, const float *w, int64_t columns, float *y,
  int64_t n
) {
  /* Tiles of about as many items each. */
  int64_t tiles = (p->items + COLUMN_ITEMS - 1) / COLUMN_ITEMS;
  for (int64_t tile = 0; tile < tiles; tile++) {
    int64_t item = p->items * tile / tiles, count = p->items * (tile + 1) / tiles - item;
    const float *from = x + item * p->x_pitch;
    float part[COLUMN_ITEMS * COLUMN_TILE], *to = y + item * p->y_pitch;
    int64_t to_pitch = p->y_pitch;
    if (n < COLUMN_TILE) {
      /* Whole vectors, but nothing is written behind the outputs. */
      for (int64_t i = 0; i < count; i++) memcpy(part + i * COLUMN_TILE, to + i * to_pitch, 4 * n);
      to = part;
      to_pitch = COLUMN_TILE;
    }
    switch (count) {
#define CALL(ITEMS)                                                     \
  case ITEMS:                                                           \
    items_tile_##ITEMS(p, from, w, columns, to, to_pitch, tile == 0);   \
    break;
      CALL(1)
      CALL(2)
      CALL(3)
      CALL(4)
      CALL(5)
      CALL(6)
#undef CALL
    }
    if (n < COLUMN_TILE)
      for (int64_t i = 0; i < count; i++)
        memcpy(y + (item + i) * p->y_pitch, part + i * COLUMN_TILE, 4 * n);
  }
}

/* Outputs [first, end) of all items. */
SHARED void inner_product_all_columns(
  struct inner_product_columns p, const float *x, const float *weights, const float *bias, float *y,
  int64_t first, int64_t end
) {
  for (int64_t item = 0; item < p.items; item++)
    for (int64_t o = first; o < end; o++) y[item * p.y_pitch + o] = bias ? bias[o] : 0;
  for (int64_t i = 0; i < p.inputs; i += COLUMN_BLOCK) {
    int64_t columns = p.inputs - i < COLUMN_BLOCK ? p.inputs - i : COLUMN_BLOCK;
    for (int64_t o = first; o < end; o += COLUMN_TILE)
      items_block(
        &p, x + i, weights + i * p.pitch + o, columns, y + o,
        end - o < COLUMN_TILE ? end - o : COLUMN_TILE
      );
  }
  for (int64_t item = 0; item < p.items; item++)
    for (int64_t o = first; o < end; o++) {
      float *to = y + item * p.y_pitch + o;
      *to = rectified_scalar(*to, p.rectifier, p.slope);
    }
}

/* How many inputs are not zero. */
SHARED int64_t live_inputs(const struct inner_product_columns *p, const float *x) {
  int64_t count = 0;
  for (int64_t item = 0; item < p->items; item++)
    for (int64_t i = 0; i < p->inputs; i++) count += x[item * p->x_pitch + i] != 0;
  return count;
}

/* bias may be NULL. Split over outputs. */
ALWAYS_INLINE void inner_product_columns(
  const struct inner_product_columns p, const float *x, const float *weights, const float *bias,
  float *y, int part, int parts
) {
  int64_t lines = (p.outputs + 15) / 16;
  int64_t first = part_start(lines, part, parts) * 16;
  int64_t end = part_start(lines, part + 1, parts) * 16;
  if (end > p.outputs) end = p.outputs;
  /* A live column costs an item a sixth of what it costs all items to share it, a sixteenth at
   * most: measured on Zen 3, weights in memory. */
  int64_t shared = p.items > 13 ? p.items : 13;
  if (p.items > 1 && 6 * live_inputs(&p, x) > p.inputs * shared) {
    inner_product_all_columns(p, x, weights, bias, y, first, end);
    return;
  }
  for (int64_t item = 0; item < p.items; item++)
    inner_product_live_columns(
      p, x + item * p.x_pitch, weights, bias, y + item * p.y_pitch, first, end
    );
}

#endif
