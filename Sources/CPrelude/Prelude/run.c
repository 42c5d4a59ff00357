/* run.c: how items go through the layers.
 *
 * The head's layers run item by item, depth first: what one writes the next finds in the cache. The
 * tail's run on all items together, since their weights outweigh everything else. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "run.h"

#include <string.h>
#include <time.h>

/* Items that share the tail's weights: more would not make them cheaper. */
#ifndef ROUND
#define ROUND 64
#endif

int round_items(int threads, int batch) {
  int most = threads > ROUND ? threads : ROUND;
  return sparsec_network.tail_count && batch > most ? most : batch;
}

static int head_count(void) { return sparsec_network.layer_count - sparsec_network.tail_count; }

/* Between dense values and views */

enum direction { INTO_ARENA, OUT_OF_ARENA };

/* Copies part `part` of `parts` of one item. A view without gaps counts as one row, cut anywhere;
 * others are cut between rows. Gaps (halos, padding) belong to the layers and are left alone. */
static void copy_view(const struct view *view, float *arena, float *dense,
                      enum direction direction, int part, int parts) {
  int64_t rows = view->planes * view->height, width = view->width;
  if (view->row_pitch == width && view->plane_pitch == view->height * width) {
    int64_t first = rows * width * part / parts, end = rows * width * (part + 1) / parts;
    float *place = arena + view->offset + first;
    size_t bytes = (size_t)(end - first) * sizeof(float);
    memcpy(direction == INTO_ARENA ? place : dense + first,
           direction == INTO_ARENA ? dense + first : place, bytes);
    return;
  }
  size_t bytes = (size_t)width * sizeof(float);
  for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; row++) {
    float *place = arena + view->offset + row / view->height * view->plane_pitch +
                   row % view->height * view->row_pitch;
    memcpy(direction == INTO_ARENA ? place : dense + row * width,
           direction == INTO_ARENA ? dense + row * width : place, bytes);
  }
}

/* Running */

/* One round. */
struct run {
  sparsec_context *context;
  int first, items;
  const float *const *inputs;
  float *const *outputs;
  atomic_llong next; /* the first item that nobody has taken */
};

/* The inputs are only read: copy_view writes to the side that `direction` names. */
static void copy_inputs(const struct run *run, int item, float *arena, int part, int parts) {
  int64_t row = run->first + item;
  for (int i = 0; i < sparsec_network.input_count; i++) {
    const struct network_blob *blob = input_blob(i);
    float *dense = (float *)(uintptr_t)run->inputs[i];
    if (blob->blob.count)
      copy_view(&blob->view, arena, dense + row * blob->blob.count, INTO_ARENA, part, parts);
  }
}

enum side { HEAD, TAIL };

static enum side side_of(const struct network_blob *blob) {
  return blob->layer < head_count() ? HEAD : TAIL;
}

/* The outputs that one side makes. */
static void copy_outputs(const struct run *run, enum side side, int item, float *arena, int part,
                         int parts) {
  int64_t row = run->first + item;
  for (int i = 0; i < sparsec_network.output_count; i++) {
    const struct network_blob *blob = output_blob(i);
    if (blob->blob.count && side_of(blob) == side)
      copy_view(&blob->view, arena, run->outputs[i] + row * blob->blob.count, OUT_OF_ARENA, part,
                parts);
  }
}

/* Where an item's values of the tail lie. */
static float *tail_of(const sparsec_context *context, int item) {
  return context->tail + item * sparsec_network.tail_floats;
}

