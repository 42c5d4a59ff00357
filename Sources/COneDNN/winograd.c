/* Tiles of planes to points of Winograd's domain and back, many tiles at a time. */
#include <string.h>

#include "primitives.h"

/* Compiled for the vectors of old and new processors; the right one is taken when the program starts. */
#define FOR_ANY_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#define INLINED static inline __attribute__((always_inline))

enum { lanes = 16, most = 8 };
typedef float tiles __attribute__((vector_size(4 * lanes)));

typedef struct {
  const dnn_tiling *tiling;
  const float *matrix;
  float *planes, *points;
  bool adds;
  int parts;
} work;

/* result [rows x rows] = matrix x matrix^T, matrix being [rows x columns]. */
INLINED void sandwich(int rows, int columns, const float *matrix, const tiles *x, tiles *result) {
  tiles half[most * most];
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      tiles sum = matrix[i * columns] * x[j];
      for (int k = 1; k < columns; k++) sum += matrix[i * columns + k] * x[k * columns + j];
      half[i * columns + j] = sum;
    }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < rows; j++) {
      tiles sum = matrix[j * columns] * half[i * columns];
      for (int k = 1; k < columns; k++) sum += matrix[j * columns + k] * half[i * columns + k];
      result[i * rows + j] = sum;
    }
}

/* Where a tile of all images lies. */
typedef struct {
  int64_t image, row, column;
} place;

static place place_of(const dnn_tiling *t, int64_t tile) {
  int64_t per_image = t->tile_rows * t->tile_columns, within = tile % per_image;
  return (place){
    tile / per_image, within / t->tile_columns * t->step - t->before[0],
    within % t->tile_columns * t->step - t->before[1]};
}

/* The windows [extent x extent] of up to `count` tiles of a channel, with zeros outside the plane. */
INLINED void load_windows(
  const dnn_tiling *t, int extent, const float *planes, int64_t channel, int64_t first, int64_t count, tiles *x) {
  memset(x, 0, (size_t)(extent * extent) * sizeof *x);
  for (int64_t lane = 0; lane < count; lane++) {
    place p = place_of(t, first + lane);
    const float *plane = planes + (p.image * t->channels + channel) * t->rows * t->columns;
    for (int i = 0; i < extent; i++) {
      int64_t row = p.row + i;
      if (row < 0 || row >= t->rows) continue;
      for (int j = 0; j < extent; j++) {
        int64_t column = p.column + j;
        if (column >= 0 && column < t->columns) x[i * extent + j][lane] = plane[row * t->columns + column];
      }
    }
  }
}

INLINED void store_windows(const dnn_tiling *t, int extent, float *planes, int64_t channel, int64_t first,
  int64_t count, const tiles *x, bool adds) {
  for (int64_t lane = 0; lane < count; lane++) {
    place p = place_of(t, first + lane);
    float *plane = planes + (p.image * t->channels + channel) * t->rows * t->columns;
    for (int i = 0; i < extent; i++) {
      int64_t row = p.row + i;
      if (row < 0 || row >= t->rows) continue;
      for (int j = 0; j < extent; j++) {
        int64_t column = p.column + j;
        if (column < 0 || column >= t->columns) continue;
        float value = x[i * extent + j][lane], *to = plane + row * t->columns + column;
        *to = adds ? *to + value : value;
      }
    }
  }
}

/* A point's numbers lie [channels x tiles], one behind the other. */
INLINED void gather_channel(const work *w, int extent, int points, int64_t channel) {
  const dnn_tiling *t = w->tiling;
  int64_t all = t->images * t->tile_rows * t->tile_columns, pitch = t->channels * all;
  tiles x[most * most], result[most * most];
  for (int64_t first = 0; first < all; first += lanes) {
    int64_t count = all - first < lanes ? all - first : lanes;
    load_windows(t, extent, w->planes, channel, first, count, x);
    sandwich(points, extent, w->matrix, x, result);
    for (int e = 0; e < points * points; e++)
      memcpy(w->points + e * pitch + channel * all + first, &result[e], (size_t)count * sizeof(float));
  }
}

INLINED void scatter_channel(const work *w, int extent, int points, int64_t channel) {
  const dnn_tiling *t = w->tiling;
  int64_t all = t->images * t->tile_rows * t->tile_columns, pitch = t->channels * all;
  tiles x[most * most], result[most * most];
  for (int64_t first = 0; first < all; first += lanes) {
    int64_t count = all - first < lanes ? all - first : lanes;
    for (int e = 0; e < points * points; e++) {
      x[e] = (tiles){0};
      memcpy(&x[e], w->points + e * pitch + channel * all + first, (size_t)count * sizeof(float));
    }
    sandwich(extent, points, w->matrix, x, result);
    store_windows(t, extent, w->planes, channel, first, count, result, w->adds);
  }
}

/* The pairs of extents that there are, as literals. */
#define FOR_EXTENTS(call)                                         \
  switch (t->extent * 16 + t->points) {                           \
    case 4 * 16 + 6: call(w, 4, 6, channel); break;               \
    case 6 * 16 + 6: call(w, 6, 6, channel); break;               \
    case 4 * 16 + 8: call(w, 4, 8, channel); break;               \
    case 8 * 16 + 8: call(w, 8, 8, channel); break;               \
  }

FOR_ANY_VECTORS
static void gather_part(int part, void *state) {
  const work *w = state;
  const dnn_tiling *t = w->tiling;
  for (int64_t channel = t->channels * part / w->parts; channel < t->channels * (part + 1) / w->parts; channel++)
    FOR_EXTENTS(gather_channel)
}

FOR_ANY_VECTORS
static void scatter_part(int part, void *state) {
  const work *w = state;
  const dnn_tiling *t = w->tiling;
  for (int64_t channel = t->channels * part / w->parts; channel < t->channels * (part + 1) / w->parts; channel++)
    FOR_EXTENTS(scatter_channel)
}

static int parts_of(int threads, const dnn_tiling *t) { return threads < t->channels ? threads : (int)t->channels; }

void dnn_tiles_gather(int threads, const dnn_tiling *tiling, const float *matrix, const float *planes, float *points) {
  work w = {tiling, matrix, (float *)planes, points, false, parts_of(threads, tiling)};
  dnn_parallel(threads, w.parts, gather_part, &w);
}

void dnn_tiles_scatter(
  int threads, const dnn_tiling *tiling, const float *matrix, const float *points, float *planes, bool adds) {
  work w = {tiling, matrix, planes, (float *)points, adds, parts_of(threads, tiling)};
  dnn_parallel(threads, w.parts, scatter_part, &w);
}
