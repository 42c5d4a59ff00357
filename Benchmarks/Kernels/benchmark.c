/* benchmark.c: the kernels beside oneDNN and OpenBLAS, one thread, one JSON object a line.
 *
 * Convolutions of CaffeNet and ResNet-50 and CaffeNet's inner products, dense and sparse. Every
 * time is the median of many runs of one layer (hot caches) in this thread's CPU time, which is
 * wall time on an idle machine and bears a busy one better; ours includes phase splits and writes
 * planes with the next layer's halo. oneDNN chooses its own layouts, which are packed outside of
 * the timing.
 */
#define _GNU_SOURCE
#include <cblas.h>
#include <dnnl.h>
#include <time.h>

#include "convolution_columns.h"
#include "convolution_sparse.h"
#include "inner_product_dense.h"
#include "inner_product_sparse.h"
#include "planes_check.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef void work(void *);

/* Median seconds of one call, over about 0.3 s and at least 9 calls. */
static double seconds(work *f, void *with) {
  enum { MOST = 4000 };
  static double times[MOST];
  f(with);
  double start = now();
  int n = 0;
  while (n < MOST && (n < 9 || now() - start < 0.3)) {
    double t = now();
    f(with);
    times[n++] = now() - t;
  }
  qsort(times, (size_t)n, sizeof *times, by_value);
  return times[n / 2];
}

/* Floating-point peak: independent multiply-adds in registers. */
static void peak_work(void *result) {
  vector sum[12], a = broadcast(0.999f), b = broadcast(1e-6f);
  for (int i = 0; i < 12; i++) sum[i] = broadcast((float)i);
  for (int64_t i = 0; i < 1000000; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < 12; j++) {
      sum[j] = sum[j] * a + b;
      __asm__ volatile("" : "+x"(sum[j]));
    }
  vector total = {0};
  for (int i = 0; i < 12; i++) total += sum[i];
  *(float *)result = sum_of_lanes(total);
}

/* -- convolutions -- */

struct shape {
  const char *name;
  int64_t channels, groups, height, outputs, kernel, pad, stride;
  double density;
};

static const struct shape shapes[] = {
  {"caffenet conv1", 3, 1, 227, 96, 11, 0, 4, 0.8},
  {"caffenet conv2", 96, 2, 27, 256, 5, 2, 1, 0.16},
  {"caffenet conv3", 256, 1, 13, 384, 3, 1, 1, 0.058},
  {"caffenet conv4", 384, 2, 13, 384, 3, 1, 1, 0.041},
  {"caffenet conv5", 384, 2, 13, 256, 3, 1, 1, 0.119},
  {"resnet 3x3 64@56", 64, 1, 56, 64, 3, 1, 1, 0.15},
  {"resnet 3x3 128@28", 128, 1, 28, 128, 3, 1, 1, 0.08},
  {"resnet 3x3 256@14", 256, 1, 14, 256, 3, 1, 1, 0.03},
  {"resnet 3x3 512@7", 512, 1, 7, 512, 3, 1, 1, 0.02},
  {"resnet 1x1 256>64@56", 256, 1, 56, 64, 1, 0, 1, 0.1},
  {"resnet 1x1 64>256@56", 64, 1, 56, 256, 1, 0, 1, 0.1},
  {"resnet 1x1 512>128@28", 512, 1, 28, 128, 1, 0, 1, 0.1},
  {"resnet 1x1 1024>256@14", 1024, 1, 14, 256, 1, 0, 1, 0.1},
  {"resnet 1x1 2048>512@7", 2048, 1, 7, 512, 1, 0, 1, 0.1},
  {"depthwise 3x3 128@28", 128, 128, 28, 128, 3, 1, 1, 1},
};

struct layer {
  struct shape shape;
  int64_t extent, columns, taps_count;
  struct planes input, output;
  struct phases phases;
  float *x, *flat, *weights, *packed, *y;
  int32_t *offsets;
  uint32_t *planes;
  struct columns_block *blocks;
  struct tap *taps;
  uint32_t *row_ends;
  struct convolution_columns dense;
  struct convolution_sparse sparse;
};

static void *room(int64_t bytes) {
  void *p = aligned_alloc(64, (size_t)(bytes / 64 + 64) * 64);
  if (!p) abort();
  memset(p, 0, (size_t)(bytes / 64 + 64) * 64);
  return p;
}

static struct planes with_halo(int64_t c, int64_t n, int64_t halo) {
  struct planes v = {c, n, n, n + halo, 0, halo, halo, halo, halo};
  v.plane_pitch = ((plane_length(v) + 15) / 16 | 1) * 16; /* an odd number of cache lines */
  return v;
}

