/* run_once.c: runs the network that it is linked with.
 *
 *     run_once ITEMS THREADS INPUT OUTPUT
 *
 * reads the floats of all inputs from one file and writes those of all outputs to another. Every
 * buffer is as large as the interface says and no larger, for the sanitizers to watch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sparsec.h"

static void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "%s (last error: %s)\n", what, sparsec_last_error());
  exit(1);
}

static float **buffers(int count, const sparsec_blob *(*blob)(int), int items) {
  float **all = calloc((size_t)count, sizeof *all);
  require(all != NULL, "no memory");
  for (int i = 0; i < count; i++) {
    all[i] = malloc((size_t)(items * blob(i)->count) * sizeof(float));
    require(all[i] != NULL, "no memory");
  }
  return all;
}

static void release(float **all, int count) {
  for (int i = 0; i < count; i++) free(all[i]);
  free(all);
}

int main(int count, char **arguments) {
  require(count == 5, "four arguments");
  int items = atoi(arguments[1]), threads = atoi(arguments[2]);
  int inputs = sparsec_input_count(), outputs = sparsec_output_count();
  float **x = buffers(inputs, sparsec_input, items), **y = buffers(outputs, sparsec_output, items);
  FILE *in = fopen(arguments[3], "rb"), *out = fopen(arguments[4], "wb");
  require(in && out, "no files");
  for (int i = 0; i < inputs; i++) {
    size_t floats = (size_t)(items * sparsec_input(i)->count);
    require(fread(x[i], sizeof(float), floats, in) == floats, "too few floats");
  }
  sparsec_context *context;
  require(sparsec_create(threads, items, &context) == SPARSEC_OK, "no context");
  /* Twice: the second run finds the arena as the first one left it. */
  for (int run = 0; run < 2; run++)
    require(sparsec_run(context, items, (const float *const *)x, y) == SPARSEC_OK, "no run");
  sparsec_destroy(context);
  for (int i = 0; i < outputs; i++) {
    size_t floats = (size_t)(items * sparsec_output(i)->count);
    require(fwrite(y[i], sizeof(float), floats, out) == floats, "cannot write");
  }
  fclose(in);
  require(fclose(out) == 0, "cannot write");
  release(x, inputs);
  release(y, outputs);
  return 0;
}
