#ifndef GUARDED_LMDB_H
#define GUARDED_LMDB_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// LMDB trusts its files: damage makes it end the process, by failed assertions and by following
// pointers to nowhere, or return such pointers. These functions let a reader notice all three.

/// What `guarded_cursor_get` returns where LMDB would have ended the process.
#define GUARDED_LMDB_DAMAGED (-29999)

/// The bytes of the file as an environment has mapped them.
struct lmdb_mapping {
  const uint8_t *start;
  size_t count;
};

/// Makes `guarded_cursor_get` possible: to be called once behind `mdb_env_create`.
///
/// The first call sets handlers for faults of memory, which pass on all faults but LMDB's.
int guard_environment(MDB_env *environment);

/// As `mdb_cursor_get`, but failed assertions and faults come back as `GUARDED_LMDB_DAMAGED`; the
/// cursor must then not be used any more, nor closed.
int guarded_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op operation);

/// The bytes of an open environment's file, or -1.
int64_t environment_file_size(MDB_env *environment);

/// Which mapping of an open environment's file a value lies in; a process may have several.
/// False if it lies in none.
bool find_mapping(MDB_env *environment, const MDB_val *value, struct lmdb_mapping *mapping);

/// Whether a value that LMDB returned lies within the file.
bool mapping_contains(const struct lmdb_mapping *mapping, const MDB_val *value);

#endif