/* Floats in front of element (0, 0, 0), which is aligned to a cache line. */
static int64_t lead_in(struct planes v) { return (plane_origin(v) + 15) / 16 * 16; }

static int64_t setting(const char *name, int64_t otherwise) {
  const char *text = getenv(name);
  return text ? atoll(text) : otherwise;
}

static void make_layer(struct layer *l, struct shape s) {
  *l = (struct layer){.shape = s};
  l->extent = (s.height + 2 * s.pad - s.kernel) / s.stride + 1;
  int64_t per_group = s.channels / s.groups, area = s.kernel * s.kernel;
  l->columns = per_group * area;
  l->input = with_halo(s.channels, s.height, s.stride > 1 ? 0 : s.pad);
  l->output = with_halo(s.outputs, l->extent, s.stride > 1 ? 1 : s.pad);
  l->x = (float *)room(4 * (planes_length(l->input) + 1024)) + lead_in(l->input);
  for (int64_t c = 0; c < s.channels; c++)
    for (int64_t i = 0; i < s.height * s.height; i++)
      l->x[c * l->input.plane_pitch + i / s.height * l->input.row_pitch + i % s.height] =
        random_float();
  l->y = (float *)room(4 * (planes_length(l->output) + 1024)) + lead_in(l->output);
  int64_t pitch = l->input.row_pitch, plane = l->input.plane_pitch;
  l->flat = l->x;
  if (s.stride > 1) {
    int64_t n = l->extent + (s.kernel - 1) / s.stride;
    l->phases = (struct phases){l->input, s.stride, s.stride, s.pad, s.pad, s.stride,
                                s.stride, n,        n,        n,     n * n};
    pitch = n;
    plane = s.stride * s.stride * n * n;
    l->flat = room(4 * plane * s.channels + 4096);
  }
  l->offsets = room(4 * l->columns);
  for (int64_t k = 0; k < l->columns; k++) {
    int64_t c = k / area, r = k % area / s.kernel, t = k % s.kernel;
    int64_t phase = r % s.stride * s.stride + t % s.stride;
    l->offsets[k] = (int32_t
    )(s.stride == 1 ? c * plane + (r - s.pad) * pitch + t - s.pad
                    : c * plane + phase * pitch * pitch + r / s.stride * pitch + t / s.stride);
  }
  l->weights = room(4 * s.outputs * l->columns);
  l->packed = room(4 * s.outputs * l->columns);
  for (int64_t i = 0; i < s.outputs * l->columns; i++) l->weights[i] = random_float();
  int64_t M = setting("TILE_OUTPUTS", ACCUMULATORS == 28 ? 14 : 6), outputs = s.outputs / s.groups;
  l->planes = room(4 * s.outputs);
  l->blocks = room((int64_t)sizeof *l->blocks * (s.outputs + 1));
  float *to = l->packed;
  int64_t blocks = 0, sizes = 0;
  for (int64_t g = 0; g < s.groups; g++)
    for (int64_t m = 0; m < outputs; m += M) {
      int64_t end = m + M < outputs ? m + M : outputs;
      l->blocks[blocks++] = (struct columns_block){
        .group = (uint32_t)g,
        .first_output = (uint32_t)(g * outputs + m),
        .columns = (uint32_t)l->columns,
        .first_weight = (uint32_t)(to - l->packed),
      };
      sizes |= 1 << (end - m);
      for (int64_t k = 0; k < l->columns; k++)
        for (int64_t o = m; o < end; o++) *to++ = l->weights[(g * outputs + o) * l->columns + k];
    }
  l->blocks[blocks] = (struct columns_block){
    .first_output = (uint32_t)s.outputs, .first_weight = (uint32_t)(to - l->packed)
  };
  for (int64_t o = 0; o < s.outputs; o++) l->planes[o] = (uint32_t)o;
  int64_t half_l2 = setting("HALF_L2", 65536);
  int64_t band = half_l2 / per_group;
  l->dense = (struct convolution_columns){
    .output = l->output,
    .row_pitch = pitch,
    .group_pitch = per_group * plane,
    .blocks = blocks,
    .block_sizes = sizes,
    .columns_block = setting("COLUMNS", 256),
    .tile_outputs = M,
    .tile_vectors = setting("TILE_VECTORS", 2),
    .band = setting(
      "BAND", band < 128   ? 128
              : band > 512 ? 512
                           : band
    ),
    .rectifier = RECTIFIER_RELU,
  };

  double taps_of_row = s.density * (double)l->columns;
  int64_t footprint =
    4 * per_group * (MAX_SPARSE_VECTORS * LANES + (s.kernel - 1) / s.stride * pitch);
  int64_t slabs =
    footprint / 16384 < taps_of_row / 12 ? footprint / 16384 : (int64_t)taps_of_row / 12;
  slabs = setting("SLABS", slabs < 1 ? 1 : slabs);
  if (l->output.row_pitch < pitch) slabs = 1;
  l->taps = room((int64_t)sizeof(struct tap) * s.outputs * l->columns);
  l->row_ends = room(4 * slabs * s.outputs);
  bool *kept = room(s.outputs * l->columns);
  for (int64_t i = 0; i < s.outputs * l->columns; i++)
    kept[i] = (random_float() + 1) / 2 < s.density;
  uint32_t count = 0;
  for (int64_t b = 0; b < slabs; b++)
    for (int64_t o = 0; o < s.outputs; o++) {
      for (int64_t k = l->columns * b / slabs; k < l->columns * (b + 1) / slabs; k++) {
        if (!kept[o * l->columns + k]) continue;
        int64_t base = o / outputs * per_group * plane;
        l->taps[count++] =
          (struct tap){(int32_t)base + l->offsets[k], l->weights[o * l->columns + k]};
      }
      l->row_ends[b * s.outputs + o] = count;
    }
  free(kept);
  l->taps_count = count;
  l->sparse = (struct convolution_sparse){
    .output = l->output,
    .row_pitch = pitch,
    .slabs = slabs,
    .vectors = setting("VECTORS", MAX_SPARSE_VECTORS),
    .rows_block = setting("ROWS", s.groups == s.channels ? 4 : 0),
    .rectifier = RECTIFIER_RELU,
  };
}

