/* strip.h: the dense micro-kernel: M outputs x P vectors of positions in registers.
 *
 * A strip is a run of tiles along the flat positions q. One tile computes, for M outputs and
 * P*LANES positions,
 *     y[at[m] + q] = start + sum over k of weights[k*M + m] * x[offsets[k] + q].
 * One function for each (M, P), shared by all layers of a network.
 */
#ifndef SPARSEC_STRIP_H
#define SPARSEC_STRIP_H

#include "vector.h"

/* Accumulators that fit beside P inputs and a weight: M * P <= ACCUMULATORS. */
#if LANES == 16 && defined(__AVX512F__)
#define ACCUMULATORS 28
#else
#define ACCUMULATORS 12
#endif
#define MAX_TILE_OUTPUTS 14
#define MAX_TILE_VECTORS 4

struct strip {
  const int32_t *offsets; /* one for each k */
  const float *weights;   /* [k][M] */
  int64_t columns;        /* number of k */
  const float *bias;      /* [M]: what sums start from; may be NULL if they go on */
  bool go_on;             /* sums go on from y, plus the bias */
  int64_t at[MAX_TILE_OUTPUTS]; /* where each output begins, in floats from y */
  enum rectifier rectifier;
  float slope;
};

ALWAYS_INLINE void strip_tile(
  const int M, const int P, const struct strip *s, const float *x, float *y, int64_t lanes
) {
  vector sum[MAX_TILE_OUTPUTS][MAX_TILE_VECTORS];
  if (s->go_on) {
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] = load(y + s->at[m] + p * LANES);
    if (s->bias) {
#pragma clang loop unroll(full)
      for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++) sum[m][p] += s->bias[m];
    }
  } else {
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] = broadcast(s->bias[m]);
  }

  const float *w = s->weights;
  const int32_t *offset = s->offsets, *end = offset + s->columns;
  for (; offset < end; offset++, w += M) {
    const float *row = x + *offset;
    vector input[MAX_TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) input[p] = load(row + p * LANES);
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] += w[m] * input[p];
  }

  if (s->rectifier != RECTIFIER_NONE) {
    const float slope = s->slope;
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) sum[m][p] = rectified(sum[m][p], RECTIFIER_RELU, slope);
  }
  /* Asked once, and read before anything is stored: for all that is known, stores could change s. */
  float *to[MAX_TILE_OUTPUTS];
#pragma clang loop unroll(full)
  for (int m = 0; m < M; m++) to[m] = y + s->at[m];
  if (lanes == LANES) {
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++)
#pragma clang loop unroll(full)
      for (int p = 0; p < P; p++) store(to[m] + p * LANES, sum[m][p]);
  } else {
#pragma clang loop unroll(full)
    for (int m = 0; m < M; m++) {
#pragma clang loop unroll(full)
      for (int p = 0; p < P - 1; p++) store(to[m] + p * LANES, sum[m][p]);
      store_partial(to[m] + (P - 1) * LANES, sum[m][P - 1], lanes);
    }
  }
}

/* `tiles` tiles one behind the other; the last vector of the last one stores `lanes` lanes only. */
#define STRIP(M, P)                                                                              \
  SHARED void strip_##M##x##P(                                                                   \
    const struct strip *s, const float *x, float *y, int64_t tiles, int64_t lanes                \
  ) {                                                                                            \
    if (M * P > ACCUMULATORS) __builtin_unreachable();                                           \
    for (int64_t i = 0; i < tiles; i++)                                                          \
      strip_tile(M, P, s, x + i * P * LANES, y + i * P * LANES, i == tiles - 1 ? lanes : LANES); \
  }
#define EACH_TILE(TILE) \
  TILE(1, 1)            \
  TILE(1, 2)            \
  TILE(1, 3)            \
  TILE(1, 4)            \
  TILE(2, 1)            \
  TILE(2, 2)            \
  TILE(2, 3)            \
  TILE(2, 4)            \
  TILE(3, 1)            \
  TILE(3, 2)            \
  TILE(3, 3)            \
  TILE(3, 4)            \
  TILE(4, 1)            \
  TILE(4, 2)            \
  TILE(4, 3)            \
  TILE(4, 4)            \
  TILE(5, 1)            \
  TILE(5, 2)            \
  TILE(5, 3)            \
  TILE(5, 4)            \
  TILE(6, 1)            \
  TILE(6, 2)            \
  TILE(6, 3)            \
  TILE(6, 4)            \
  TILE(7, 1)            \
  TILE(7, 2)            \
  TILE(7, 3)            \
  TILE(7, 4)            \
  TILE(8, 1)            \
  TILE(8, 2)            \
  TILE(8, 3)            \
  TILE(9, 1)            \
  TILE(9, 2)            \
  TILE(9, 3)            \
  TILE(10, 1)           \
  TILE(10, 2)           \
  TILE(11, 1)           \
  TILE(11, 2)           \
  TILE(12, 1)           \
  TILE(12, 2)           \
  TILE(13, 1)           \
  TILE(13, 2)           \
  TILE(14, 1)           \
  TILE(14, 2)
EACH_TILE(STRIP)

/* Calls the strip of M outputs and P vectors; M * P <= ACCUMULATORS. */
ALWAYS_INLINE void strip_of(
  const int M, const int P, const struct strip *s, const float *x, float *y, int64_t tiles,
  int64_t lanes
) {
  switch (M * 8 + P) {
#define CALL(M, P)                                                     \
  case M * 8 + P:                                                      \
    if (M * P <= ACCUMULATORS) strip_##M##x##P(s, x, y, tiles, lanes); \
    break;
    EACH_TILE(CALL)
#undef CALL
  }
}

/* All of `count` positions, in tiles of P vectors and smaller ones at the end. */
ALWAYS_INLINE void strips(
  const int M, const int P, const struct strip *s, const float *x, float *y, int64_t count
) {
  int64_t vectors = (count + LANES - 1) / LANES;
  int64_t lanes = count - (vectors - 1) * LANES;
  int64_t full = vectors / P, rest = vectors % P;
  if (full > 0) strip_of(M, P, s, x, y, full, rest == 0 ? lanes : LANES);
  x += full * P * LANES;
  y += full * P * LANES;
  if (rest == 1) strip_of(M, 1, s, x, y, 1, lanes);
  if (P > 2 && rest == 2) strip_of(M, 2, s, x, y, 1, lanes);
  if (P > 3 && rest == 3) strip_of(M, 3, s, x, y, 1, lanes);
}

#endif
