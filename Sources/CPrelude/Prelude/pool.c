#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pool.h"

#include <linux/futex.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sparsec.h"

/* Pauses before a waiting thread parks: tens of microseconds, what waking it would cost. */
enum { SPINS = 1000 };

struct pool {
  int threads;
  int spins;
  struct gate start, done;
  atomic_int remaining; /* threads that have not finished the current task */
  pool_task *task;      /* NULL: end */
  void *argument;
  struct worker {
    struct pool *pool;
    int index;
    pthread_t thread;
  } workers[]; /* threads - 1 of them; workers[i].index == i + 1 */
};

/* The kernel compares the phase again before it parks the thread, so an advance is never missed. */
static void gate_wait(struct gate *gate, unsigned phase, int spins) {
  for (int spin = 0; spin < spins; spin++) {
    if (atomic_load_explicit(&gate->phase, memory_order_acquire) != phase) return;
    __builtin_ia32_pause();
  }
  atomic_fetch_add(&gate->sleepers, 1);
  while (atomic_load(&gate->phase) == phase)
    syscall(SYS_futex, &gate->phase, FUTEX_WAIT_PRIVATE, phase, NULL, NULL, 0);
  atomic_fetch_sub(&gate->sleepers, 1);
}

/* Sequentially consistent on purpose: the waiter sees the new phase, or it is seen asleep. */
static void gate_advance(struct gate *gate) {
  atomic_fetch_add(&gate->phase, 1);
  if (atomic_load(&gate->sleepers))
    syscall(SYS_futex, &gate->phase, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void barrier_wait(struct pool *pool, struct barrier *barrier, int members) {
  if (members == 1) return;
  unsigned phase = atomic_load(&barrier->gate.phase);
  if (atomic_fetch_add(&barrier->arrived, 1) + 1 < members) {
    gate_wait(&barrier->gate, phase, pool->spins);
  } else {
    atomic_store(&barrier->arrived, 0);
    gate_advance(&barrier->gate);
  }
}

static void *work(void *argument) {
  struct worker *worker = argument;
  struct pool *pool = worker->pool;
  for (unsigned phase = 0;; phase++) {
    gate_wait(&pool->start, phase, 0);
    if (!pool->task) return NULL;
    pool->task(pool->argument, worker->index);
    if (atomic_fetch_sub(&pool->remaining, 1) == 1) gate_advance(&pool->done);
  }
}

/* Spinning only helps while every worker has a CPU of its own. */
static int spins_for(int threads) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
  return threads <= CPU_COUNT(&set) ? SPINS : 0;
}

static void end_workers(struct pool *pool, int count) {
  pool->task = NULL;
  gate_advance(&pool->start);
  for (int i = 0; i < count; i++) pthread_join(pool->workers[i].thread, NULL);
}

int pool_create(int threads, struct pool **result) {
  size_t count = (size_t)threads - 1;
  struct pool *pool = calloc(1, sizeof *pool + count * sizeof pool->workers[0]);
  if (!pool) return SPARSEC_OUT_OF_MEMORY;
  pool->threads = threads;
  pool->spins = spins_for(threads);
  /* Signals belong to the host's threads: ours inherit a mask that blocks them all. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int started = 0;
  for (; started < threads - 1; started++) {
    struct worker *worker = &pool->workers[started];
    worker->pool = pool;
    worker->index = started + 1;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (started < threads - 1) {
    end_workers(pool, started);
    free(pool);
    return SPARSEC_THREADS_FAILED;
  }
  *result = pool;
  return SPARSEC_OK;
}

void pool_run(struct pool *pool, pool_task *task, void *argument) {
  if (pool->threads == 1) {
    task(argument, 0);
    return;
  }
  unsigned phase = atomic_load(&pool->done.phase);
  pool->task = task;
  pool->argument = argument;
  atomic_store(&pool->remaining, pool->threads - 1);
  gate_advance(&pool->start);
  task(argument, 0);
  gate_wait(&pool->done, phase, pool->spins);
}

void pool_destroy(struct pool *pool) {
  if (!pool) return;
  end_workers(pool, pool->threads - 1);
  free(pool);
}
