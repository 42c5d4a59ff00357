/* exponential.h: exp and tanh of a vector, within 2 units in the last place of float.
 *
 * exp: x = n ln 2 + r, exp(r) by a polynomial (error 2e-10, fitted by least squares towards equal
 * ripples), 2^n by exponent bits in two steps, so that overflow gives infinity and underflow
 * denormals.
 */
#ifndef SPARSEC_EXPONENTIAL_H
#define SPARSEC_EXPONENTIAL_H

#include "vector.h"

typedef uint32_t vector_bits __attribute__((vector_size(4 * LANES)));

ALWAYS_INLINE vector vector_exp(vector x) {
  /* Outside of these bounds the result is 0 or infinity anyway; NaN passes both. */
  x = minimum(maximum(x, broadcast(-105)), broadcast(90));
  /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the lowest bits. */
  const float round = 12582912;
  vector shifted = x * 1.44269504f + round;
  vector n = shifted - round;
  vector r = x - n * 0.693115234f;
  r = r - n * 3.19461849e-5f;
  vector q = r * 0.000199075862f + 0.00139336523f;
  q = q * r + 0.008333286f;
  q = q * r + 0.0416664649f;
  q = q * r + 0.166666668f;
  q = q * r + 0.5f;
  vector p = r * r * q + r + 1;
  vector_mask exponent = (vector_mask)((vector_bits)shifted - 0x4b400000u);
  vector_mask half = exponent >> 1, rest = exponent - half;
  vector scale = (vector)(((vector_bits)half + 127u) << 23);
  return p * scale * (vector)(((vector_bits)rest + 127u) << 23);
}

ALWAYS_INLINE vector vector_tanh(vector x) {
  vector_bits sign = (vector_bits)x & 0x80000000u;
  vector size = (vector)((vector_bits)x ^ sign), square = x * x;
  vector t = square * 0.00229894142f - 0.00835000823f;
  t = t * square + 0.0217709959f;
  t = t * square - 0.0539595503f;
  t = t * square + 0.13333305f;
  t = t * square - 0.333333332f;
  vector small = x + x * square * t;
  vector large = 1 - 2 / (vector_exp(2 * size) + 1);
  return choose(size < 0.625f, small, (vector)((vector_bits)large | sign));
}

/* Caffe's sigmoid. */
ALWAYS_INLINE vector vector_sigmoid(vector x) { return vector_tanh(x * 0.5f) * 0.5f + 0.5f; }

/* A libm function on each lane. */
ALWAYS_INLINE vector each_lane(vector x, float (*f)(float)) {
  float lane[LANES];
  memcpy(lane, &x, sizeof lane);
  for (int i = 0; i < LANES; i++) lane[i] = f(lane[i]);
  memcpy(&x, lane, sizeof lane);
  return x;
}

#endif
