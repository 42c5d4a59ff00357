/* tiny.c: a network by hand, in the form that the compiler emits: two inputs, a value with a halo that
 * two layers write (a concatenation), layers in parts and one that cannot be split, and a layer that
 * overwrites an input's place.
 *
 *     data 2x3x5 --scale--> channels 0-1 --blur--> channels 2-3 of features 4x3x5
 *     features, shift 3 --total--> scores 3
 *
 * With WITH_TAIL, total runs on all items together, and a last layer item by item:
 *
 *     features, shift 3 --total--> sums 3 --negate--> scores 3
 */
#include "network.h"

#ifndef FEATURES
#define FEATURES 0
#endif
#ifndef ARENA_FLOATS
#define ARENA_FLOATS 256
#endif

enum { HEIGHT = 3, WIDTH = 5, ROW = 8, PLANE = 40, FEATURES_AT = 0, DATA_AT = 160, SHIFT_AT = 224 };

/* Element (0, 0) of a plane with a halo of one row above and one column to the left. */
enum { CENTRE = ROW + 1 };

static float *channel(float *arena, int index) { return arena + FEATURES_AT + index * PLANE; }

/* features[c] = 2 data[c], halo zeroed. */
static void scale(float *arena, int part, int parts) {
  for (int c = 2 * part / parts; c < 2 * (part + 1) / parts; c++) {
    float *out = channel(arena, c);
    for (int i = 0; i < PLANE; i++) out[i] = 0;
    for (int y = 0; y < HEIGHT; y++)
      for (int x = 0; x < WIDTH; x++)
        out[CENTRE + y * ROW + x] = 2 * arena[DATA_AT + (c * HEIGHT + y) * WIDTH + x];
  }
}

/* features[2 + c] = the sum of features[c] over 3x3 windows, which read the halo. Split by rows. */
static void blur(float *arena, int part, int parts) {
  for (int c = 0; c < 2; c++)
    for (int y = HEIGHT * part / parts; y < HEIGHT * (part + 1) / parts; y++)
      for (int x = 0; x < WIDTH; x++) {
        const float *in = channel(arena, c) + CENTRE + y * ROW + x;
        float sum = 0;
        for (int dy = -1; dy <= 1; dy++)
          for (int dx = -1; dx <= 1; dx++) sum += in[dy * ROW + dx];
        channel(arena, c + 2)[CENTRE + y * ROW + x] = sum;
      }
}

#ifndef WITH_TAIL
/* scores[k] = shift[k] + (k + 1) * the sum of features, in the place of data. Not split. */
static void total(float *arena, int part, int parts) {
  (void)parts;
  if (part != 0) return;
  float sum = 0;
  for (int c = 0; c < 4; c++)
    for (int y = 0; y < HEIGHT; y++)
      for (int x = 0; x < WIDTH; x++) sum += channel(arena, c)[CENTRE + y * ROW + x];
  for (int k = 0; k < 3; k++) arena[DATA_AT + k] = arena[SHIFT_AT + k] + (float)(k + 1) * sum;
}
#endif

#ifdef WITH_TAIL
enum { TAIL_FLOATS = 80, TAIL_FEATURES_AT = 4, TAIL_SHIFT_AT = 64, SUMS_AT = 68, SCORES_AT = 72 };

/* As total, with features without gaps and the other sign. Split over items. */
static void total_of_all(float *tail, int items, int part, int parts) {
  for (int item = items * part / parts; item < items * (part + 1) / parts; item++) {
    float *arena = tail + item * TAIL_FLOATS, sum = 0;
    for (int i = 0; i < 4 * HEIGHT * WIDTH; i++) sum += arena[TAIL_FEATURES_AT + i];
    for (int k = 0; k < 3; k++)
      arena[SUMS_AT + k] = -arena[TAIL_SHIFT_AT + k] - (float)(k + 1) * sum;
  }
}

static void negate(float *arena, int part, int parts) {
  for (int k = 3 * part / parts; k < 3 * (part + 1) / parts; k++)
    arena[SCORES_AT + k] = -arena[SUMS_AT + k];
}
#endif

static const int64_t data_shape[] = {1, 2, HEIGHT, WIDTH};
static const int64_t features_shape[] = {1, 4, HEIGHT, WIDTH};
static const int64_t row_shape[] = {1, 3};

static const struct network_blob blobs[] = {
    {{"data", "", 4, data_shape, 30}, {DATA_AT, 1, 1, 30, 30, 30}, -1},
    {{"shift", "", 2, row_shape, 3}, {SHIFT_AT, 1, 1, 3, 3, 3}, -1},
    {{"scaled", "scale", 4, data_shape, 30},
     {FEATURES_AT + CENTRE, 2, HEIGHT, WIDTH, PLANE, ROW},
     0},
    {{"features", "blur", 4, features_shape, 60},
     {FEATURES_AT + CENTRE, 4, HEIGHT, WIDTH, PLANE, ROW},
     1},
#ifdef WITH_TAIL
    {{"scores", "negate", 2, row_shape, 3}, {SCORES_AT, 1, 1, 3, 3, 3}, 3},
#else
    {{"scores", "total", 2, row_shape, 3}, {DATA_AT, 1, 1, 3, 3, 3}, 2},
#endif
};

#ifdef WITH_TAIL
static const struct network_layer layers[] = {
    {"scale", scale}, {"blur", blur}, {"total", 0}, {"negate", negate}};
static batch_function *const tail[] = {total_of_all, 0};
static const struct network_handover handovers[] = {
    {{FEATURES_AT + CENTRE, 4, HEIGHT, WIDTH, PLANE, ROW}, TAIL_FEATURES_AT},
    {{SHIFT_AT, 1, 1, 3, 3, 3}, TAIL_SHIFT_AT},
};
#else
static const struct network_layer layers[] = {{"scale", scale}, {"blur", blur}, {"total", total}};
#endif
static const int inputs[] = {0, 1}, outputs[] = {4, 3};

const struct network sparsec_network = {
    .manifest = "{\"network\": \"tiny\"}",
    .features = FEATURES,
    .max_batch = 7,
    .shares_items = true,
    .arena_floats = ARENA_FLOATS,
    .input_count = 2,
    .output_count = 2,
    .blob_count = 5,
    .layer_count = sizeof layers / sizeof *layers,
    .inputs = inputs,
    .outputs = outputs,
    .blobs = blobs,
    .layers = layers,
#ifdef WITH_TAIL
    .tail_count = 2,
    .handover_count = 2,
    .tail_floats = TAIL_FLOATS,
    .tail = tail,
    .handovers = handovers,
#endif
};
