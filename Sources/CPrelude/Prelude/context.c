/* context.c: the functions of sparsec.h over the constant sparsec_network. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* The build hides symbols; the interface's stay visible. */
#pragma GCC visibility push(default)
#include "sparsec.h"
#pragma GCC visibility pop

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "run.h"

enum { MAX_THREADS = 1024 };

/* Errors */

static _Thread_local char message[512];

__attribute__((format(printf, 2, 3))) static int fail(int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status;
}

const char *sparsec_last_error(void) { return message; }

/* Description */

int sparsec_abi_version(void) { return SPARSEC_ABI_VERSION; }
const char *sparsec_describe(void) { return sparsec_network.manifest; }
int sparsec_max_batch(void) { return sparsec_network.max_batch; }
int sparsec_input_count(void) { return sparsec_network.input_count; }
int sparsec_output_count(void) { return sparsec_network.output_count; }
int sparsec_blob_count(void) { return sparsec_network.blob_count; }
int sparsec_layer_count(void) { return sparsec_network.layer_count; }

static int in_range(const char *what, int index, int count) {
  if (index >= 0 && index < count) return 1;
  fail(SPARSEC_BAD_ARGUMENT, "there is no %s %d: this network has %d", what, index, count);
  return 0;
}

const sparsec_blob *sparsec_input(int index) {
  return in_range("input", index, sparsec_network.input_count) ? &input_blob(index)->blob : NULL;
}

const sparsec_blob *sparsec_output(int index) {
  return in_range("output", index, sparsec_network.output_count) ? &output_blob(index)->blob : NULL;
}

const sparsec_blob *sparsec_blob_at(int index) {
  if (!in_range("blob", index, sparsec_network.blob_count)) return NULL;
  return &sparsec_network.blobs[index].blob;
}

const char *sparsec_layer_name(int index) {
  if (!in_range("layer", index, sparsec_network.layer_count)) return NULL;
  return sparsec_network.layers[index].name;
}

int sparsec_cpu_supported(void) {
  uint32_t missing = sparsec_network.features & ~cpu_features();
  if (!missing) return 1;
  char names[256];
  cpu_feature_names(missing, names, sizeof names);
  fail(SPARSEC_UNSUPPORTED_CPU,
       "this CPU or its operating system lacks %s, which the network was compiled for; "
       "compile it with --target for this machine", names);
  return 0;
}

/* Contexts */

static int enter(sparsec_context *context) {
  if (!context) return fail(SPARSEC_BAD_ARGUMENT, "the context is NULL");
  if (atomic_flag_test_and_set_explicit(&context->busy, memory_order_acquire))
    return fail(SPARSEC_BAD_ARGUMENT, "the context is in use by another call; make one per caller");
  return SPARSEC_OK;
}

static int leave(sparsec_context *context, int status) {
  atomic_flag_clear_explicit(&context->busy, memory_order_release);
  return status;
}

static int check_buffers(const char *what, int count, const void *const *buffers,
                         const struct network_blob *(*blob_of)(int)) {
  if (count && !buffers) return fail(SPARSEC_BAD_ARGUMENT, "the array of %ss is NULL", what);
  for (int i = 0; i < count; i++)
    if (!buffers[i] && blob_of(i)->blob.count)
      return fail(SPARSEC_BAD_ARGUMENT, "%s %d (%s) is NULL", what, i, blob_of(i)->blob.name);
  return SPARSEC_OK;
}

int sparsec_run(sparsec_context *context, int items, const float *const *inputs,
                float *const *outputs) {
  int status = enter(context);
  if (status) return status;
  if (items < 1 || items > context->batch)
    return leave(context, fail(SPARSEC_BAD_ARGUMENT, "%d items: this context takes 1 to %d", items,
                               context->batch));
  status = check_buffers("input", sparsec_network.input_count, (const void *const *)inputs,
                         input_blob);
  if (!status)
    status = check_buffers("output", sparsec_network.output_count, (const void *const *)outputs,
                           output_blob);
  if (status) return leave(context, status);
  run_items(context, items, inputs, outputs);
  return leave(context, SPARSEC_OK);
}

int sparsec_observe(sparsec_context *context, sparsec_observer *observer, void *user) {
  int status = enter(context);
  if (status) return status;
  if (observer && !context->observed) {
    int64_t largest = 1;
    for (int i = 0; i < sparsec_network.blob_count; i++)
      if (sparsec_network.blobs[i].blob.count > largest)
        largest = sparsec_network.blobs[i].blob.count;
    context->observed = calloc((size_t)largest, sizeof(float));
    if (!context->observed)
      return leave(context, fail(SPARSEC_OUT_OF_MEMORY, "no memory to observe a blob of %" PRId64
                                 " floats", largest));
  }
  if (!observer) {
    free(context->observed);
    context->observed = NULL;
  }
  context->observer = observer;
  context->user = user;
  return leave(context, SPARSEC_OK);
}

