/* pool.h: a fixed set of threads that run one task together, and the barrier they meet at.
 *
 * Waiting threads spin briefly, since a layer's slowest part is seldom far behind, then park in the
 * kernel. An idle pool is parked and uses no time. */
#ifndef SPARSEC_POOL_H
#define SPARSEC_POOL_H

#include <stdatomic.h>

/* A number that only grows, and that threads can wait on. Zero-initialised. */
struct gate {
  atomic_uint phase;
  atomic_uint sleepers;
};

/* Where the members of a team wait for each other, any number of times. Zero-initialised. */
struct barrier {
  struct gate gate;
  atomic_int arrived;
};

struct pool;

typedef void pool_task(void *argument, int worker);

/* Makes a pool of `threads` workers: the caller of pool_run and threads - 1 threads. Returns an
 * enum sparsec_status; on failure nothing is left running. */
int pool_create(int threads, struct pool **pool);

/* Runs task(argument, worker) for worker 0 (in the calling thread) to threads - 1, all at once,
 * and returns when all are done. */
void pool_run(struct pool *pool, pool_task *task, void *argument);

/* Waits until `members` workers of the pool have called this. */
void barrier_wait(struct pool *pool, struct barrier *barrier, int members);

/* Ends and joins the threads. NULL is allowed. */
void pool_destroy(struct pool *pool);

#endif
