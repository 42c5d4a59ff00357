/* winograd.h: Winograd's minimal filtering in two dimensions: the transforms and the product.
 *
 * Windows of A x A inputs give tiles of T x T outputs of an R x R filter, A = T + R - 1, by A*A
 * multiplications for each pair of channel and filter instead of T*T*R*R:
 *     tile = M^T [ (G w G^T) .* (B^T window B) ] M
 * over the points 0, 1, -1 (A = 4), with 2, -2 (A = 6), with 1/2, -1/2 (A = 8), and infinity. Rows
 * of G bear the scales, so that B and M hold small numbers only. A filter larger by one makes a
 * tile smaller by one and changes neither B nor the products: A = 6 serves tiles of 4 for 3 x 3
 * and tiles of 2 for 5 x 5.
 *
 * The lanes of a vector are LANES tiles for inputs and outputs, and WINOGRAD_FILTERS filters of
 * some channels for weights.
 */
#ifndef SPARSEC_WINOGRAD_H
#define SPARSEC_WINOGRAD_H

#include "vector.h"

/* Filters in registers at a time: with three vectors of tiles they fill ACCUMULATORS (strip.h). */
#if LANES == 16
#define WINOGRAD_FILTERS 8
#else
#define WINOGRAD_FILTERS 4
#endif
/* Channels whose weights for these filters make a vector. */
#define WINOGRAD_CHANNELS (LANES / WINOGRAD_FILTERS)
#define MAX_WINDOW 8
#define MAX_TAPS 5

/* -- four floats of each of LANES places, and back -- */

typedef float quad __attribute__((vector_size(16)));
typedef float quad_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

ALWAYS_INLINE quad load_quad(const float *p) { return *(const quad_in_memory *)p; }
ALWAYS_INLINE void store_quad(float *p, quad q) { *(quad_in_memory *)p = q; }

