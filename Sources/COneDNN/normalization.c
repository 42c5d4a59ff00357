/* Pooling, LRN and batch normalisation: pairs of a forward and a backward primitive. */
#include <stdlib.h>

#include "internal.h"

static const dnn_pair none = {NULL, NULL};

static void free_pair(dnn_pair pair) {
  dnn_operation_free(pair.forward);
  dnn_operation_free(pair.backward);
}

/* Gives both of a pair the memory in which forward leaves notes for backward, if the primitive makes any. */
static bool bind_workspace(dnn_pair pair, const dnnl_memory_desc_t *layout) {
  size_t size = layout ? dnnl_memory_desc_get_size(layout) : 0;
  if (size == 0) return true;
  void *workspace = dnn_allocate(size);
  if (!workspace) return false;
  pair.forward->owned = workspace;
  return dnn_operation_bind(pair.forward, DNNL_ARG_WORKSPACE, layout, workspace)
    && (!pair.backward || dnn_operation_bind(pair.backward, DNNL_ARG_WORKSPACE, layout, workspace));
}

/* The pair of two descriptions; `backward` is NULL where only the forward one is wanted. Frees both. */
static dnn_pair make_pair(dnn_context *context, dnnl_primitive_desc_t forward, int forward_count,
  const int *forward_arguments, bool trains, dnnl_primitive_desc_t backward, int backward_count,
  const int *backward_arguments) {
  dnnl_memory_desc_t workspace;
  const dnnl_memory_desc_t *wanted = forward ? dnn_wanted(forward, dnnl_query_workspace_md) : NULL;
  if (wanted) workspace = *wanted;
  dnn_pair pair = {dnn_operation_make(context, forward, forward_count, forward_arguments), NULL};
  pair.backward = dnn_operation_make(context, backward, backward_count, backward_arguments);
  bool fits = pair.forward && (!trains || pair.backward) && bind_workspace(pair, wanted ? &workspace : NULL);
  if (fits) return pair;
  free_pair(pair);
  return none;
}

dnn_pair dnn_pooling_make(dnn_context *context, const dnn_pooling *pooling, bool trains) {
  dnnl_memory_desc_t source, destination;
  dnnl_pooling_desc_t forward, backward;
  dnnl_alg_kind_t kind = pooling->is_maximum ? dnnl_pooling_max
    : pooling->counts_padding                ? dnnl_pooling_avg_include_padding
                                             : dnnl_pooling_avg_exclude_padding;
  if (!dnn_layout(&source, pooling->source, pooling->format)
      || !dnn_layout(&destination, pooling->destination, pooling->format)
      || dnnl_pooling_forward_desc_init(&forward, trains ? dnnl_forward_training : dnnl_forward_inference, kind,
           &source, &destination, pooling->stride, pooling->kernel, pooling->before, pooling->after)
        != dnnl_success
      || dnnl_pooling_backward_desc_init(&backward, kind, &source, &destination, pooling->stride, pooling->kernel,
           pooling->before, pooling->after)
        != dnnl_success)
    return none;
  dnnl_primitive_desc_t hint = dnn_describe(context, &forward, NULL);
  dnnl_primitive_desc_t back = trains && hint ? dnn_describe(context, &backward, hint) : NULL;
  return make_pair(context, hint, 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST}, trains, back, 2,
    (int[]){DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC});
}

dnn_pair dnn_lrn_make(dnn_context *context, const dnn_lrn *lrn, bool trains) {
  dnnl_memory_desc_t layout;
  dnnl_lrn_desc_t forward, backward;
  dnnl_alg_kind_t kind = lrn->across_channels ? dnnl_lrn_across_channels : dnnl_lrn_within_channel;
  if (!dnn_layout(&layout, lrn->shape, lrn->format)
      || dnnl_lrn_forward_desc_init(&forward, trains ? dnnl_forward_training : dnnl_forward_inference, kind,
           &layout, lrn->size, lrn->alpha, lrn->beta, lrn->k)
        != dnnl_success
      || dnnl_lrn_backward_desc_init(
           &backward, kind, &layout, &layout, lrn->size, lrn->alpha, lrn->beta, lrn->k)
        != dnnl_success)
    return none;
  dnnl_primitive_desc_t hint = dnn_describe(context, &forward, NULL);
  dnnl_primitive_desc_t back = trains && hint ? dnn_describe(context, &backward, hint) : NULL;
  return make_pair(context, hint, 2, (int[]){DNNL_ARG_SRC, DNNL_ARG_DST}, trains, back, 3,
    (int[]){DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC});
}

dnn_pair dnn_batch_norm_make(dnn_context *context, const dnn_batch_norm *norm, bool trains) {
  dnnl_memory_desc_t layout;
  dnnl_batch_normalization_desc_t forward, backward;
  unsigned flags = (norm->uses_given ? (unsigned)dnnl_use_global_stats : 0)
    | (norm->scales ? (unsigned)dnnl_use_scale | (unsigned)dnnl_use_shift : 0)
    | (norm->rectifies ? (unsigned)dnnl_fuse_norm_relu : 0);
  if (!dnn_layout(&layout, norm->shape, norm->format)
      || dnnl_batch_normalization_forward_desc_init(
           &forward, dnnl_forward_training, &layout, norm->epsilon, flags)
        != dnnl_success
      || dnnl_batch_normalization_backward_desc_init(&backward,
           norm->scales ? dnnl_backward : dnnl_backward_data, &layout, &layout, norm->epsilon, flags)
        != dnnl_success)
    return none;
  dnnl_primitive_desc_t hint = dnn_describe(context, &forward, NULL);
  dnnl_primitive_desc_t back = trains && hint ? dnn_describe(context, &backward, hint) : NULL;
  return make_pair(context, hint, norm->scales ? 6 : 4,
    (int[]){DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE, DNNL_ARG_SHIFT}, trains,
    back, norm->scales ? 9 : 5,
    (int[]){DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_SRC, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_SCALE,
      DNNL_ARG_SHIFT, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT});
}
