/* stress.c: tiny.c in every mix of threads and items, alone and in several contexts at once, for the
 * sanitizers to watch. Prints what is wrong and exits 1. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sparsec.h"

enum { BATCH = 7, DATA = 30, SHIFT = 3, FEATURES = 60, SCORES = 3, CONTEXTS = 3 };

static void expect(int condition, const char *what) {
  if (condition) return;
  printf("%s (last error: %s)\n", what, sparsec_last_error());
  exit(1);
}

/* Small whole numbers: every sum is exact, so results are compared bit by bit. */
static void expected(const float *data, const float *shift, float *features, float *scores) {
  memset(features, 0, FEATURES * sizeof(float));
  float sum = 0;
  for (int i = 0; i < DATA; i++) {
    features[i] = 2 * data[i];
    sum += features[i];
    int y = i / 5 % 3, x = i % 5;
    for (int dy = -1; dy <= 1; dy++)
      for (int dx = -1; dx <= 1; dx++)
        if (y + dy >= 0 && y + dy < 3 && x + dx >= 0 && x + dx < 5) {
          features[DATA + i + dy * 5 + dx] += 2 * data[i];
          sum += 2 * data[i];
        }
  }
  for (int k = 0; k < SCORES; k++) scores[k] = shift[k] + (float)(k + 1) * sum;
}

struct buffers {
  float data[BATCH * DATA], shift[BATCH * SHIFT];
  float scores[BATCH * SCORES], features[BATCH * FEATURES];
};

static void check_run(sparsec_context *context, int items, unsigned seed) {
  struct buffers *b = calloc(1, sizeof *b);
  expect(b != NULL, "no memory");
  for (int i = 0; i < BATCH * DATA; i++) b->data[i] = (float)((seed + 7u * (unsigned)i) % 23) - 11;
  for (int i = 0; i < BATCH * SHIFT; i++) b->shift[i] = (float)((seed + (unsigned)i) % 5);
  const float *inputs[] = {b->data, b->shift};
  float *outputs[] = {b->scores, b->features};
  expect(sparsec_run(context, items, inputs, outputs) == SPARSEC_OK, "the run failed");
  for (int item = 0; item < items; item++) {
    float features[FEATURES], scores[SCORES];
    expected(b->data + item * DATA, b->shift + item * SHIFT, features, scores);
    expect(!memcmp(features, b->features + item * FEATURES, sizeof features), "wrong features");
    expect(!memcmp(scores, b->scores + item * SCORES, sizeof scores), "wrong scores");
  }
  for (int i = items * SCORES; i < BATCH * SCORES; i++)
    expect(b->scores[i] == 0, "wrote beyond the items");
  free(b);
}

static void count_observations(void *user, int item, int blob, const float *data) {
  (void)item;
  (void)blob;
  *(int *)user += data != NULL;
}

static void *use_contexts(void *user) {
  unsigned seed = *(unsigned *)user;
  for (int threads = 1; threads <= 8; threads++)
    for (int batch = 1; batch <= BATCH; batch++) {
      sparsec_context *context;
      expect(sparsec_create(threads, batch, &context) == SPARSEC_OK, "no context");
      expect(sparsec_profile(context, batch % 2) == SPARSEC_OK, "no profile");
      for (int items = 1; items <= batch; items++)
        for (int run = 0; run < 3; run++) check_run(context, items, seed++);
      int observations = 0;
      expect(sparsec_observe(context, count_observations, &observations) == SPARSEC_OK,
             "cannot observe");
      check_run(context, batch, seed++);
      expect(observations == batch * sparsec_blob_count(), "wrong number of observations");
      expect(sparsec_observe(context, NULL, NULL) == SPARSEC_OK, "cannot stop observing");
      double seconds[8];
      expect(sparsec_layer_times(context, seconds) == SPARSEC_OK, "no times");
      for (int layer = 0; layer < sparsec_layer_count(); layer++)
        expect((seconds[layer] > 0) == (batch % 2), "wrong times");
      sparsec_destroy(context);
    }
  return NULL;
}

int main(void) {
  unsigned seeds[CONTEXTS];
  pthread_t threads[CONTEXTS];
  for (unsigned i = 0; i < CONTEXTS; i++) {
    seeds[i] = 1000 * i;
    expect(!pthread_create(&threads[i], NULL, use_contexts, &seeds[i]), "no thread");
  }
  for (int i = 0; i < CONTEXTS; i++) pthread_join(threads[i], NULL);
  puts("ok");
  return 0;
}
