/* Reorders, functions of one number, sums. */
#include "internal.h"

dnn_operation *dnn_reorder_layouts(
  dnn_context *context, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, bool adds) {
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t sum = NULL;
  dnnl_primitive_desc_t description = NULL;
  dnn_use_threads(context);
  bool fits = dnnl_primitive_attr_create(&attributes) == dnnl_success
    && dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) == dnnl_success;
  if (fits && adds)
    fits = dnnl_post_ops_create(&sum) == dnnl_success && dnnl_post_ops_append_sum(sum, 1) == dnnl_success
      && dnnl_primitive_attr_set_post_ops(attributes, sum) == dnnl_success;
  fits = fits
    && dnnl_reorder_primitive_desc_create(&description, from, context->engine, to, context->engine, attributes)
      == dnnl_success;
  if (sum) dnnl_post_ops_destroy(sum);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  if (!fits) return NULL;
  return dnn_operation_make(context, description, 2, (int[]){DNNL_ARG_FROM, DNNL_ARG_TO});
}

dnn_operation *dnn_reorder(dnn_context *context, dnn_shape shape, dnn_format from, dnn_format to, bool adds) {
  dnnl_memory_desc_t source, destination;
  if (!dnn_layout(&source, shape, from) || !dnn_layout(&destination, shape, to)) return NULL;
  return dnn_reorder_layouts(context, &source, &destination, adds);
}

static dnn_shape vector(int64_t count) { return (dnn_shape){1, {count}}; }

dnn_operation *dnn_eltwise(dnn_context *context, int64_t count, dnn_function function, float alpha) {
  dnnl_alg_kind_t kind = dnnl_alg_kind_undef;
  switch (function) {
    case dnn_tanh: kind = dnnl_eltwise_tanh; break;
    case dnn_logistic: kind = dnnl_eltwise_logistic; break;
    case dnn_elu: kind = dnnl_eltwise_elu; break;
    case dnn_exp: kind = dnnl_eltwise_exp; break;
    case dnn_softplus: kind = dnnl_eltwise_soft_relu; break;
  }
  dnnl_memory_desc_t layout;
  dnnl_eltwise_desc_t eltwise;
  if (!dnn_layout(&layout, vector(count), dnn_plain)
      || dnnl_eltwise_forward_desc_init(&eltwise, dnnl_forward_inference, kind, &layout, alpha, 0) != dnnl_success)
    return NULL;
  return dnn_operation_make(
    context, dnn_describe(context, &eltwise, NULL), 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST});
}

dnn_operation *dnn_sum(dnn_context *context, int64_t count, int sources, const float *scales) {
  enum { most = 64 };
  dnnl_memory_desc_t layouts[most];
  int arguments[most + 1];
  if (sources > most) return NULL;
  for (int i = 0; i < sources; i++) {
    if (!dnn_layout(&layouts[i], vector(count), dnn_plain)) return NULL;
    arguments[i] = DNNL_ARG_MULTIPLE_SRC + i;
  }
  arguments[sources] = DNNL_ARG_DST;
  dnnl_primitive_desc_t description = NULL;
  dnn_use_threads(context);
  if (dnnl_sum_primitive_desc_create(
        &description, &layouts[0], sources, scales, layouts, context->attributes, context->engine)
      != dnnl_success)
    return NULL;
  return dnn_operation_make(context, description, sources + 1, arguments);
}