#if LANES == 4
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
ALWAYS_INLINE vector join_quads(const quad q[1]) { return q[0]; }
ALWAYS_INLINE void cut_quads(vector v, quad q[1]) { q[0] = v; }
#elif LANES == 8
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
ALWAYS_INLINE vector join_quads(const quad q[2]) {
  return __builtin_shufflevector(q[0], q[1], 0, 1, 2, 3, 4, 5, 6, 7);
}
ALWAYS_INLINE void cut_quads(vector v, quad q[2]) {
  q[0] = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  q[1] = __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
#else
#define LOW_PAIRS(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH_PAIRS(a, b) \
  __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
typedef float two_quads __attribute__((vector_size(32)));
ALWAYS_INLINE vector join_quads(const quad q[4]) {
  two_quads low = __builtin_shufflevector(q[0], q[1], 0, 1, 2, 3, 4, 5, 6, 7);
  two_quads high = __builtin_shufflevector(q[2], q[3], 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
ALWAYS_INLINE void cut_quads(vector v, quad q[4]) {
  q[0] = __builtin_shufflevector(v, v, 0, 1, 2, 3);
  q[1] = __builtin_shufflevector(v, v, 4, 5, 6, 7);
  q[2] = __builtin_shufflevector(v, v, 8, 9, 10, 11);
  q[3] = __builtin_shufflevector(v, v, 12, 13, 14, 15);
}
#endif

/* Within each four lanes: element j of v[i] changes places with element i of v[j]. */
ALWAYS_INLINE void transpose_quads(vector v[4]) {
  vector a = LOW_PAIRS(v[0], v[2]), b = LOW_PAIRS(v[1], v[3]);
  vector c = HIGH_PAIRS(v[0], v[2]), d = HIGH_PAIRS(v[1], v[3]);
  v[0] = LOW_PAIRS(a, b);
  v[1] = HIGH_PAIRS(a, b);
  v[2] = LOW_PAIRS(c, d);
  v[3] = HIGH_PAIRS(c, d);
}

/* v[j] = element j of the four at x + at[lane], for every lane; or `halves`: two there and two `far` floats
 * further. */
ALWAYS_INLINE void load_places(
  const float *x, const int32_t *at, vector v[4], const bool halves, int64_t far
) {
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    quad q[LANES / 4];
#pragma clang loop unroll(full)
    for (int j = 0; j < LANES / 4; j++) {
      const float *from = x + at[4 * j + i];
      if (halves) {
        memcpy(&q[j], from, 8);
        memcpy((char *)&q[j] + 8, from + far, 8);
      } else {
        q[j] = load_quad(from);
      }
    }
    v[i] = join_quads(q);
  }
  transpose_quads(v);
}

/* -- along one dimension -- */

/* r = B^T d. */
ALWAYS_INLINE void transform_inputs(const int A, const vector *d, vector *r) {
  if (A == 4) {
    r[0] = d[0] - d[2];
    r[1] = d[1] + d[2];
    r[2] = d[2] - d[1];
    r[3] = d[3] - d[1];
  } else if (A == 6) {
    vector even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1];
    vector even2 = d[4] - d[2], odd2 = d[3] - d[1];
    r[0] = 4 * d[0] + (d[4] - 5 * d[2]);
    r[1] = even + odd;
    r[2] = even - odd;
    r[3] = even2 + 2 * odd2;
    r[4] = even2 - 2 * odd2;
    r[5] = 4 * d[1] + (d[5] - 5 * d[3]);
  } else {
    vector even = d[2] - 4.25f * d[4] + d[6], odd = d[1] - 4.25f * d[3] + d[5];
    vector even2 = 0.25f * d[2] - 1.25f * d[4] + d[6];
    vector odd2 = 0.5f * d[1] - 2.5f * d[3] + 2 * d[5];
    vector even3 = 4 * d[2] - 5 * d[4] + d[6];
    vector odd3 = 2 * d[1] - 2.5f * d[3] + 0.5f * d[5];
    r[0] = d[0] - d[6] + 5.25f * (d[4] - d[2]);
    r[1] = even + odd;
    r[2] = even - odd;
    r[3] = even2 + odd2;
    r[4] = even2 - odd2;
    r[5] = even3 + odd3;
    r[6] = even3 - odd3;
    r[7] = d[7] - d[1] + 5.25f * (d[3] - d[5]);
  }
}

/* The points beside 0 and infinity: p and -p. */
ALWAYS_INLINE float winograd_point(const int pair) {
  return pair == 0 ? 1.0f : pair == 1 ? 2.0f : 0.5f;
}

/* What the weights at 0 (pair -1) and at p and -p are multiplied by. */
ALWAYS_INLINE float winograd_scale(const int A, const int pair) {
  if (A == 4) return pair < 0 ? 1 : 0.5f;
  if (A == 6) return pair < 0 ? 0.25f : pair == 0 ? -1.0f / 6 : 1.0f / 24;
  return pair < 0 ? 1 : pair == 0 ? -2.0f / 9 : pair == 1 ? 1.0f / 90 : 32.0f / 45;
}

ALWAYS_INLINE float power(const float base, const int exponent) {
  float result = 1;
  for (int i = 0; i < exponent; i++) result *= base;
  return result;
}

/* r = G g: polynomials with the weights for coefficients, at every point. */
ALWAYS_INLINE void transform_weights(const int A, const int R, const vector *g, vector *r) {
  r[0] = winograd_scale(A, -1) * g[0];
#pragma clang loop unroll(full)
  for (int pair = 0; pair < A / 2 - 1; pair++) {
    const float point = winograd_point(pair), scale = winograd_scale(A, pair);
    vector even = scale * g[0], odd = scale * point * g[1];
#pragma clang loop unroll(full)
    for (int i = 2; i < R; i++) {
      if (i % 2 == 0)
        even += scale * power(point, i) * g[i];
      else
        odd += scale * power(point, i) * g[i];
    }
    r[2 * pair + 1] = even + odd;
    r[2 * pair + 2] = even - odd;
  }
  r[A - 1] = g[R - 1];
}

/* y = M^T m: output i is the sum of m at the points, times their i-th powers. */
ALWAYS_INLINE void transform_products(const int A, const int T, const vector *m, vector *y) {
  vector even[MAX_WINDOW / 2], odd[MAX_WINDOW / 2];
#pragma clang loop unroll(full)
  for (int pair = 0; pair < A / 2 - 1; pair++) {
    even[pair] = m[2 * pair + 1] + m[2 * pair + 2];
    odd[pair] = m[2 * pair + 1] - m[2 * pair + 2];
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < T; i++) {
    vector sum = i % 2 == 0 ? even[0] : odd[0];
#pragma clang loop unroll(full)
    for (int pair = 1; pair < A / 2 - 1; pair++)
      sum += power(winograd_point(pair), i) * (i % 2 == 0 ? even[pair] : odd[pair]);
    if (i == 0) sum += m[0];
    if (i == T - 1) sum += m[A - 1];
    y[i] = sum;
  }
}

/* -- along two -- */

/* LANES windows: window i begins at x + at[i], its rows are `pitch` apart. Entry e = row*A + column
 * of what they give goes to v + e*entry_pitch. Reads up to 2 floats behind a window's rows. */
ALWAYS_INLINE void transform_windows(
  const int A, const float *x, const int32_t *at, int64_t pitch, float *v, int64_t entry_pitch
) {
  vector half[MAX_WINDOW][MAX_WINDOW];
#pragma clang loop unroll(full)
  for (int row = 0; row < A; row++) {
    vector d[MAX_WINDOW];
    load_places(x + row * pitch, at, d, false, 0);
    if (A > 4) load_places(x + row * pitch + 4, at, d + 4, false, 0);
    transform_inputs(A, d, half[row]);
  }
#pragma clang loop unroll(full)
  for (int column = 0; column < A; column++) {
    vector d[MAX_WINDOW], r[MAX_WINDOW];
#pragma clang loop unroll(full)
    for (int row = 0; row < A; row++) d[row] = half[row][column];
    transform_inputs(A, d, r);
#pragma clang loop unroll(full)
    for (int row = 0; row < A; row++) store(v + (row * A + column) * entry_pitch, r[row]);
  }
}

/* One vector of weights for each tap, w[tap][LANES]; entry e goes to u + e*entry_pitch. */
ALWAYS_INLINE void transform_filters(
  const int A, const int R, const float *w, float *u, int64_t entry_pitch
) {
  vector half[MAX_TAPS][MAX_WINDOW];
#pragma clang loop unroll(full)
  for (int row = 0; row < R; row++) {
    vector g[MAX_TAPS];
#pragma clang loop unroll(full)
    for (int column = 0; column < R; column++) g[column] = load(w + (row * R + column) * LANES);
    transform_weights(A, R, g, half[row]);
  }
#pragma clang loop unroll(full)
  for (int column = 0; column < A; column++) {
    vector g[MAX_TAPS], r[MAX_WINDOW];
#pragma clang loop unroll(full)
    for (int row = 0; row < R; row++) g[row] = half[row][column];
    transform_weights(A, R, g, r);
#pragma clang loop unroll(full)
    for (int row = 0; row < A; row++) store(u + (row * A + column) * entry_pitch, r[row]);
  }
}

/* The same for a vector of each entry that is there already, w[entry][LANES]. */
ALWAYS_INLINE void place_filters(const int A, const float *w, float *u, int64_t entry_pitch) {
  for (int e = 0; e < A * A; e++) store(u + e * entry_pitch, load(w + e * LANES));
}

/* Where tiles go, and what is done to their sums. */
struct tile_output {
  const int32_t *at; /* tile i begins at y + at[i] */
  int64_t pitch;     /* floats between rows */
  float bias;
  bool adds; /* to what is there */
  enum rectifier rectifier;
  float slope;
};

/* Stores v[0..3] of each of the first n lanes, four floats at y + at[lane]; or `halves`, v[0..1]
 * there and v[2..3] `far` floats further. */
ALWAYS_INLINE void store_places(
  vector v[4], float *y, const int32_t *at, int64_t n, const bool halves, int64_t far
) {
  transpose_quads(v);
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    quad q[LANES / 4];
    cut_quads(v[i], q);
#pragma clang loop unroll(full)
    for (int j = 0; j < LANES / 4; j++) {
      if (4 * j + i >= n) continue;
      float *to = y + at[4 * j + i];
      if (halves) {
        memcpy(to, &q[j], 8);
        memcpy(to + far, (const char *)&q[j] + 8, 8);
      } else {
        store_quad(to, q[j]);
      }
    }
  }
}

