/* test_inner_product.c: the inner products against plain loops in double. */
#include "check.h"
#include "inner_product_dense.h"
#include "inner_product_sparse.h"

static void check(int parts) {
  int64_t outputs = random_int(1, 70), inputs = random_int(1, 700);
  float *weights = random_floats(outputs * inputs), *x = random_floats(inputs);
  float *bias = random_bits() & 1 ? random_floats(outputs) : NULL;
  double density = random_bits() % 3 * 0.5;
  for (int64_t i = 0; i < outputs * inputs; i++)
    if ((random_float() + 1) / 2 > density) weights[i] = 0;
  for (int64_t i = 0; i < inputs; i++)
    if (random_bits() & 1) x[i] = 0;
  enum rectifier rectifier = random_bits() & 1 ? RECTIFIER_RELU : RECTIFIER_NONE;
  float *dense = guarded(outputs), *sparse = guarded(outputs);

  int64_t segment = random_int(1, outputs), segments = (outputs + segment - 1) / segment;
  uint32_t *ends = malloc((size_t)(segments * inputs) * sizeof *ends), count = 0;
  uint16_t *rows = malloc((size_t)(outputs * inputs) * sizeof *rows);
  float *values = malloc((size_t)(outputs * inputs) * sizeof *values);
  for (int64_t s = 0; s < segments; s++)
    for (int64_t i = 0; i < inputs; i++) {
      for (int64_t o = s * segment; o < (s + 1) * segment && o < outputs; o++) {
        if (weights[o * inputs + i] == 0) continue;
        rows[count] = (uint16_t)(o - s * segment);
        values[count++] = weights[o * inputs + i];
      }
      ends[s * inputs + i] = count;
    }
  for (int part = 0; part < parts; part++) {
    struct inner_product_dense d = {outputs, inputs, rectifier, 0.5f};
    inner_product_dense(d, x, weights, bias, dense, part, parts);
    struct inner_product_sparse p = {outputs, inputs, segments, segment, rectifier, 0.5f};
    inner_product_sparse(p, x, ends, rows, values, bias, sparse, part, parts);
  }
  for (int64_t o = 0; o < outputs; o++) {
    double sum = bias ? bias[o] : 0, scale = fabs(sum);
    for (int64_t i = 0; i < inputs; i++) {
      sum += (double)weights[o * inputs + i] * x[i];
      scale += fabs((double)weights[o * inputs + i] * x[i]);
    }
    if (rectifier == RECTIFIER_RELU && sum < 0) sum *= 0.5;
    expect_near("inner_product_dense", dense[o], sum, scale, 2e-6);
    expect_near("inner_product_sparse", sparse[o], sum, scale, 2e-6);
  }
  expect_guard("inner_product_dense", dense, outputs);
  expect_guard("inner_product_sparse", sparse, outputs);
  release(weights);
  release(x);
  if (bias) release(bias);
  release(dense);
  release(sparse);
  free(ends);
  free(rows);
  free(values);
}

int main(void) {
  for (int round = 0; round < 600; round++) check(1 + round % 3);
  return report("inner_product");
}