/* Gives the tail what it reads of an item. */
static void hand_over(const struct run *run, int item, float *arena, int part, int parts) {
  for (int i = 0; i < sparsec_network.handover_count; i++) {
    const struct network_handover *handover = &sparsec_network.handovers[i];
    copy_view(&handover->from, arena, tail_of(run->context, item) + handover->to, OUT_OF_ARENA,
              part, parts);
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* One worker's part of one item: it meets the other parts after every layer; part 0 keeps time. */
static void run_item(const struct run *run, int item, struct slot *slot, int part, int parts) {
  const sparsec_context *context = run->context;
  int timed = context->profiling && part == 0;
  copy_inputs(run, item, slot->arena, part, parts);
  barrier_wait(context->pool, &slot->barrier, parts);
  double before = timed ? now() : 0;
  for (int layer = 0; layer < head_count(); layer++) {
    sparsec_network.layers[layer].run(slot->arena, part, parts);
    barrier_wait(context->pool, &slot->barrier, parts);
    if (timed) {
      double after = now();
      slot->seconds[layer] += after - before;
      before = after;
    }
  }
  copy_outputs(run, HEAD, item, slot->arena, part, parts);
  hand_over(run, item, slot->arena, part, parts);
}

/* One part of one layer of the tail on all items. */
static void run_tail_layer(const struct run *run, int layer, int part, int parts) {
  const sparsec_context *context = run->context;
  batch_function *together = sparsec_network.tail[layer - head_count()];
  if (together) {
    together(context->tail, run->items, part, parts);
  } else if (run->items < parts) {
    for (int item = 0; item < run->items; item++)
      sparsec_network.layers[layer].run(tail_of(context, item), part, parts);
  } else {
    int end = (int)((int64_t)run->items * (part + 1) / parts);
    for (int item = (int)((int64_t)run->items * part / parts); item < end; item++)
      sparsec_network.layers[layer].run(tail_of(context, item), 0, 1);
  }
}

/* One worker's part of the tail; it meets all others before and after every layer. */
static void run_tail(const struct run *run, int part, int parts) {
  sparsec_context *context = run->context;
  int timed = context->profiling && part == 0;
  barrier_wait(context->pool, &context->all, parts);
  double before = timed ? now() : 0;
  for (int layer = head_count(); layer < sparsec_network.layer_count; layer++) {
    run_tail_layer(run, layer, part, parts);
    barrier_wait(context->pool, &context->all, parts);
    if (timed) {
      double after = now();
      context->slot[0].seconds[layer] += after - before;
      before = after;
    }
  }
  for (int item = part; item < run->items; item += parts)
    copy_outputs(run, TAIL, item, tail_of(context, item), 0, 1);
}

/* While there are as many items as threads, a thread takes whole items: nobody waits. The last few
 * items are each shared by a team of threads, unless they are over before a team has met. Worker w is in team w % teams, so a slot is only ever
 * used by the worker of its number and then by that worker's team. */
static void run_head(struct run *run, int worker) {
  sparsec_context *context = run->context;
  int teams = sparsec_network.shares_items ? run->items % context->threads : 0;
  int whole = run->items - teams;
  /* There are no more slots than items in a batch: the workers beyond have none, and no item to take. */
  if (worker < context->slots)
    for (long long item; (item = atomic_fetch_add(&run->next, 1)) < whole;)
      run_item(run, (int)item, &context->slot[worker], 0, 1);
  if (teams == 0) return;
  int team = worker % teams;
  int members = (context->threads - team + teams - 1) / teams;
  struct slot *slot = &context->slot[team];
  /* Its own worker may still be at a whole item. */
  if (whole) barrier_wait(context->pool, &slot->barrier, members);
  run_item(run, whole + team, slot, worker / teams, members);
}

static void work(void *argument, int worker) {
  struct run *run = argument;
  run_head(run, worker);
  if (sparsec_network.tail_count) run_tail(run, worker, run->context->threads);
}

/* Shows the blobs that are complete after `layer`; later layers may reuse their place. */
static void observe(const struct run *run, int item, int layer) {
  const sparsec_context *context = run->context;
  for (int i = 0; i < sparsec_network.blob_count; i++) {
    const struct network_blob *blob = &sparsec_network.blobs[i];
    if (blob->layer != layer) continue;
    float *arena = side_of(blob) == HEAD ? context->slot[0].arena : tail_of(context, item);
    if (blob->blob.count) copy_view(&blob->view, arena, context->observed, OUT_OF_ARENA, 0, 1);
    context->observer(context->user, run->first + item, i, context->observed);
  }
}

static void run_observed(const struct run *run) {
  const sparsec_context *context = run->context;
  struct slot *slot = &context->slot[0];
  for (int item = 0; item < run->items; item++) {
    copy_inputs(run, item, slot->arena, 0, 1);
    observe(run, item, -1);
    for (int layer = 0; layer < head_count(); layer++) {
      double before = context->profiling ? now() : 0;
      sparsec_network.layers[layer].run(slot->arena, 0, 1);
      if (context->profiling) slot->seconds[layer] += now() - before;
      observe(run, item, layer);
    }
    copy_outputs(run, HEAD, item, slot->arena, 0, 1);
    hand_over(run, item, slot->arena, 0, 1);
  }
  for (int layer = head_count(); layer < sparsec_network.layer_count; layer++) {
    double before = context->profiling ? now() : 0;
    run_tail_layer(run, layer, 0, 1);
    if (context->profiling) slot->seconds[layer] += now() - before;
    for (int item = 0; item < run->items; item++) observe(run, item, layer);
  }
  for (int item = 0; sparsec_network.tail_count && item < run->items; item++)
    copy_outputs(run, TAIL, item, tail_of(context, item), 0, 1);
}

void run_items(sparsec_context *context, int items, const float *const *inputs,
               float *const *outputs) {
  bool alone = items == 1 && !sparsec_network.shares_items && !sparsec_network.tail_count;
  for (int first = 0; first < items; first += context->round) {
    int left = items - first;
    struct run run = {.context = context,
                      .first = first,
                      .items = left < context->round ? left : context->round,
                      .inputs = inputs,
                      .outputs = outputs};
    atomic_init(&run.next, 0);
    if (context->observer)
      run_observed(&run);
    else if (alone)
      run_head(&run, 0);
    else
      pool_run(context->pool, work, &run);
  }
}