static void free_layer(struct layer *l) {
  if (l->flat != l->x) free(l->flat);
  free(l->x - lead_in(l->input));
  free(l->y - lead_in(l->output));
  free(l->offsets);
  free(l->planes);
  free(l->blocks);
  free(l->weights);
  free(l->packed);
  free(l->taps);
  free(l->row_ends);
}

static void split_work(struct layer *l) {
  if (l->shape.stride > 1) phase_split(l->phases, l->x, l->flat, 0, 1);
}

static void dense_work(void *with) {
  struct layer *l = with;
  split_work(l);
  struct convolution_columns c = l->dense;
#define TILE(M, P)                                                                        \
  if (c.tile_outputs == M && c.tile_vectors == P) {                                       \
    c.tile_outputs = M;                                                                   \
    c.tile_vectors = P;                                                                   \
    convolution_columns(                                                                  \
      c, l->flat, l->blocks, l->planes, l->offsets, l->packed, NULL, l->y, 0, 1           \
    );                                                                                    \
  }
  TILE(6, 2)
  TILE(4, 3)
#if ACCUMULATORS == 28
  TILE(14, 2)
  TILE(9, 3)
#endif
}

static void sparse_work(void *with) {
  struct layer *l = with;
  split_work(l);
  convolution_sparse(l->sparse, l->flat, l->taps, l->row_ends, NULL, l->y, 0, 1);
}

/* -- oneDNN -- */

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

/* -- inner products -- */

struct inner {
  int64_t inputs, outputs;
  float *x, *y, *weights, *values;
  uint32_t *ends;
  uint16_t *rows;
  struct inner_product_sparse sparse;
};

static void gemv_work(void *with) {
  struct inner *i = with;
  cblas_sgemv(
    CblasRowMajor, CblasNoTrans, (int)i->outputs, (int)i->inputs, 1, i->weights, (int)i->inputs,
    i->x, 1, 0, i->y, 1
  );
}

static void inner_dense_work(void *with) {
  struct inner *i = with;
  struct inner_product_dense p = {i->outputs, i->inputs, RECTIFIER_RELU, 0};
  inner_product_dense(p, i->x, i->weights, NULL, i->y, 0, 1);
}

static void inner_sparse_work(void *with) {
  struct inner *i = with;
  inner_product_sparse(i->sparse, i->x, i->ends, i->rows, i->values, NULL, i->y, 0, 1);
}

static struct inner make_inner(int64_t inputs, int64_t outputs, double density, double live) {
  struct inner i = {inputs, outputs, .x = room(4 * inputs), .y = room(4 * outputs)};
  i.weights = room(4 * inputs * outputs);
  i.values = room(4 * inputs * outputs);
  i.rows = room(2 * inputs * outputs);
  int64_t segments = setting("SEGMENTS", 1), segment = outputs / segments;
  i.ends = room(4 * segments * inputs);
  i.sparse = (struct inner_product_sparse){outputs, inputs, segments, segment, RECTIFIER_RELU, 0};
  for (int64_t k = 0; k < inputs * outputs; k++) i.weights[k] = random_float();
  for (int64_t k = 0; k < inputs; k++)
    i.x[k] = (random_float() + 1) / 2 < live ? random_float() : 0;
  uint32_t count = 0;
  for (int64_t s = 0; s < segments; s++)
    for (int64_t k = 0; k < inputs; k++) {
      for (int64_t o = 0; o < segment; o++) {
        if ((random_float() + 1) / 2 > density) continue;
        i.rows[count] = (uint16_t)o;
        i.values[count++] = i.weights[(s * segment + o) * inputs + k];
      }
      i.ends[s * inputs + k] = count;
    }
  return i;
}

