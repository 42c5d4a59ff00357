/* Loads a compiled network and runs it once, on an input of zeros.
 *
 *     sparsec compile deploy.prototxt weights.caffemodel -o net.so --header sparsec.h
 *     cc -I. Examples/embed.c -o embed && ./embed ./net.so
 */
#include "sparsec.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* Looks a function up and gives it its type. */
#define LOOK_UP(name) __typeof__(sparsec_##name) *name = (void *)dlsym(library, "sparsec_" #name)

int main(int argc, char **argv) {
  void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!library) return fprintf(stderr, "usage: embed ./net.so\n"), 1;
  LOOK_UP(abi_version);
  LOOK_UP(input);
  LOOK_UP(output);
  LOOK_UP(create);
  LOOK_UP(run);
  LOOK_UP(last_error);
  LOOK_UP(destroy);
  if (!abi_version || abi_version() != SPARSEC_ABI_VERSION) return fprintf(stderr, "wrong ABI\n"), 1;

  int threads = 1, batch = 1;
  sparsec_context *context;
  if (create(threads, batch, &context)) return fprintf(stderr, "%s\n", last_error()), 1;

  float *in = calloc((size_t)input(0)->count, sizeof(float));
  float *out = calloc((size_t)output(0)->count, sizeof(float));
  if (!in || !out || run(context, 1, (const float *const[]){in}, (float *const[]){out}))
    return fprintf(stderr, "%s\n", last_error()), 1;

  int64_t best = 0;
  for (int64_t i = 0; i < output(0)->count; i++)
    if (out[i] > out[best]) best = i;
  printf("%s: element %lld is the largest, %g\n", output(0)->name, (long long)best, out[best]);

  destroy(context);
  free(in);
  free(out);
  return 0;
}