/* tile += what is at y. */
ALWAYS_INLINE void add_tiles(
  const int T, vector tile[MAX_WINDOW][MAX_WINDOW], const float *y, const struct tile_output *o
) {
#pragma clang loop unroll(full)
  for (int row = 0; row < T; row++) {
    const float *from = y + row * o->pitch;
    vector v[4];
    if (T >= 4) {
      load_places(from, o->at, v, false, 0);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) tile[row][i] += v[i];
    }
    if (T % 4 == 2 && row % 2 == 0) {
      load_places(from + T - 2, o->at, v, true, o->pitch);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) tile[row + i / 2][T - 2 + i % 2] += v[i];
    }
  }
}

/* The first n of LANES tiles, from entries of products at m + e*entry_pitch. */
ALWAYS_INLINE void transform_tiles(
  const int A, const int T, const float *m, int64_t entry_pitch, const struct tile_output *o,
  float *y, int64_t n
) {
  vector half[MAX_WINDOW][MAX_WINDOW], tile[MAX_WINDOW][MAX_WINDOW];
#pragma clang loop unroll(full)
  for (int column = 0; column < A; column++) {
    vector d[MAX_WINDOW], r[MAX_WINDOW];
#pragma clang loop unroll(full)
    for (int row = 0; row < A; row++) d[row] = load(m + (row * A + column) * entry_pitch);
    transform_products(A, T, d, r);
#pragma clang loop unroll(full)
    for (int row = 0; row < T; row++) half[row][column] = r[row];
  }
#pragma clang loop unroll(full)
  for (int row = 0; row < T; row++) transform_products(A, T, half[row], tile[row]);
  if (o->adds) add_tiles(T, tile, y, o);
#pragma clang loop unroll(full)
  for (int row = 0; row < T; row++) {
#pragma clang loop unroll(full)
    for (int column = 0; column < T; column++)
      tile[row][column] = rectified(tile[row][column] + o->bias, o->rectifier, o->slope);
  }
#pragma clang loop unroll(full)
  for (int row = 0; row < T; row++) {
    float *to = y + row * o->pitch;
    if (T >= 4) store_places(tile[row], to, o->at, n, false, 0);
    if (T % 4 == 2 && row % 2 == 0) {
      vector two[4] = {
        tile[row][T - 2], tile[row][T - 1], tile[row + 1][T - 2], tile[row + 1][T - 1]
      };
      store_places(two, to + T - 2, o->at, n, true, o->pitch);
    }
  }
}

