/* inner_products.h: inner products with random weights, dense and sparse, and the work that is
 * timed; OpenBLAS's beside them. */
#ifndef SPARSEC_INNER_PRODUCTS_H
#define SPARSEC_INNER_PRODUCTS_H

#include <cblas.h>

#include "check.h"
#include "column_blocks.h"
#include "inner_product_dense.h"
#include "inner_product_sparse.h"
#include "room.h"

struct inner {
  int64_t inputs, outputs;
  float *x, *y, *weights;
  uint32_t *ends;
  struct column_block *blocks;
  struct inner_product_sparse sparse;
};

static void gemv_work(void *with) {
  struct inner *i = with;
  cblas_sgemv(
    CblasRowMajor, CblasNoTrans, (int)i->outputs, (int)i->inputs, 1, i->weights, (int)i->inputs,
    i->x, 1, 0, i->y, 1
  );
}

static void inner_dense_work(void *with) {
  struct inner *i = with;
  struct inner_product_dense p = {i->outputs, i->inputs, RECTIFIER_RELU, 0};
  inner_product_dense(p, i->x, i->weights, NULL, i->y, 0, 1);
}

static void inner_sparse_work(void *with) {
  struct inner *i = with;
  inner_product_sparse(i->sparse, i->x, i->ends, i->blocks, NULL, i->y, 0, 1);
}

static struct inner make_inner(int64_t inputs, int64_t outputs, double density, double live) {
  struct inner i = {inputs, outputs, .x = room(4 * inputs), .y = room(4 * outputs)};
  i.weights = room(4 * inputs * outputs);
  int64_t segments = setting("SEGMENTS", 1), segment = outputs / segments;
  i.ends = room(4 * segments * inputs);
  i.blocks = room(column_blocks_bytes(outputs, inputs, segments));
  i.sparse = (struct inner_product_sparse){
    outputs, inputs, 1, inputs, outputs, segments, segment, RECTIFIER_RELU, 0
  };
  for (int64_t k = 0; k < inputs * outputs; k++) i.weights[k] = random_float();
  for (int64_t k = 0; k < inputs; k++)
    i.x[k] = (random_float() + 1) / 2 < live ? random_float() : 0;
  float *pruned = room(4 * inputs * outputs);
  for (int64_t k = 0; k < inputs * outputs; k++)
    pruned[k] = (random_float() + 1) / 2 > density ? 0 : i.weights[k];
  fill_column_blocks(pruned, outputs, inputs, segments, segment, i.ends, i.blocks);
  return i;
}

#endif