int sparsec_profile(sparsec_context *context, int on) {
  int status = enter(context);
  if (status) return status;
  size_t layers = (size_t)sparsec_network.layer_count;
  for (int i = 0; i < context->slots; i++) {
    struct slot *slot = &context->slot[i];
    if (on && !slot->seconds) slot->seconds = calloc(layers + 1, sizeof(double));
    if (on && !slot->seconds)
      return leave(context, fail(SPARSEC_OUT_OF_MEMORY, "no memory for the times of %zu layers",
                                 layers));
    if (slot->seconds) memset(slot->seconds, 0, layers * sizeof(double));
  }
  context->profiling = on != 0;
  return leave(context, SPARSEC_OK);
}

int sparsec_layer_times(sparsec_context *context, double *seconds) {
  int status = enter(context);
  if (status) return status;
  if (!seconds) return leave(context, fail(SPARSEC_BAD_ARGUMENT, "the array of seconds is NULL"));
  for (int layer = 0; layer < sparsec_network.layer_count; layer++) {
    seconds[layer] = 0;
    for (int i = 0; i < context->slots; i++)
      if (context->slot[i].seconds) seconds[layer] += context->slot[i].seconds[layer];
  }
  return leave(context, SPARSEC_OK);
}

/* Zeroed, and at least one cache line; NULL if there is no memory or the size is beyond size_t. */
static void *zeroed_lines(int64_t count, size_t size) {
  if (count < 0 || (uint64_t)count > (SIZE_MAX - CACHE_LINE) / size) return NULL;
  size_t bytes = ((size_t)count * size + CACHE_LINE) / CACHE_LINE * CACHE_LINE;
  void *memory = aligned_alloc(CACHE_LINE, bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

static int allocate_slots(sparsec_context *context) {
  context->slot = zeroed_lines(context->slots, sizeof(struct slot));
  if (!context->slot) return fail(SPARSEC_OUT_OF_MEMORY, "no memory for %d items", context->slots);
  for (int i = 0; i < context->slots; i++) {
    /* As many parts as a team has members at most: there are i + 1 teams or more (see work). */
    int parts = (context->threads + i) / (i + 1);
    int64_t floats = sparsec_network.arena_floats + parts * sparsec_network.scratch_floats;
    context->slot[i].arena = zeroed_lines(floats, sizeof(float));
    if (!context->slot[i].arena)
      return fail(SPARSEC_OUT_OF_MEMORY,
                  "no memory for %d items in flight of %" PRId64 " floats each; "
                  "use fewer threads or a smaller batch",
                  context->slots, floats);
  }
  if (!sparsec_network.tail_count) return SPARSEC_OK;
  context->tail = zeroed_lines(context->round * sparsec_network.tail_floats, sizeof(float));
  if (!context->tail)
    return fail(SPARSEC_OUT_OF_MEMORY, "no memory for %d items of %" PRId64 " floats each; "
                "use a smaller batch", context->round, sparsec_network.tail_floats);
  return SPARSEC_OK;
}

int sparsec_create(int threads, int batch, sparsec_context **result) {
  if (!result) return fail(SPARSEC_BAD_ARGUMENT, "the place for the context is NULL");
  *result = NULL;
  if (threads < 1 || threads > MAX_THREADS)
    return fail(SPARSEC_BAD_ARGUMENT, "%d threads: 1 to %d are possible", threads, MAX_THREADS);
  if (batch < 1 || batch > sparsec_network.max_batch)
    return fail(SPARSEC_BAD_ARGUMENT, "batch %d: this network was compiled for 1 to %d", batch,
                sparsec_network.max_batch);
  if (!sparsec_cpu_supported()) return SPARSEC_UNSUPPORTED_CPU;
  sparsec_context *context = calloc(1, sizeof *context);
  if (!context) return fail(SPARSEC_OUT_OF_MEMORY, "no memory for a context");
  atomic_flag_clear(&context->busy);
  context->threads = threads;
  context->batch = batch;
  context->slots = threads < batch ? threads : batch;
  context->round = round_items(threads, batch);
  int status = allocate_slots(context);
  if (!status) {
    status = pool_create(threads, &context->pool);
    if (status == SPARSEC_OUT_OF_MEMORY) fail(status, "no memory for %d threads", threads);
    if (status == SPARSEC_THREADS_FAILED)
      fail(status, "the system gave less than %d threads; use fewer", threads);
  }
  if (status) {
    sparsec_destroy(context);
    return status;
  }
  *result = context;
  return SPARSEC_OK;
}

void sparsec_destroy(sparsec_context *context) {
  if (!context) return;
  pool_destroy(context->pool);
  for (int i = 0; context->slot && i < context->slots; i++) {
    free(context->slot[i].arena);
    free(context->slot[i].seconds);
  }
  free(context->slot);
  free(context->tail);
  free(context->observed);
  free(context);
}
