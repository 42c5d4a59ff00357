/* sparsec.h: the interface of a network compiled by sparsec.
 *
 * A compiled network is a shared object that exports the functions below and needs nothing but
 * libc, libm and libpthread. Any C, C++ or ctypes program can load it:
 *
 *     void *library = dlopen("./net.so", RTLD_NOW | RTLD_LOCAL);
 *
 * or link against it. Functions never abort; those that can fail return a status, and
 * sparsec_last_error() gives the calling thread's last message.
 *
 * A context belongs to one caller at a time. Any number of contexts may run at once, in any threads;
 * they share nothing but the read-only weights.
 */
#ifndef SPARSEC_H
#define SPARSEC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a function, a structure or a status below changes its meaning. */
#define SPARSEC_ABI_VERSION 1

enum sparsec_status {
  SPARSEC_OK = 0,
  SPARSEC_UNSUPPORTED_CPU = 1, /* this CPU lacks instructions that the network was compiled for */
  SPARSEC_BAD_ARGUMENT = 2,
  SPARSEC_OUT_OF_MEMORY = 3,
  SPARSEC_THREADS_FAILED = 4, /* the system gave no thread */
};

/* A network input or output, or a named blob inside. Row-major float32. */
typedef struct sparsec_blob {
  const char *name;     /* the blob's name in the prototxt */
  const char *layer;    /* the layer that wrote this value last; "" for an input */
  int axes;             /* 0 to 32 */
  const int64_t *shape; /* of one item: the leading axis is 1 when the network is per item */
  int64_t count;        /* elements of one item */
} sparsec_blob;

typedef struct sparsec_context sparsec_context;

/* The ABI version that the network was compiled with. */
int sparsec_abi_version(void);

/* The network's manifest: a JSON document, UTF-8, zero-terminated, valid as long as the library is loaded. */
const char *sparsec_describe(void);

/* The message that belongs to the calling thread's last failed call; "" if none failed. */
const char *sparsec_last_error(void);

/* 1 if this CPU can run the network; else 0, and sparsec_last_error() names what is missing. */
int sparsec_cpu_supported(void);

/* The largest number of items one call of sparsec_run takes. A network whose layers mix axis 0
 * (see the manifest's "batch") is fixed: its item is the whole batch, and the largest number is 1. */
int sparsec_max_batch(void);

int sparsec_input_count(void);
const sparsec_blob *sparsec_input(int index); /* NULL if there is no such input */
int sparsec_output_count(void);
const sparsec_blob *sparsec_output(int index);

/* Named blobs that survive compilation, inputs and outputs included. */
int sparsec_blob_count(void);
const sparsec_blob *sparsec_blob_at(int index);

/* Compiled layers in the order in which they run. */
int sparsec_layer_count(void);
const char *sparsec_layer_name(int index);

/* Makes a context for batches of up to `batch` items with `threads` threads (the caller's included).
 * batch is 1 to sparsec_max_batch(), threads 1 to 1024. */
int sparsec_create(int threads, int batch, sparsec_context **context);

/* Runs `items` items (1 to the context's batch). inputs[i] points to items * count floats of input i,
 * outputs[o] likewise receives output o. No alignment is needed. */
int sparsec_run(sparsec_context *context, int items, const float *const *inputs, float *const *outputs);

/* Called after a layer wrote a blob; `data` is a dense copy of `count` floats, valid during the call. */
typedef void sparsec_observer(void *user, int item, int blob, const float *data);

/* Observes every blob of the following runs; NULL ends it. An observed run uses one thread. */
int sparsec_observe(sparsec_context *context, sparsec_observer *observer, void *user);

/* Switches the measuring of per-layer times on (1) or off (0, the default), and sets them to zero. */
int sparsec_profile(sparsec_context *context, int on);

/* Writes, per layer, the seconds spent since sparsec_profile(context, 1): sums over items and runs. */
int sparsec_layer_times(sparsec_context *context, double *seconds);

/* Frees a context. NULL is allowed. */
void sparsec_destroy(sparsec_context *context);

#ifdef __cplusplus
}
#endif

#endif
