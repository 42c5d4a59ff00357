/* column_blocks.h: a matrix as inner_product_sparse.h reads it. */
#ifndef SPARSEC_COLUMN_BLOCKS_H
#define SPARSEC_COLUMN_BLOCKS_H

#include "inner_product_sparse.h"

/* Room for the blocks of any matrix of this size. */
static inline int64_t column_blocks_bytes(int64_t outputs, int64_t inputs, int64_t segments) {
  return inputs * (outputs / 4 + segments) * (int64_t)sizeof(struct column_block);
}

/* weights[output][input]. */
static inline void fill_column_blocks(
  const float *weights, int64_t outputs, int64_t inputs, int64_t segments, int64_t segment_outputs,
  uint32_t *ends, struct column_block *blocks
) {
  uint32_t count = 0;
  for (int64_t i = 0; i < inputs; i++)
    for (int64_t s = 0; s < segments; s++) {
      int64_t first = s * segment_outputs, end = first + segment_outputs, in_block = 0;
      for (int64_t o = first; o < end && o < outputs; o++) {
        if (weights[o * inputs + i] == 0) continue;
        if (in_block == 0) count++;
        struct column_block *block = blocks + count - 1;
        block->values[in_block] = weights[o * inputs + i];
        for (int64_t k = in_block; k < 4; k++) block->rows[k] = (uint16_t)o;
        for (int64_t k = in_block + 1; k < 4; k++) block->values[k] = 0;
        in_block = (in_block + 1) % 4;
      }
      ends[i * segments + s] = count;
    }
}

#endif
