/* check.h: random data, guarded memory and comparisons for the kernels' tests. */
#ifndef SPARSEC_CHECK_H
#define SPARSEC_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "vector.h"

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static inline uint32_t random_bits(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 32);
}

static inline int64_t random_int(int64_t low, int64_t high) {
  return low + (int64_t)(random_bits() % (uint64_t)(high - low + 1));
}

static inline float random_float(void) { return (float)((double)random_bits() / 2147483648.0 - 1); }

/* Outside of what a kernel may write, memory holds GUARD. */
#define GUARD 12345.5f
enum { GUARD_FLOATS = 64 };

/* `count` floats of GUARD with guards on both sides; free with release. */
static inline float *guarded(int64_t count) {
  int64_t all = count + 2 * GUARD_FLOATS;
  float *p = malloc((size_t)all * sizeof(float));
  if (!p) abort();
  for (int64_t i = 0; i < all; i++) p[i] = GUARD;
  return p + GUARD_FLOATS;
}

static inline void release(float *p) { free(p - GUARD_FLOATS); }

static inline float *random_floats(int64_t count) {
  float *p = guarded(count);
  for (int64_t i = 0; i < count; i++) p[i] = random_float();
  return p;
}

static long checks = 0, failures = 0;

static inline void expect(bool holds, const char *what, double got, double wanted) {
  checks++;
  if (holds) return;
  failures++;
  if (failures < 20) printf("FAILED %s: got %.9g, wanted %.9g\n", what, got, wanted);
}

/* got = wanted within `tolerance` of `scale` (the sum of the magnitudes that were added up). */
static inline void expect_near(
  const char *what, double got, double wanted, double scale, double tolerance
) {
  bool same = isnan(got) && isnan(wanted);
  if (isinf(wanted)) same = got == wanted;
  expect(same || fabs(got - wanted) <= tolerance * (scale + 1e-30), what, got, wanted);
}

static inline void expect_guard(const char *what, const float *p, int64_t count) {
  for (int64_t i = -GUARD_FLOATS; i < 0; i++) expect(p[i] == GUARD, what, p[i], GUARD);
  for (int64_t i = count; i < count + GUARD_FLOATS; i++) expect(p[i] == GUARD, what, p[i], GUARD);
}

static inline int report(const char *name) {
  printf("%s, LANES %d: %ld checks, %ld failed\n", name, LANES, checks, failures);
  return failures == 0 && checks > 0 ? 0 : 1;
}

#endif
