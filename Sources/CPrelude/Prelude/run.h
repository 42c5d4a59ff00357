/* run.h: what a context holds, and how a run uses it. */
#ifndef SPARSEC_RUN_H
#define SPARSEC_RUN_H

#include <stdalign.h>
#include <stdatomic.h>

#include "network.h"
#include "pool.h"

enum { CACHE_LINE = 64 };

/* What one item in flight needs. */
struct slot {
  alignas(CACHE_LINE) struct barrier barrier; /* of the workers that share the item */
  float *arena;
  double *seconds; /* per layer; NULL until the first sparsec_profile(context, 1) */
};

struct sparsec_context {
  int threads, batch;
  int slots; /* min(threads, batch) */
  struct slot *slot;
  int round; /* the most items that go through the layers before others begin */
  float *tail; /* `round` items of tail_floats each; NULL if the network has no tail */
  struct barrier all; /* of all workers */
  struct pool *pool;
  int profiling;
  sparsec_observer *observer;
  void *user;
  float *observed; /* the largest blob fits */
  atomic_flag busy;
};

static inline const struct network_blob *input_blob(int index) {
  return &sparsec_network.blobs[sparsec_network.inputs[index]];
}

static inline const struct network_blob *output_blob(int index) {
  return &sparsec_network.blobs[sparsec_network.outputs[index]];
}

/* The items of a round, for a context of so many threads and items. */
int round_items(int threads, int batch);

/* Runs 1 to context->batch items; the buffers have been checked. */
void run_items(sparsec_context *context, int items, const float *const *inputs,
               float *const *outputs);

#endif
