#include "guarded_lmdb.h"

#include <setjmp.h>
#include <stdio.h>
#include <sys/stat.h>

static _Thread_local jmp_buf escape;
static _Thread_local bool is_guarded;

static void leave(MDB_env *environment, const char *message) {
  (void)environment;
  (void)message;
  // Otherwise LMDB goes on to end the process.
  if (is_guarded) longjmp(escape, 1);
}

int guard_environment(MDB_env *environment) { return mdb_env_set_assert(environment, leave); }

int guarded_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation) {
  if (setjmp(escape) != 0) {
    is_guarded = false;
    return GUARDED_LMDB_DAMAGED;
  }
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
