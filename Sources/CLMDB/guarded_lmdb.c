#include "guarded_lmdb.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

static _Thread_local sigjmp_buf escape;
static _Thread_local volatile bool is_guarded;

static void leave(void) {
  is_guarded = false;
  siglongjmp(escape, 1);
}

static void fail_assertion(MDB_env *environment, const char *message) {
  (void)environment;
  (void)message;
  // Otherwise LMDB goes on to end the process.
  if (is_guarded) leave();
}

static struct sigaction earlier_segment_action;
static struct sigaction earlier_bus_action;

static void handle_fault(int number, siginfo_t *information, void *context) {
  (void)information;
  (void)context;
  // Within LMDB's reading no lock is held and no memory changed hands that would be missed.
  if (is_guarded) leave();
  // Somebody else's fault: it happens again on return, and is treated as without us.
  sigaction(number, number == SIGBUS ? &earlier_bus_action : &earlier_segment_action, NULL);
}

static void install_handlers(void) {
  struct sigaction action = {.sa_sigaction = handle_fault};
  sigemptyset(&action.sa_mask);
  // A jump out of a handler leaves its signal blocked unless it never was.
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &earlier_segment_action);
  sigaction(SIGBUS, &action, &earlier_bus_action);
}

int guard_environment(MDB_env *environment) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handlers);
  return mdb_env_set_assert(environment, fail_assertion);
}

int guarded_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation) {
  if (sigsetjmp(escape, 0) != 0) return GUARDED_LMDB_DAMAGED;
  is_guarded = true;
  const int result = mdb_cursor_get(cursor, key, value, operation);
  is_guarded = false;
  return result;
}

static bool file_status(MDB_env *environment, struct stat *status) {
  int descriptor = -1;
  return mdb_env_get_fd(environment, &descriptor) == 0 && fstat(descriptor, status) == 0;
}

int64_t environment_file_size(MDB_env *environment) {
  struct stat status;
  return file_status(environment, &status) ? (int64_t)status.st_size : -1;
}

bool find_mapping(MDB_env *environment, const MDB_val *value, struct lmdb_mapping *mapping) {
  struct stat status;
  if (!file_status(environment, &status)) return false;
  // LMDB does not tell the address; the system does.
  FILE *maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) return false;
  bool is_found = false;
  char line[512];
  while (!is_found && fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end, offset, inode;
    if (sscanf(
            line, "%lx-%lx %*4s %lx %*x:%*x %lu", &start, &end, &offset, &inode) != 4) {
      continue;
    }
    if (inode != status.st_ino || offset != 0) continue;
    const size_t count = end - start;
    mapping->start = (const uint8_t *)start;
    // Reading mapped memory behind the end of the file ends the process, too.
    mapping->count = (size_t)status.st_size < count ? (size_t)status.st_size : count;
    is_found = mapping_contains(mapping, value);
  }
  fclose(maps);
  return is_found;
}

bool mapping_contains(const struct lmdb_mapping *mapping, const MDB_val *value) {
  const uint8_t *start = value->mv_data;
  return start >= mapping->start && start <= mapping->start + mapping->count
      && value->mv_size <= (size_t)(mapping->start + mapping->count - start);
}
