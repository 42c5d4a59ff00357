/* Convolution: three primitives over one set of plain weights, each with weights in the order it likes. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* An array in a primitive's own order, and the way to it or back from it. */
typedef struct {
  float *data;
  dnn_operation *reorder;
} reordered;

struct dnn_convolution {
  dnn_context *context;
  bool has_bias;
  int64_t filters;
  dnn_operation *forward, *source_gradient, *weight_gradient;
  reordered forward_weights, backward_weights, gradient;
  float *bias_gradient;
};

typedef struct {
  dnnl_memory_desc_t source, weights, bias, destination;
  dnnl_memory_desc_t plain_weights;
  dnnl_dims_t stride, dilation, pad;
} layouts;

static bool describe_layouts(layouts *all, const dnn_convolution_geometry *geometry) {
  dnnl_dims_t weights;
  int axes = 0;
  int64_t channels = geometry->source.extents[1], filters = geometry->destination.extents[1];
  bool grouped = geometry->groups > 1;
  if (grouped) weights[axes++] = geometry->groups;
  weights[axes++] = filters / geometry->groups;
  weights[axes++] = channels / geometry->groups;
  for (int i = 0; i < geometry->spatial; i++) {
    weights[axes++] = geometry->kernel[i];
    all->stride[i] = geometry->stride[i];
    all->dilation[i] = geometry->dilation[i] - 1;
    all->pad[i] = geometry->pad[i];
  }
  static const dnnl_format_tag_t plain[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd,
    dnnl_abcde, dnnl_abcdef};
  return dnn_layout(&all->source, geometry->source, geometry->source_format)
    && dnn_layout(&all->destination, geometry->destination, geometry->destination_format)
    && dnnl_memory_desc_init_by_tag(&all->bias, 1, &filters, dnnl_f32, dnnl_a) == dnnl_success
    && dnnl_memory_desc_init_by_tag(&all->weights, axes, weights, dnnl_f32, dnnl_format_tag_any) == dnnl_success
    && dnnl_memory_desc_init_by_tag(&all->plain_weights, axes, weights, dnnl_f32, plain[axes]) == dnnl_success;
}

/* Whether a description is one of the slow loops that oneDNN keeps for what no fast code covers. */
static bool is_reference(const_dnnl_primitive_desc_t description) {
  const char *name = NULL;
  return dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name) != dnnl_success
    || strncmp(name, "ref", 3) == 0;
}

/* A primitive, if it is fast enough; frees its description. */
static dnn_operation *checked(
  dnn_context *context, dnnl_primitive_desc_t description, bool accepts_reference, int count, const int *arguments) {
  if (description && !accepts_reference && is_reference(description)) {
    dnnl_primitive_desc_destroy(description);
    return NULL;
  }
  return dnn_operation_make(context, description, count, arguments);
}

/* Room for weights in `layout`, and the reorder between it and the plain order; no room where that is the plain order
 * itself and nothing must be added. */
static bool make_reordered(
  reordered *result, dnn_context *context, const layouts *all, const dnnl_memory_desc_t *layout, bool is_gradient) {
  if (!is_gradient && dnnl_memory_desc_equal(layout, &all->plain_weights)) return true;
  size_t size = dnnl_memory_desc_get_size(layout);
  result->data = dnn_allocate(size);
  if (!result->data) return false;
  /* Padding inside the layout must read as zeros. */
  memset(result->data, 0, size);
  result->reorder = is_gradient ? dnn_reorder_layouts(context, layout, &all->plain_weights, true)
                                : dnn_reorder_layouts(context, &all->plain_weights, layout, false);
  return result->reorder != NULL;
}

static float *in_order(reordered *weights, float *plain) {
  if (!weights->reorder) return plain;
  dnn_operation_run(weights->reorder, (float *[]){plain, weights->data});
  return weights->data;
}

static bool make_source_gradient(
  dnn_convolution *made, const layouts *all, const_dnnl_primitive_desc_t hint, bool accepts_reference) {
  dnnl_convolution_desc_t operation;
  if (dnnl_dilated_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &all->source,
        &all->weights, &all->destination, all->stride, all->dilation, all->pad, all->pad)
      != dnnl_success)
    return false;
  dnnl_primitive_desc_t description = dnn_describe(made->context, &operation, hint);
  if (!description
      || !make_reordered(
        &made->backward_weights, made->context, all, dnn_wanted(description, dnnl_query_weights_md), false)) {
    dnnl_primitive_desc_destroy(description);
    return false;
  }
  made->source_gradient = checked(made->context, description, accepts_reference, 3,
    (int[]){DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC});
  return made->source_gradient != NULL;
}

