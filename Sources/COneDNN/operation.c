/* Contexts, operations, and what all primitives share. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void *dnn_allocate(size_t bytes) {
  return bytes == 0 ? NULL : aligned_alloc(64, (bytes + 63) / 64 * 64);
}

dnn_context *dnn_context_make(int threads) {
  dnn_context *context = calloc(1, sizeof *context);
  if (!context) return NULL;
  context->threads = threads;
  dnn_use_threads(context);
  if (!dnn_prepare_threads(threads)
      || dnnl_engine_create(&context->engine, dnnl_cpu, 0) != dnnl_success
      || dnnl_stream_create(&context->stream, context->engine, dnnl_stream_default_flags) != dnnl_success
      || dnnl_primitive_attr_create(&context->attributes) != dnnl_success
      || dnnl_primitive_attr_set_scratchpad_mode(context->attributes, dnnl_scratchpad_mode_user)
        != dnnl_success) {
    dnn_context_free(context);
    return NULL;
  }
  return context;
}

void dnn_context_free(dnn_context *context) {
  if (!context) return;
  if (context->attributes) dnnl_primitive_attr_destroy(context->attributes);
  if (context->stream) dnnl_stream_destroy(context->stream);
  if (context->engine) dnnl_engine_destroy(context->engine);
  free(context->scratch);
  free(context);
}

int dnn_vector_width(void) { return dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core ? 16 : 8; }

void dnn_product(dnn_context *context, bool transposes_a, bool transposes_b, int64_t m, int64_t n, int64_t k,
  float alpha, const float *a, const float *b, float beta, float *c) {
  dnn_use_threads(context);
  dnnl_sgemm(transposes_a ? 'T' : 'N', transposes_b ? 'T' : 'N', m, n, k, alpha, a, transposes_a ? m : k, b,
    transposes_b ? k : n, beta, c, n);
}

bool dnn_layout(dnnl_memory_desc_t *layout, dnn_shape shape, dnn_format format) {
  static const dnnl_format_tag_t plain[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd,
    dnnl_abcde, dnnl_abcdef};
  dnnl_format_tag_t tag = dnnl_format_tag_undef;
  switch (format) {
    case dnn_plain: tag = shape.axes >= 1 && shape.axes <= 6 ? plain[shape.axes] : dnnl_format_tag_undef; break;
    case dnn_channels_last: tag = dnnl_acdb; break;
    case dnn_blocked8: tag = dnnl_aBcd8b; break;
    case dnn_blocked16: tag = dnnl_aBcd16b; break;
  }
  if (tag == dnnl_format_tag_undef || (format != dnn_plain && shape.axes != 4)) return false;
  return dnnl_memory_desc_init_by_tag(layout, shape.axes, shape.extents, dnnl_f32, tag) == dnnl_success;
}

const dnnl_memory_desc_t *dnn_wanted(const_dnnl_primitive_desc_t description, dnnl_query_t what) {
  return dnnl_primitive_desc_query_md(description, what, 0);
}

dnnl_primitive_desc_t dnn_describe(
  dnn_context *context, const_dnnl_op_desc_t operation, const_dnnl_primitive_desc_t forward) {
  dnnl_primitive_desc_t description = NULL;
  dnn_use_threads(context);
  if (dnnl_primitive_desc_create(&description, operation, context->attributes, context->engine, forward)
      != dnnl_success)
    return NULL;
  return description;
}

/* The layout of an argument, as the description names it. */
static const dnnl_memory_desc_t *argument_layout(const_dnnl_primitive_desc_t description, int argument) {
  return dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, argument);
}

bool dnn_operation_bind(dnn_operation *operation, int argument, const dnnl_memory_desc_t *layout, void *data) {
  dnn_binding *binding = &operation->bindings[operation->count];
  if (!layout
      || dnnl_memory_create(&binding->memory, layout, operation->context->engine, data ? data : DNNL_MEMORY_NONE)
        != dnnl_success)
    return false;
  binding->argument = argument;
  binding->handle = data;
  operation->count++;
  return true;
}

dnn_operation *dnn_operation_make(
  dnn_context *context, dnnl_primitive_desc_t description, int count, const int *arguments) {
  if (!description) return NULL;
  dnn_use_threads(context);
  dnn_operation *operation = calloc(1, sizeof *operation);
  operation->context = context;
  operation->bindings = calloc((size_t)count + 2, sizeof *operation->bindings);
  bool fits = dnnl_primitive_create(&operation->primitive, description) == dnnl_success;
  for (int i = 0; fits && i < count; i++)
    fits = dnn_operation_bind(operation, arguments[i], argument_layout(description, arguments[i]), NULL);
  operation->given = count;
  const dnnl_memory_desc_t *scratch = dnn_wanted(description, dnnl_query_scratchpad_md);
  size_t size = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
  if (fits && size > 0) fits = dnn_operation_bind(operation, DNNL_ARG_SCRATCHPAD, scratch, NULL);
  if (size > context->scratch_size) {
    context->scratch_size = size;
    free(context->scratch);
    context->scratch = NULL;
  }
  dnnl_primitive_desc_destroy(description);
  if (fits) return operation;
  dnn_operation_free(operation);
  return NULL;
}

void dnn_operation_free(dnn_operation *operation) {
  if (!operation) return;
  for (int i = 0; i < operation->count; i++) dnnl_memory_destroy(operation->bindings[i].memory);
  if (operation->primitive) dnnl_primitive_destroy(operation->primitive);
  free(operation->bindings);
  free(operation->owned);
  free(operation);
}

static void point(dnn_binding *binding, void *data) {
  if (binding->handle == data) return;
  dnnl_memory_set_data_handle(binding->memory, data);
  binding->handle = data;
}

void dnn_operation_run(dnn_operation *operation, float *const *arrays) {
  dnn_context *context = operation->context;
  if (!context->scratch) context->scratch = dnn_allocate(context->scratch_size);
  dnnl_exec_arg_t arguments[dnn_max_bindings];
  for (int i = 0; i < operation->count; i++) {
    dnn_binding *binding = &operation->bindings[i];
    if (i < operation->given) point(binding, arrays[i]);
    if (binding->argument == DNNL_ARG_SCRATCHPAD) point(binding, context->scratch);
    arguments[i] = (dnnl_exec_arg_t){binding->argument, binding->memory};
  }
  dnn_use_threads(context);
  /* Everything was checked when the primitive was made; what is left to fail is a bug. */
  if (dnnl_primitive_execute(operation->primitive, context->stream, operation->count, arguments) != dnnl_success)
    abort();
}
