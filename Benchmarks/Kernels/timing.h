/* timing.h: how long a call takes, in this thread's CPU time, and what the CPU could do at best.
 *
 * CPU time is wall time on an idle machine and bears a busy one better. */
#ifndef SPARSEC_TIMING_H
#define SPARSEC_TIMING_H

#include <stdlib.h>
#include <time.h>

#include "vector.h"

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

#endif
