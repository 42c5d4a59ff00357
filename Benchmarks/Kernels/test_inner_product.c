/* test_inner_product.c: the inner products against plain loops in double. */
#include "check.h"
#include "column_blocks.h"
#include "inner_product_columns.h"
#include "inner_product_dense.h"
#include "inner_product_sparse.h"

static void check_sums(
  const char *what, const float *y, const float *weights, const float *x, const float *bias,
  int64_t outputs, int64_t inputs, enum rectifier rectifier
) {
  for (int64_t o = 0; o < outputs; o++) {
    double sum = bias ? bias[o] : 0, scale = fabs(sum);
    for (int64_t i = 0; i < inputs; i++) {
      sum += (double)weights[o * inputs + i] * x[i];
      scale += fabs((double)weights[o * inputs + i] * x[i]);
    }
    if (rectifier == RECTIFIER_RELU && sum < 0) sum *= 0.5;
    expect_near(what, y[o], sum, scale, 4e-6);
  }
}

/* inner_product_dense with one item, inner_product_sparse with 1 to 35; an item's result is the
 * same in any company. */
static void check(int parts) {
  int64_t outputs = random_int(1, 70), inputs = random_int(1, 700), items = 1;
  if (random_bits() & 1) items = random_int(1, 35);
  int64_t x_pitch = inputs + random_int(0, 5), y_pitch = outputs + random_int(0, 40);
  float *weights = random_floats(outputs * inputs), *x = random_floats(items * x_pitch);
  float *bias = random_bits() & 1 ? random_floats(outputs) : NULL;
  double density = random_bits() % 3 * 0.5;
  for (int64_t i = 0; i < outputs * inputs; i++)
    if ((random_float() + 1) / 2 > density) weights[i] = 0;
  float live = (float)(random_bits() % 5) / 2 - 1;
  for (int64_t i = 0; i < items * x_pitch; i++)
    if (random_float() > live) x[i] = 0;
  enum rectifier rectifier = random_bits() & 1 ? RECTIFIER_RELU : RECTIFIER_NONE;
  float *dense = guarded(outputs), *sparse = guarded(items * y_pitch), *alone = guarded(outputs);
  int64_t segment = random_int(1, outputs);
  int64_t segments = (outputs + segment - 1) / segment;
  uint32_t *ends = malloc((size_t)(segments * inputs) * sizeof *ends);
  struct column_block *blocks = malloc((size_t)column_blocks_bytes(outputs, inputs, segments));
  fill_column_blocks(weights, outputs, inputs, segments, segment, ends, blocks);
  struct inner_product_sparse p = {
    outputs, inputs, items, x_pitch, y_pitch, segments, segment, rectifier, 0.5f
  };
  for (int part = 0; part < parts; part++) {
    struct inner_product_dense d = {outputs, inputs, rectifier, 0.5f};
    inner_product_dense(d, x, weights, bias, dense, part, parts);
    inner_product_sparse(p, x, ends, blocks, bias, sparse, part, parts);
  }
  check_sums("inner_product_dense", dense, weights, x, bias, outputs, inputs, rectifier);
  p.items = 1;
  for (int64_t item = 0; item < items; item++) {
    const float *from = x + item * x_pitch, *y = sparse + item * y_pitch;
    inner_product_sparse(p, from, ends, blocks, bias, alone, 0, 1);
    check_sums("inner_product_sparse", y, weights, from, bias, outputs, inputs, rectifier);
    for (int64_t o = 0; o < y_pitch; o++) {
      float wanted = o < outputs ? alone[o] : GUARD;
      expect(y[o] == wanted, "inner_product_sparse alone", y[o], wanted);
    }
  }
  expect_guard("inner_product_dense", dense, outputs);
  expect_guard("inner_product_sparse", sparse, items * y_pitch);
  expect_guard("inner_product_sparse", alone, outputs);
  release(weights);
  release(x);
  if (bias) release(bias);
  release(dense);
  release(sparse);
  release(alone);
  free(ends);
  free(blocks);
}

/* inner_product_columns with 1 to 17 items; an item's result is the same in any company. */
static void check_columns(int parts) {
  int64_t outputs = random_int(1, 150), inputs = random_int(1, 700), items = random_int(1, 17);
  if (random_bits() % 16 == 0) outputs = random_int(4090, 4200), inputs = random_int(1, 40);
  int64_t pitch = ((outputs + 15) / 16 | 1) * 16;
  int64_t x_pitch = inputs + random_int(0, 5), y_pitch = outputs + random_int(0, 40);
  float *weights = random_floats(inputs * pitch + 16), *x = random_floats(items * x_pitch);
  float *bias = random_bits() & 1 ? random_floats(outputs) : NULL;
  float live = (float)(random_bits() % 5) / 2 - 1;
  for (int64_t i = 0; i < items * x_pitch; i++)
    if (random_float() > live) x[i] = 0;
  enum rectifier rectifier = random_bits() & 1 ? RECTIFIER_RELU : RECTIFIER_NONE;
  float *y = guarded(items * y_pitch), *alone = guarded(outputs);
  struct inner_product_columns p = {
    outputs, inputs, pitch, items, x_pitch, y_pitch, rectifier, 0.5f
  };
  for (int part = 0; part < parts; part++)
    inner_product_columns(p, x, weights, bias, y, part, parts);
  for (int64_t item = 0; item < items; item++) {
    p.items = 1;
    inner_product_columns(p, x + item * x_pitch, weights, bias, alone, 0, 1);
    for (int64_t o = 0; o < outputs; o++) {
      double sum = bias ? bias[o] : 0, scale = fabs(sum);
      for (int64_t i = 0; i < inputs; i++) {
        double product = (double)weights[i * pitch + o] * x[item * x_pitch + i];
        sum += product;
        scale += fabs(product);
      }
      if (rectifier == RECTIFIER_RELU && sum < 0) sum *= 0.5;
      float got = y[item * y_pitch + o];
      expect_near("inner_product_columns", got, sum, scale, 4e-6);
      expect(got == alone[o], "inner_product_columns alone", alone[o], got);
    }
    for (int64_t o = outputs; o < y_pitch; o++) {
      float behind = y[item * y_pitch + o];
      expect(behind == GUARD, "inner_product_columns behind", behind, GUARD);
    }
  }
  expect_guard("inner_product_columns", y, items * y_pitch);
  expect_guard("inner_product_columns", alone, outputs);
  release(weights);
  release(x);
  if (bias) release(bias);
  release(y);
  release(alone);
}

int main(void) {
  for (int round = 0; round < 600; round++) check(1 + round % 3);
  for (int round = 0; round < 400; round++) check_columns(1 + round % 3);
  return report("inner_product");
}