static bool make_weight_gradient(
  dnn_convolution *made, const layouts *all, const_dnnl_primitive_desc_t hint, bool accepts_reference) {
  dnnl_convolution_desc_t operation;
  if (dnnl_dilated_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &all->source,
        &all->weights, made->has_bias ? &all->bias : NULL, &all->destination, all->stride, all->dilation, all->pad,
        all->pad)
      != dnnl_success)
    return false;
  dnnl_primitive_desc_t description = dnn_describe(made->context, &operation, hint);
  if (!description
      || !make_reordered(
        &made->gradient, made->context, all, dnn_wanted(description, dnnl_query_diff_weights_md), true)) {
    dnnl_primitive_desc_destroy(description);
    return false;
  }
  made->weight_gradient = checked(made->context, description, accepts_reference, made->has_bias ? 4 : 3,
    (int[]){DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS});
  if (made->has_bias) made->bias_gradient = dnn_allocate((size_t)made->filters * sizeof(float));
  return made->weight_gradient != NULL;
}

static bool make_primitives(
  dnn_convolution *made, const dnn_convolution_geometry *geometry, bool accepts_reference) {
  layouts all;
  dnnl_convolution_desc_t operation;
  if (!describe_layouts(&all, geometry)
      || dnnl_dilated_convolution_forward_desc_init(&operation, dnnl_forward_training, dnnl_convolution_direct,
           &all.source, &all.weights, made->has_bias ? &all.bias : NULL, &all.destination, all.stride, all.dilation,
           all.pad, all.pad)
        != dnnl_success)
    return false;
  dnnl_primitive_desc_t description = dnn_describe(made->context, &operation, NULL);
  if (!description) return false;
  bool fits = make_reordered(&made->forward_weights, made->context, &all,
                dnn_wanted(description, dnnl_query_weights_md), false)
    && (!geometry->wants_source_gradient || make_source_gradient(made, &all, description, accepts_reference))
    && (!geometry->wants_weight_gradient || make_weight_gradient(made, &all, description, accepts_reference));
  if (!fits) {
    dnnl_primitive_desc_destroy(description);
    return false;
  }
  made->forward = checked(made->context, description, accepts_reference, made->has_bias ? 4 : 3,
    (int[]){DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS});
  return made->forward != NULL;
}

dnn_convolution *dnn_convolution_make(
  dnn_context *context, const dnn_convolution_geometry *geometry, bool accepts_reference) {
  dnn_convolution *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->context = context;
  made->has_bias = geometry->has_bias;
  made->filters = geometry->destination.extents[1];
  if (make_primitives(made, geometry, accepts_reference)) return made;
  dnn_convolution_free(made);
  return NULL;
}

static void free_reordered(reordered array) {
  free(array.data);
  dnn_operation_free(array.reorder);
}

void dnn_convolution_free(dnn_convolution *convolution) {
  if (!convolution) return;
  dnn_operation_free(convolution->forward);
  dnn_operation_free(convolution->source_gradient);
  dnn_operation_free(convolution->weight_gradient);
  free_reordered(convolution->forward_weights);
  free_reordered(convolution->backward_weights);
  free_reordered(convolution->gradient);
  free(convolution->bias_gradient);
  free(convolution);
}

void dnn_convolution_forward(
  dnn_convolution *convolution, float *source, float *weights, float *bias, float *destination) {
  float *ordered = in_order(&convolution->forward_weights, weights);
  dnn_operation_run(convolution->forward, (float *[]){source, ordered, destination, bias});
}

void dnn_convolution_source_gradient(
  dnn_convolution *convolution, float *destination_gradient, float *weights, float *source_gradient) {
  float *ordered = in_order(&convolution->backward_weights, weights);
  dnn_operation_run(convolution->source_gradient, (float *[]){destination_gradient, ordered, source_gradient});
}

void dnn_convolution_weight_gradient(dnn_convolution *convolution, float *source, float *destination_gradient,
  float *weight_gradient, float *bias_gradient) {
  dnn_operation_run(convolution->weight_gradient,
    (float *[]){source, destination_gradient, convolution->gradient.data, convolution->bias_gradient});
  dnn_operation_run(convolution->gradient.reorder, (float *[]){convolution->gradient.data, weight_gradient});
  if (!convolution->has_bias) return;
  for (int64_t i = 0; i < convolution->filters; i++) bias_gradient[i] += convolution->bias_gradient[i];
}