static void cpu_name(char *name, size_t size) {
  snprintf(name, size, "unknown");
  FILE *f = fopen("/proc/cpuinfo", "r");
  char line[256];
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "model name : %63[^\n]", name) == 1) break;
  if (f) fclose(f);
}

int main(int count, char **arguments) {
  const char *only = count > 1 ? arguments[1] : "", *threads = getenv("OMP_NUM_THREADS");
  if (!threads || strcmp(threads, "1") != 0) {
    fprintf(stderr, "benchmark: set OMP_NUM_THREADS=1; oneDNN reads it before main\n");
    return 1;
  }
  struct primitive p;
  DNNL(dnnl_engine_create(&p.engine, dnnl_cpu, 0));
  DNNL(dnnl_stream_create(&p.stream, p.engine, dnnl_stream_default_flags));
  openblas_set_num_threads(1);
  char cpu[64];
  cpu_name(cpu, sizeof cpu);
  float sink;
  double peak = 2e-9 * 12 * LANES * 1e6 / seconds(peak_work, &sink);
  const dnnl_version_t *v = dnnl_version();
  printf(
    "{\"cpu\": \"%s\", \"lanes\": %d, \"peak_gflops\": %.1f, \"threads\": 1, "
    "\"onednn\": \"%d.%d.%d\", \"openblas\": \"%s\"}\n",
    cpu, LANES, peak, v->major, v->minor, v->patch, openblas_get_config()
  );
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    struct shape s = shapes[i];
    if (!strstr(s.name, only)) continue;
    struct layer l;
    make_layer(&l, s);
    double area = (double)(l.extent * l.extent);
    double flops = 2 * area * (double)(s.outputs * l.columns),
           taps = 2 * area * (double)l.taps_count;
    double ours = s.groups == s.channels ? 0 : seconds(dense_work, &l);
    double sparse = seconds(sparse_work, &l), dnnl = onednn_convolution(&p, s, l.extent);
    printf(
      "{\"layer\": \"%s\", \"dense_us\": %.1f, \"dense_gflops\": %.1f, \"dense_of_peak\": %.3f, "
      "\"onednn_us\": %.1f, \"onednn_of_peak\": %.3f, \"dense_over_onednn\": %.2f, "
      "\"density\": %.3f, \"sparse_us\": %.1f, \"sparse_of_peak\": %.3f, \"speedup\": %.2f}\n",
      s.name, ours * 1e6, ours > 0 ? flops / ours * 1e-9 : 0,
      ours > 0 ? flops / ours * 1e-9 / peak : 0, dnnl * 1e6, flops / dnnl * 1e-9 / peak,
      ours > 0 ? dnnl / ours : 0, s.density, sparse * 1e6, taps / sparse * 1e-9 / peak,
      dnnl / sparse
    );
    fflush(stdout);
    free_layer(&l);
  }
  static const int64_t inner[][2] = {{9216, 4096}, {4096, 4096}, {4096, 1000}, {2048, 1000}};
  for (size_t i = 0; i < 4; i++) {
    int64_t inputs = inner[i][0], outputs = inner[i][1];
    char name[64];
    snprintf(name, sizeof name, "inner product %dx%d", (int)inputs, (int)outputs);
    if (!strstr(name, only)) continue;
    struct inner n = make_inner(inputs, outputs, 0.1, 0.3);
    double gemv = seconds(gemv_work, &n), ours = seconds(inner_dense_work, &n);
    double sparse = seconds(inner_sparse_work, &n),
           dnnl = onednn_inner_product(&p, inputs, outputs);
    double bytes = 4.0 * (double)(inputs * outputs);
    printf(
      "{\"layer\": \"%s\", \"dense_us\": %.1f, \"dense_gb_s\": %.1f, \"openblas_us\": %.1f, "
      "\"onednn_us\": %.1f, \"density\": 0.1, \"live_inputs\": 0.3, \"sparse_us\": %.1f}\n",
      name, ours * 1e6, bytes / ours * 1e-9, gemv * 1e6, dnnl * 1e6, sparse * 1e6
    );
    fflush(stdout);
    free(n.x), free(n.y), free(n.weights), free(n.values), free(n.rows), free(n.ends);
  }
  return 0;
}
