/* onednn_layers.c: how long oneDNN takes for convolutions, each by itself.
 *
 *   onednn_layers SECONDS < layers
 *
 * A layer is a line of numbers and its name:
 *   channels height width outputs groups kernel_h kernel_w stride_h stride_w pad_h pad_w dilation_h
 *   dilation_w name
 * For each an object per line: the medians of the direct algorithm and of Winograd (null where
 * oneDNN has none), in ms. One item, FP32, bias, layouts of oneDNN's own choice that are packed
 * outside of the timing, hot caches.
 */
#define _POSIX_C_SOURCE 200809L
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if DNNL_VERSION_MAJOR != 2
#error "written for the C interface of oneDNN 2, as Debian 12 has it"
#endif

enum { NUMBERS = 13, MOST_RUNS = 100000 };
enum {
  CHANNELS, HEIGHT, WIDTH, OUTPUTS, GROUPS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W, PAD_H, PAD_W,
  DILATION_H, DILATION_W
};

static void check(dnnl_status_t status, const char *what) {
  if (status == dnnl_success) return;
  fprintf(stderr, "onednn_layers: %s: status %d\n", what, (int)status);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static dnnl_memory_desc_t description(int axes, const dnnl_dims_t dims, dnnl_format_tag_t tag) {
  dnnl_memory_desc_t result;
  check(dnnl_memory_desc_init_by_tag(&result, axes, dims, dnnl_f32, tag), "memory description");
  return result;
}

/* Memory as the primitive wants it, with values between 0 and 1. */
static dnnl_memory_t memory_for(
  dnnl_engine_t engine, const_dnnl_primitive_desc_t primitive, dnnl_query_t what, int index
) {
  const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(primitive, what, index);
  dnnl_memory_t memory;
  check(dnnl_memory_create(&memory, md, engine, DNNL_MEMORY_ALLOCATE), "memory");
  void *data;
  check(dnnl_memory_get_data_handle(memory, &data), "memory handle");
  float *values = data;
  for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / sizeof *values; i++)
    values[i] = (float)rand() / (float)RAND_MAX;
  return memory;
}

/* Median seconds of one run, or a negative number if oneDNN does not offer the algorithm. */
static double seconds(
  dnnl_engine_t engine, dnnl_alg_kind_t algorithm, const long *n, double time_limit
) {
  long g = n[GROUPS];
  long extent_h =
    (n[HEIGHT] + 2 * n[PAD_H] - n[DILATION_H] * (n[KERNEL_H] - 1) - 1) / n[STRIDE_H] + 1;
  long extent_w =
    (n[WIDTH] + 2 * n[PAD_W] - n[DILATION_W] * (n[KERNEL_W] - 1) - 1) / n[STRIDE_W] + 1;
  dnnl_dims_t x = {1, n[CHANNELS], n[HEIGHT], n[WIDTH]};
  dnnl_dims_t w = {g, n[OUTPUTS] / g, n[CHANNELS] / g, n[KERNEL_H], n[KERNEL_W]};
  dnnl_dims_t ungrouped = {n[OUTPUTS], n[CHANNELS], n[KERNEL_H], n[KERNEL_W]};
  dnnl_dims_t b = {n[OUTPUTS]}, y = {1, n[OUTPUTS], extent_h, extent_w};
  dnnl_dims_t stride = {n[STRIDE_H], n[STRIDE_W]}, pad = {n[PAD_H], n[PAD_W]};
  dnnl_dims_t dilation = {n[DILATION_H] - 1, n[DILATION_W] - 1};
  dnnl_memory_desc_t xd = description(4, x, dnnl_format_tag_any);
  dnnl_memory_desc_t wd =
    g > 1 ? description(5, w, dnnl_format_tag_any) : description(4, ungrouped, dnnl_format_tag_any);
  dnnl_memory_desc_t bd = description(1, b, dnnl_x);
  dnnl_memory_desc_t yd = description(4, y, dnnl_format_tag_any);
  dnnl_convolution_desc_t convolution;
  if (dnnl_dilated_convolution_forward_desc_init(
        &convolution, dnnl_forward_inference, algorithm, &xd, &wd, &bd, &yd, stride, dilation, pad,
        pad
      ) != dnnl_success)
    return -1;
  dnnl_primitive_desc_t pd;
  if (dnnl_primitive_desc_create(&pd, &convolution, NULL, engine, NULL) != dnnl_success) return -1;
  dnnl_primitive_t primitive;
  check(dnnl_primitive_create(&primitive, pd), "primitive");
  dnnl_stream_t stream;
  check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
  dnnl_exec_arg_t arguments[] = {
    {DNNL_ARG_SRC, memory_for(engine, pd, dnnl_query_src_md, 0)},
    {DNNL_ARG_WEIGHTS, memory_for(engine, pd, dnnl_query_weights_md, 0)},
    {DNNL_ARG_BIAS, memory_for(engine, pd, dnnl_query_weights_md, 1)},
    {DNNL_ARG_DST, memory_for(engine, pd, dnnl_query_dst_md, 0)},
  };
  static double times[MOST_RUNS];
  int runs = 0;
  double start = now();
  for (int i = -2; runs < MOST_RUNS && (runs < 9 || now() - start < time_limit); i++) {
    double before = now();
    check(dnnl_primitive_execute(primitive, stream, 4, arguments), "execution");
    check(dnnl_stream_wait(stream), "waiting");
    if (i >= 0) times[runs++] = now() - before;
  }
  for (int i = 0; i < 4; i++) dnnl_memory_destroy(arguments[i].memory);
  dnnl_stream_destroy(stream);
  dnnl_primitive_destroy(primitive);
  dnnl_primitive_desc_destroy(pd);
  qsort(times, (size_t)runs, sizeof *times, by_value);
  return times[runs / 2];
}

static void print_time(const char *name, double time) {
  if (time < 0) printf(", \"%s\": null", name);
  else printf(", \"%s\": %.6g", name, 1e3 * time);
}

int main(int count, char **words) {
  double limit = count > 1 ? atof(words[1]) : 0.2;
  dnnl_engine_t engine;
  check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
  const dnnl_version_t *v = dnnl_version();
  printf("{\"version\": \"%d.%d.%d\"}\n", v->major, v->minor, v->patch);
  for (;;) {
    long n[NUMBERS];
    char name[128];
    for (int i = 0; i < NUMBERS; i++)
      if (scanf("%ld", &n[i]) != 1) return 0;
    if (scanf(" %127[^\n]", name) != 1) return 1;
    printf("{\"name\": \"%s\"", name);
    print_time("direct_ms", seconds(engine, dnnl_convolution_direct, n, limit));
    print_time("winograd_ms", seconds(engine, dnnl_convolution_winograd, n, limit));
    printf("}\n");
    fflush(stdout);
  }
}
