/* benchmark.c: the kernels beside oneDNN and OpenBLAS, one thread, one JSON object a line.
 *
 * Convolutions of CaffeNet and ResNet-50 and CaffeNet's inner products, dense and sparse. Every
 * time is the median of many runs of one layer (hot caches). With an argument only the layers
 * whose names contain it.
 */
#define _GNU_SOURCE
#include "convolutions.h"
#include "inner_products.h"
#include "onednn.h"
#include "timing.h"
#include "winograd_work.h"

static void cpu_name(char *name, size_t size) {
  snprintf(name, size, "unknown");
  FILE *f = fopen("/proc/cpuinfo", "r");
  char line[256];
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "model name : %63[^\n]", name) == 1) break;
  if (f) fclose(f);
}

/* `peak` in operations per nanosecond. */
static void time_convolutions(struct primitive *p, double peak, const char *only) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    struct shape s = shapes[i];
    if (!strstr(s.name, only)) continue;
    struct layer l;
    make_layer(&l, s);
    double area = (double)(l.extent * l.extent);
    double flops = 2 * area * (double)(s.outputs * l.columns),
           taps = 2 * area * (double)l.taps_count;
    int64_t window = 0;
    double ours = s.groups == s.channels ? 0 : seconds(dense_work, &l);
    double winograd = winograd_seconds(&l, &window);
    double sparse = seconds(sparse_work, &l), dnnl = onednn_convolution(p, s, l.extent);
    printf(
      "{\"layer\": \"%s\", \"dense_us\": %.1f, \"dense_gflops\": %.1f, \"dense_of_peak\": %.3f, "
      "\"onednn_us\": %.1f, \"onednn_of_peak\": %.3f, \"dense_over_onednn\": %.2f, "
      "\"winograd_us\": %.1f, \"winograd_window\": %d, \"density\": %.3f, \"sparse_us\": %.1f, \"sparse_of_peak\": %.3f, \"speedup\": %.2f}\n",
      s.name, ours * 1e6, ours > 0 ? flops / ours * 1e-9 : 0,
      ours > 0 ? flops / ours * 1e-9 / peak : 0, dnnl * 1e6, flops / dnnl * 1e-9 / peak,
      ours > 0 ? dnnl / ours : 0, winograd * 1e6, (int)window, s.density, sparse * 1e6, taps / sparse * 1e-9 / peak,
      dnnl / sparse
    );
    fflush(stdout);
    free_layer(&l);
  }
}

static void time_inner_products(struct primitive *p, const char *only) {
  static const int64_t inner[][2] = {{9216, 4096}, {4096, 4096}, {4096, 1000}, {2048, 1000}};
  for (size_t i = 0; i < 4; i++) {
    int64_t inputs = inner[i][0], outputs = inner[i][1];
    char name[64];
    snprintf(name, sizeof name, "inner product %dx%d", (int)inputs, (int)outputs);
    if (!strstr(name, only)) continue;
    struct inner n = make_inner(inputs, outputs, 0.1, 0.3);
    double gemv = seconds(gemv_work, &n), ours = seconds(inner_dense_work, &n);
    double sparse = seconds(inner_sparse_work, &n),
           dnnl = onednn_inner_product(p, inputs, outputs);
    double bytes = 4.0 * (double)(inputs * outputs);
    printf(
      "{\"layer\": \"%s\", \"dense_us\": %.1f, \"dense_gb_s\": %.1f, \"openblas_us\": %.1f, "
      "\"onednn_us\": %.1f, \"density\": 0.1, \"live_inputs\": 0.3, \"sparse_us\": %.1f}\n",
      name, ours * 1e6, bytes / ours * 1e-9, gemv * 1e6, dnnl * 1e6, sparse * 1e6
    );
    fflush(stdout);
    free(n.x), free(n.y), free(n.weights), free(n.values), free(n.rows), free(n.ends);
  }
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
  time_convolutions(&p, peak, only);
  time_inner_products(&p, only);
  return 0;
}
