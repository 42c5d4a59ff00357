/* internal.h: what the files of this target share. */
#ifndef SPARSEC_INTERNAL_H
#define SPARSEC_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>
#include <stddef.h>

#include "primitives.h"

struct dnn_context {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_attr_t attributes;
  int threads;
  /* Memory for primitives while they run; as much as the neediest asked for. */
  void *scratch;
  size_t scratch_size;
};

/* One array that a primitive reads or writes. */
typedef struct {
  int argument;
  dnnl_memory_t memory;
  void *handle;
} dnn_binding;

enum { dnn_max_bindings = 72 };

struct dnn_operation {
  dnn_context *context;
  dnnl_primitive_t primitive;
  /* The first `given` come with every run, in order; the others are set once. */
  int given, count;
  dnn_binding *bindings;
  /* Memory of the operation's own: a workspace that forward leaves to backward. */
  void *owned;
};

/* Makes a primitive and frees its description; NULL if `description` is NULL. `arguments` come with every run. */
dnn_operation *dnn_operation_make(
  dnn_context *context, dnnl_primitive_desc_t description, int count, const int *arguments);

/* Binds a further argument for good. */
bool dnn_operation_bind(dnn_operation *operation, int argument, const dnnl_memory_desc_t *layout, void *data);

/* Memory as caches like it, 64-byte aligned; NULL for none. */
void *dnn_allocate(size_t bytes);

/* Starts the threads that teams of so many need; false if the system gives no more. */
bool dnn_prepare_threads(int threads);

/* Tells oneDNN how many threads to use; the number belongs to the calling thread, so every call sets it. */
void dnn_use_threads(const dnn_context *context);

bool dnn_layout(dnnl_memory_desc_t *layout, dnn_shape shape, dnn_format format);

/* The layout that a description wants for one of its arrays. */
const dnnl_memory_desc_t *dnn_wanted(const_dnnl_primitive_desc_t description, dnnl_query_t what);

/* Describes a primitive; NULL if oneDNN has none. `forward` is the hint of backward primitives. */
dnnl_primitive_desc_t dnn_describe(
  dnn_context *context, const_dnnl_op_desc_t operation, const_dnnl_primitive_desc_t forward);

dnn_operation *dnn_reorder_layouts(
  dnn_context *context, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, bool adds);

#endif
