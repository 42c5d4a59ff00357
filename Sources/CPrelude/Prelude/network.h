/* network.h: what an emitted network (net.c) tells the fixed part (context.c).
 *
 * context.c is compiled for the baseline CPU, so that an unsupported CPU is refused in words;
 * net.c is compiled for the target. They meet in one constant, sparsec_network.
 * A layer is of the head, which runs item by item, or of the tail, which all items run together.
 */
#ifndef SPARSEC_NETWORK_H
#define SPARSEC_NETWORK_H

#include <stdbool.h>

#include "sparsec.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* Where a value lies in the arena: `planes` planes of `height` rows of `width` floats. A value
 * without halo is one plane of one row. Element (plane, row, column) lies at offset + plane *
 * plane_pitch + row * row_pitch + column, all in floats. */
struct view {
  int64_t offset;
  int64_t planes, height, width;
  int64_t plane_pitch, row_pitch;
};

/* A named value: its description for callers, its place (in the tail's arena if the layer is of the
 * tail), and the layer after which it is complete. */
struct network_blob {
  sparsec_blob blob;
  struct view view;
  int layer; /* index into layers; -1 for an input */
};

/* Runs one part of a layer on one item. Parts 0 .. parts-1 together do the whole layer and may run
 * at once; a layer that cannot be split does everything in part 0. Behind the arena lies room for
 * what a part needs to itself while it runs: scratch_floats for each part. */
typedef void layer_function(float *arena, int part, int parts);

struct network_layer {
  const char *name;
  layer_function *run; /* NULL for a layer of the tail that runs on all items together */
};

/* Runs one part of a layer on `items` items at once; their values lie tail_floats apart. */
typedef void batch_function(float *tail, int items, int part, int parts);

/* A value that the head makes and the tail reads: its view in an item's arena, and where it lies
 * among the item's values of the tail, without gaps. */
struct network_handover {
  struct view from;
  int64_t to;
};

/* CPU features, as bits of network.features. */
enum cpu_feature {
  CPU_SSE42 = 1 << 0,
  CPU_AVX = 1 << 1,
  CPU_AVX2 = 1 << 2,
  CPU_FMA = 1 << 3,
  CPU_F16C = 1 << 4,
  CPU_BMI2 = 1 << 5,
  CPU_AVX512F = 1 << 6,
  CPU_AVX512BW = 1 << 7,
  CPU_AVX512CD = 1 << 8,
  CPU_AVX512DQ = 1 << 9,
  CPU_AVX512VL = 1 << 10,
  CPU_AVX512VNNI = 1 << 11,
  CPU_AVX512BF16 = 1 << 12,
  CPU_AVX512VBMI = 1 << 13,
  CPU_AVX512FP16 = 1 << 14,
  CPU_AVXVNNI = 1 << 15,
  CPU_POPCNT = 1 << 16,
  CPU_MOVBE = 1 << 17,
  CPU_BMI = 1 << 18,
  CPU_LZCNT = 1 << 19,
  CPU_GFNI = 1 << 20,
  CPU_AVX512IFMA = 1 << 21,
  CPU_AVX512VBMI2 = 1 << 22,
  CPU_AVX512BITALG = 1 << 23,
  CPU_AVX512VPOPCNTDQ = 1 << 24,
};

struct network {
  const char *manifest;    /* JSON, zero-terminated */
  uint32_t features;       /* of the CPU, that net.c was compiled with */
  int max_batch;           /* largest number of items in a run */
  bool shares_items;       /* whether the layers of one item are worth sharing among threads */
  int64_t arena_floats;    /* values of one item in flight, 64-byte aligned */
  int64_t scratch_floats;  /* for each part of a layer, behind the arena; a multiple of 16 */
  int input_count, output_count, blob_count, layer_count;
  const int *inputs;       /* indices into blobs */
  const int *outputs;      /* indices into blobs */
  const struct network_blob *blobs;
  const struct network_layer *layers;
  /* The last tail_count layers are the tail: they work when all items have been through the others,
   * in an arena of their own. */
  int tail_count, handover_count;
  int64_t tail_floats;          /* of one item */
  batch_function *const *tail;  /* per layer of the tail; NULL if it runs item by item */
  const struct network_handover *handovers;
};

extern const struct network sparsec_network HIDDEN;

#endif
