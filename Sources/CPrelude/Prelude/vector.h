/* vector.h: the machine's vector of floats, in clang's vector extensions.
 *
 * LANES is 16 with AVX-512, 8 with AVX, else 4; it may be defined by hand (the answers stay right,
 * the speed does not). Loads and stores need no alignment. Products followed by a sum are written
 * in one expression, which clang contracts to a fused multiply-add where the target has one.
 */
#ifndef SPARSEC_VECTOR_H
#define SPARSEC_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#endif

#if defined(__clang__)
/* LANES set by hand may exceed the machine's; no vector ever crosses a call here. */
#pragma clang diagnostic ignored "-Wpsabi"
#endif

/* Kernels may read (never write) up to this many floats behind the last element of an input. */
#define READ_SLACK LANES

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))
/* Shared by all layers of a network; one that no layer uses costs nothing. */
#define SHARED static __attribute__((noinline, unused))

/* What is read through `address` from here on waits for `value`; for the compiler only, it costs no instruction. */
#if defined(__AVX512F__)
#define IN_ORDER(address, value) __asm("" : "+r"(address) : "v"(value))
#elif (LANES == 8 && defined(__AVX__)) || (LANES == 4 && defined(__SSE__))
#define IN_ORDER(address, value) __asm("" : "+r"(address) : "x"(value))
#else
#define IN_ORDER(address, value) (void)(value)
#endif

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t vector_mask __attribute__((vector_size(4 * LANES)));
typedef float vector_in_memory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

ALWAYS_INLINE vector load(const float *p) { return *(const vector_in_memory *)p; }

/* Lanes 0, 2, 4, … of a and behind them those of b; lanes 1, 3, 5, … */
ALWAYS_INLINE vector even_lanes(vector a, vector b) {
#if LANES == 16
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif LANES == 8
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
  return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}
ALWAYS_INLINE vector odd_lanes(vector a, vector b) {
#if LANES == 16
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif LANES == 8
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

/* Every second float from p on: p[0], p[2], ... Reads 2 * LANES. */
ALWAYS_INLINE vector load_even(const float *p) { return even_lanes(load(p), load(p + LANES)); }

ALWAYS_INLINE void store(float *p, vector v) { *(vector_in_memory *)p = v; }

ALWAYS_INLINE vector broadcast(float s) { return s - (vector){0}; }

/* Masked accesses use the compiler's builtins: immintrin.h alone takes half a second to read. */
#if LANES == 8 && defined(__AVX__)
#define FIRST_LANES(n) (*(const mask_in_memory *)(lane_window + LANES - (n)))
typedef int32_t mask_in_memory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
static const int32_t lane_window[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
#endif

/* The first n < LANES floats; the other lanes are zero and their memory is not touched. */
ALWAYS_INLINE vector load_partial(const float *p, int64_t n) {
#if LANES == 16 && defined(__AVX512F__)
  return __builtin_ia32_loadups512_mask(p, (vector){0}, (uint16_t)((1u << n) - 1));
#elif LANES == 8 && defined(__AVX__)
  return __builtin_ia32_maskloadps256((const vector *)p, FIRST_LANES(n));
#else
  vector v = {0};
  for (int64_t lane = 0; lane < n; lane++) v[lane] = p[lane];
  return v;
#endif
}

/* Stores the first n < LANES lanes and touches nothing else. In halves: AVX2's masked stores take
 * 14 cycles on Zen 3. */
ALWAYS_INLINE void store_partial(float *p, vector v, int64_t n) {
#if LANES == 16 && defined(__AVX512F__)
  __builtin_ia32_storeups512_mask(p, v, (uint16_t)((1u << n) - 1));
#else
#if LANES == 16
  typedef float eight __attribute__((vector_size(32)));
  eight v8 = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  if (n & 8) {
    memcpy(p, &v8, sizeof v8);
    v8 = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    p += 8;
  }
#else
  vector v8 = v;
#endif
#if LANES >= 8
  typedef float four __attribute__((vector_size(16)));
  four v4 = __builtin_shufflevector(v8, v8, 0, 1, 2, 3);
  if (n & 4) {
    memcpy(p, &v4, sizeof v4);
    v4 = __builtin_shufflevector(v8, v8, 4, 5, 6, 7);
    p += 4;
  }
#else
  vector v4 = v8;
#endif
  if (n & 2) {
    memcpy(p, &v4, 2 * sizeof(float));
    v4 = __builtin_shufflevector(v4, v4, 2, 3, 2, 3);
    p += 2;
  }
  if (n & 1) *p = v4[0];
#endif
}

/* a where mask is set (all ones), b elsewhere. */
ALWAYS_INLINE vector choose(vector_mask mask, vector a, vector b) {
  return (vector)(((vector_mask)a & mask) | ((vector_mask)b & ~mask));
}

/* Caffe's max and min (std::max, std::min): the first operand stays when either is not a number. */
ALWAYS_INLINE vector maximum(vector a, vector b) { return choose(a < b, b, a); }
ALWAYS_INLINE vector minimum(vector a, vector b) { return choose(b < a, b, a); }

/* The sum of all lanes, added as a balanced tree. */
ALWAYS_INLINE float sum_of_lanes(vector v) {
  float lane[LANES];
  memcpy(lane, &v, sizeof lane);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  return lane[0];
}

/* What a layer's epilogue may do to its sums. */
enum rectifier {
  RECTIFIER_NONE = 0,
  RECTIFIER_RELU = 1, /* max(x, 0) + slope * min(x, 0); keeps NaN, and -inf gives NaN at slope 0 */
};

ALWAYS_INLINE vector rectified(vector v, enum rectifier rectifier, float slope) {
  if (rectifier == RECTIFIER_NONE) return v;
  vector zero = {0};
  return slope * minimum(v, zero) + maximum(v, zero);
}

ALWAYS_INLINE float rectified_scalar(float v, enum rectifier rectifier, float slope) {
  if (rectifier == RECTIFIER_NONE) return v;
  return (v < 0 ? 0 : v) + slope * (0 < v ? 0 : v);
}

/* y[0..n) = x[0..n) for n < LANES: two overlapping halves, since masked stores are slow. */
ALWAYS_INLINE void copy_few_floats(float *restrict y, const float *restrict x, int64_t n) {
#define COPY_HALVES(half)                         \
  if (n >= half) {                                \
    memcpy(y, x, 4 * half);                       \
    memcpy(y + n - half, x + n - half, 4 * half); \
    return;                                       \
  }
#if LANES > 8
  COPY_HALVES(8)
#endif
#if LANES > 4
  COPY_HALVES(4)
#endif
  COPY_HALVES(2)
#undef COPY_HALVES
  if (n == 1) *y = *x;
}

/* y[0..n) = x[0..n), without overlap; reads and writes nothing else. */
ALWAYS_INLINE void copy_floats(float *restrict y, const float *restrict x, int64_t n) {
  if (n < LANES) {
    copy_few_floats(y, x, n);
    return;
  }
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, load(x + i));
  if (i < n) store(y + n - LANES, load(x + n - LANES));
}

/* y[0..n) = value. */
ALWAYS_INLINE void fill_floats(float *y, int64_t n, float value) {
  vector v = broadcast(value);
  if (n < LANES) {
    float values[LANES];
    store(values, v);
    copy_few_floats(y, values, n);
    return;
  }
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, v);
  if (i < n) store(y + n - LANES, v);
}

/* The first of `count` things that belongs to `part` of `parts`; part + 1 gives the end. */
ALWAYS_INLINE int64_t part_start(int64_t count, int part, int parts) {
  return count * part / parts;
}

#endif