/* -- the product of one entry -- */

/* For BLOCKS blocks of WINOGRAD_FILTERS filters, u_pitch floats apart, and P vectors of tiles:
 *     m[filter*m_pitch + tile] = sum over k of u[k][filter of the block] * v[k][tile]
 * or added to what is there. */
ALWAYS_INLINE void winograd_product(
  const int BLOCKS, const int P, int64_t channels, const float *u, int64_t u_pitch, const float *v,
  float *m, int64_t m_pitch, bool go_on
) {
  vector sum[16][3];
#pragma clang loop unroll(full)
  for (int f = 0; f < BLOCKS * WINOGRAD_FILTERS; f++)
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) sum[f][p] = (vector){0};
  const float *end = u + channels * WINOGRAD_FILTERS;
  for (; u < end; u += WINOGRAD_FILTERS, v += P * LANES) {
    vector input[3];
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) input[p] = load(v + p * LANES);
#pragma clang loop unroll(full)
    for (int b = 0; b < BLOCKS; b++)
#pragma clang loop unroll(full)
      for (int f = 0; f < WINOGRAD_FILTERS; f++)
#pragma clang loop unroll(full)
        for (int p = 0; p < P; p++)
          sum[b * WINOGRAD_FILTERS + f][p] += u[b * u_pitch + f] * input[p];
  }
#pragma clang loop unroll(full)
  for (int f = 0; f < BLOCKS * WINOGRAD_FILTERS; f++)
#pragma clang loop unroll(full)
    for (int p = 0; p < P; p++) {
      float *to = m + f * m_pitch + p * LANES;
      store(to, go_on ? load(to) + sum[f][p] : sum[f][p]);
    }
}

#define WINOGRAD_PRODUCT(BLOCKS, P)                                                        \
  SHARED void winograd_product_##BLOCKS##x##P(                                             \
    int64_t channels, const float *u, int64_t u_pitch, const float *v, float *m,           \
    int64_t m_pitch, bool go_on                                                            \
  ) {                                                                                      \
    winograd_product(BLOCKS, P, channels, u, u_pitch, v, m, m_pitch, go_on);               \
  }
WINOGRAD_PRODUCT(1, 3)
WINOGRAD_PRODUCT(1, 2)
WINOGRAD_PRODUCT(1, 1)
#if LANES == 16
#define WINOGRAD_NARROW_BLOCKS 2
WINOGRAD_PRODUCT(2, 1)
#define winograd_narrow_product winograd_product_2x1
#else
#define WINOGRAD_NARROW_BLOCKS 3
WINOGRAD_PRODUCT(3, 1)
#define winograd_narrow_product winograd_product_3x1
#endif

#endif
