/* onednn.h: the time of one layer in oneDNN, which chooses its own layouts; they are packed outside
 * of the timing. */
#ifndef SPARSEC_ONEDNN_H
#define SPARSEC_ONEDNN_H

#include <dnnl.h>

#include "check.h"
#include "convolutions.h"
#include "timing.h"

#define DNNL(call)                                                      \
  do {                                                                  \
    dnnl_status_t status = call;                                        \
    if (status != dnnl_success) {                                       \
      fprintf(stderr, "oneDNN: status %d in %s\n", (int)status, #call); \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

struct primitive {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[3];
};

static void primitive_work(void *with) {
  struct primitive *p = with;
  DNNL(dnnl_primitive_execute(p->primitive, p->stream, 3, p->args));
  DNNL(dnnl_stream_wait(p->stream));
}

static dnnl_memory_t memory_for(struct primitive *p, dnnl_primitive_desc_t pd, dnnl_query_t what) {
  const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, what, 0);
  dnnl_memory_t memory;
  DNNL(dnnl_memory_create(&memory, md, p->engine, DNNL_MEMORY_ALLOCATE));
  float *data;
  DNNL(dnnl_memory_get_data_handle(memory, (void **)&data));
  for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / 4; i++) data[i] = random_float();
  return memory;
}

static double primitive_seconds(struct primitive *p, dnnl_primitive_desc_t pd) {
  DNNL(dnnl_primitive_create(&p->primitive, pd));
  p->args[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, memory_for(p, pd, dnnl_query_src_md)};
  p->args[1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, memory_for(p, pd, dnnl_query_weights_md)};
  p->args[2] = (dnnl_exec_arg_t){DNNL_ARG_DST, memory_for(p, pd, dnnl_query_dst_md)};
  double time = seconds(primitive_work, p);
  for (int i = 0; i < 3; i++) DNNL(dnnl_memory_destroy(p->args[i].memory));
  DNNL(dnnl_primitive_destroy(p->primitive));
  DNNL(dnnl_primitive_desc_destroy(pd));
  return time;
}

static double onednn_convolution(struct primitive *p, struct shape s, int64_t extent) {
  int64_t g = s.groups, grouped = g > 1;
  dnnl_dims_t x = {1, s.channels, s.height, s.height}, y = {1, s.outputs, extent, extent};
  dnnl_dims_t w5 = {g, s.outputs / g, s.channels / g, s.kernel, s.kernel};
  dnnl_dims_t strides = {s.stride, s.stride}, pad = {s.pad, s.pad};
  dnnl_memory_desc_t xd, wd, yd;
  DNNL(dnnl_memory_desc_init_by_tag(&xd, 4, x, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&yd, 4, y, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(
    &wd, grouped ? 5 : 4, grouped ? w5 : w5 + 1, dnnl_f32, dnnl_format_tag_any
  ));
  dnnl_convolution_desc_t d;
  DNNL(dnnl_convolution_forward_desc_init(
    &d, dnnl_forward_inference, dnnl_convolution_auto, &xd, &wd, NULL, &yd, strides, pad, pad
  ));
  dnnl_primitive_desc_t pd;
  DNNL(dnnl_primitive_desc_create(&pd, &d, NULL, p->engine, NULL));
  return primitive_seconds(p, pd);
}

static double onednn_inner_product(struct primitive *p, int64_t inputs, int64_t outputs) {
  dnnl_dims_t x = {1, inputs}, w = {outputs, inputs}, y = {1, outputs};
  dnnl_memory_desc_t xd, wd, yd;
  DNNL(dnnl_memory_desc_init_by_tag(&xd, 2, x, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&wd, 2, w, dnnl_f32, dnnl_format_tag_any));
  DNNL(dnnl_memory_desc_init_by_tag(&yd, 2, y, dnnl_f32, dnnl_format_tag_any));
  dnnl_inner_product_desc_t d;
  DNNL(dnnl_inner_product_forward_desc_init(&d, dnnl_forward_inference, &xd, &wd, NULL, &yd));
  dnnl_primitive_desc_t pd;
  DNNL(dnnl_primitive_desc_create(&pd, &d, NULL, p->engine, NULL));
  return primitive_seconds(p, pd);
}

#endif
