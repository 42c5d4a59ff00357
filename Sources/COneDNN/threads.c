/* Threads: the part of OpenMP's library that oneDNN calls. These definitions stand before libgomp's when the program is
 * loaded.
 *
 * libgomp lets a thread that waits for others spin for milliseconds, or always sleep, and takes its orders from the
 * environment alone. Where other programs want the processors too the first costs a factor of ten, since the threads
 * that spin keep away the one they wait for; the second costs a third for small nets on an idle machine. Here a thread
 * spins about as long as it takes to wake one that sleeps, and sleeps then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

/* What oneDNN calls. The linker shows the loader only what bears a library's version. */
#define STANDS_FOR(name, version) __asm__(".symver " #name ", " #name "@" version)
void GOMP_parallel(void (*body)(void *), void *state, unsigned threads, unsigned flags);
void GOMP_barrier(void);
int omp_get_max_threads(void);
int omp_get_num_threads(void);
int omp_get_thread_num(void);
int omp_in_parallel(void);
STANDS_FOR(GOMP_parallel, "GOMP_4.0");
STANDS_FOR(GOMP_barrier, "GOMP_1.0");
STANDS_FOR(omp_get_max_threads, "OMP_1.0");
STANDS_FOR(omp_get_num_threads, "OMP_1.0");
STANDS_FOR(omp_get_thread_num, "OMP_1.0");
STANDS_FOR(omp_in_parallel, "OMP_1.0");

/* A number that one thread changes and others wait for. */
typedef struct {
  _Alignas(64) atomic_uint value;
  atomic_int sleepers;
} signal_word;

typedef struct {
  void (*body)(void *);
  void *state;
  int size;
  signal_word unfinished;
  /* The barrier inside: how many have arrived, and how often all had. */
  atomic_int arrived;
  signal_word passes;
} team_work;

/* A thread of the pool. */
typedef struct {
  /* Goes up when there is work. */
  signal_word calls;
  int number;
} member;

/* One team runs at a time: every member of it is awaited before the next begins. */
static struct {
  pthread_mutex_t turn;
  team_work team;
  member **members;
  int count;
} pool = {.turn = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local int wanted_threads = 1, thread_number = 0, team_size = 1;

static int64_t nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void sleep_while(signal_word *word, unsigned value) {
  atomic_fetch_add(&word->sleepers, 1);
  while (atomic_load(&word->value) == value)
    syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
  atomic_fetch_sub(&word->sleepers, 1);
}

/* Waits until the word has another value. */
static void wait_while(signal_word *word, unsigned value) {
  enum { looks_between_clocks = 16, spin_nanoseconds = 50000 };
  int64_t end = 0;
  while (atomic_load_explicit(&word->value, memory_order_acquire) == value) {
    for (int i = 0; i < looks_between_clocks; i++) {
      if (atomic_load_explicit(&word->value, memory_order_acquire) != value) return;
      __builtin_ia32_pause();
    }
    int64_t now = nanoseconds();
    if (end == 0) end = now + spin_nanoseconds;
    if (now > end) return sleep_while(word, value);
  }
}

/* `difference` may be -1: the number wraps. */
static void change(signal_word *word, int difference) {
  atomic_fetch_add(&word->value, (unsigned)difference);
  if (atomic_load(&word->sleepers) > 0) syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *serve(void *pointer) {
  member *self = pointer;
  thread_number = self->number;
  for (unsigned calls = 0;; calls++) {
    wait_while(&self->calls, calls);
    team_size = pool.team.size;
    pool.team.body(pool.team.state);
    change(&pool.team.unfinished, -1);
  }
  return NULL;
}

static bool add_member(void) {
  member **longer = realloc(pool.members, (size_t)(pool.count + 1) * sizeof *longer);
  if (!longer) return false;
  pool.members = longer;
  member *made = aligned_alloc(64, sizeof *made);
  if (!made) return false;
  *made = (member){.number = pool.count + 1};
  pthread_t thread;
  /* Signals are for the program's own threads. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  bool runs = pthread_create(&thread, NULL, serve, made) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!runs) {
    free(made);
    return false;
  }
  pthread_detach(thread);
  pool.members[pool.count++] = made;
  return true;
}

/* Whether the loader took these definitions: else oneDNN would run on other threads than it is told here. */
static bool stands_for_library(void) {
  return dlvsym(RTLD_DEFAULT, "GOMP_parallel", "GOMP_4.0") == (void *)GOMP_parallel;
}

bool dnn_prepare_threads(int threads) {
  pthread_mutex_lock(&pool.turn);
  bool fits = stands_for_library();
  while (fits && pool.count + 1 < threads) fits = add_member();
  pthread_mutex_unlock(&pool.turn);
  return fits;
}

void dnn_use_threads(const dnn_context *context) { wanted_threads = context->threads; }

void GOMP_parallel(void (*body)(void *), void *state, unsigned threads, unsigned flags) {
  (void)flags;
  int size = threads > 0 ? (int)threads : wanted_threads;
  /* Teams inside teams are of one, as OpenMP has it by default. */
  if (size == 1 || team_size > 1) {
    int outer_size = team_size, outer_number = thread_number;
    team_size = 1;
    thread_number = 0;
    body(state);
    team_size = outer_size;
    thread_number = outer_number;
    return;
  }
  if (!dnn_prepare_threads(size)) abort();
  pthread_mutex_lock(&pool.turn);
  team_work *team = &pool.team;
  team->body = body;
  team->state = state;
  team->size = team_size = size;
  atomic_store(&team->unfinished.value, (unsigned)size - 1);
  for (int i = 0; i < size - 1; i++) change(&pool.members[i]->calls, 1);
  body(state);
  for (unsigned left; (left = atomic_load(&team->unfinished.value)) > 0;) wait_while(&team->unfinished, left);
  team_size = 1;
  pthread_mutex_unlock(&pool.turn);
}

void GOMP_barrier(void) {
  if (team_size == 1) return;
  team_work *team = &pool.team;
  unsigned passes = atomic_load(&team->passes.value);
  if (atomic_fetch_add(&team->arrived, 1) + 1 < team_size) return wait_while(&team->passes, passes);
  atomic_store(&team->arrived, 0);
  change(&team->passes, 1);
}

int omp_get_max_threads(void) { return wanted_threads; }
int omp_get_num_threads(void) { return team_size; }
int omp_get_thread_num(void) { return thread_number; }
int omp_in_parallel(void) { return team_size > 1; }

typedef struct {
  int parts;
  void (*body)(int part, void *state);
  void *state;
} parallel_work;

static void run_parts(void *pointer) {
  const parallel_work *work = pointer;
  for (int part = thread_number; part < work->parts; part += team_size) work->body(part, work->state);
}

void dnn_parallel(int threads, int parts, void (*body)(int part, void *state), void *state) {
  parallel_work work = {parts, body, state};
  GOMP_parallel(run_parts, &work, (unsigned)(threads < parts ? threads : parts), 0);
}
