/* planes_check.h: random planes values and the check that a kernel wrote one exactly. */
#ifndef SPARSEC_PLANES_CHECK_H
#define SPARSEC_PLANES_CHECK_H

#include "check.h"
#include "planes.h"

/* Flat length of one plane with its halo. */
static inline int64_t plane_length(struct planes v) {
  return (v.top + v.bottom + v.height - 1) * v.row_pitch + v.left + v.width + v.right;
}

static inline int64_t plane_origin(struct planes v) { return v.top * v.row_pitch + v.left; }

/* Floats from the first position of the first plane to behind the last. */
static inline int64_t planes_length(struct planes v) {
  return (v.planes - 1) * v.plane_pitch + plane_length(v);
}

static inline struct planes random_planes(
  int64_t planes, int64_t height, int64_t width, bool halo
) {
  struct planes v = {.planes = planes, .height = height, .width = width};
  if (halo) {
    v.top = random_int(0, 3);
    v.bottom = random_int(0, 3);
    v.left = random_int(0, 3);
    v.right = random_int(0, 3);
  }
  int64_t gap = v.left > v.right ? v.left : v.right;
  v.row_pitch = width + gap + (halo ? random_int(0, 2) : 0);
  v.plane_pitch = plane_length(v) + (halo ? random_int(0, 5) : 0);
  return v;
}

static inline float *random_value(struct planes v, float **memory) {
  int64_t length = planes_length(v);
  *memory = guarded(length);
  float *p = *memory + plane_origin(v);
  for (int64_t c = 0; c < v.planes; c++) {
    for (int64_t y = 0; y < v.height; y++)
      for (int64_t x = 0; x < v.width; x++)
        p[c * v.plane_pitch + y * v.row_pitch + x] = random_float();
  }
  zero_halo(v, p, 0, 1);
  return p;
}

/* Memory for what a kernel writes: a copy of `addend` if there is one, else without content. */
static inline float *output_of(struct planes v, const float *addend, float **memory) {
  int64_t length = planes_length(v), origin = plane_origin(v);
  *memory = guarded(length);
  for (int64_t i = 0; addend && i < length; i++) (*memory)[i] = addend[i - origin];
  return *memory + origin;
}

/* The halo is zero, and what lies between and around the planes is untouched. Gap columns of a
 * value without left and right halo may hold anything when `loose_gap`. */
static inline void expect_halo(
  const char *what, struct planes v, const float *memory, bool loose_gap
) {
  expect_guard(what, memory, planes_length(v));
  int64_t length = plane_length(v), origin = plane_origin(v);
  bool gap_halo = has_gap_halo(v);
  for (int64_t i = 0; i < planes_length(v); i++) {
    int64_t at = i % v.plane_pitch, flat = at - origin;
    if (at >= length) {
      expect(memory[i] == GUARD, what, memory[i], GUARD);
      continue;
    }
    bool above = flat < 0, below = flat >= (v.height - 1) * v.row_pitch + v.width;
    if (!above && !below && flat % v.row_pitch < v.width) continue;
    if (above || below || gap_halo)
      expect(memory[i] == 0, what, memory[i], 0);
    else if (!loose_gap)
      expect(memory[i] == GUARD, what, memory[i], GUARD);
  }
}

#endif
