/* room.h: memory for a layer under measurement, and settings from the environment. */
#ifndef SPARSEC_ROOM_H
#define SPARSEC_ROOM_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Zeros at the beginning of a cache line. */
static void *room(int64_t bytes) {
  void *p = aligned_alloc(64, (size_t)(bytes / 64 + 64) * 64);
  if (!p) abort();
  memset(p, 0, (size_t)(bytes / 64 + 64) * 64);
  return p;
}

/* A number that the environment may change, to look for better ones. */
static int64_t setting(const char *name, int64_t otherwise) {
  const char *text = getenv(name);
  return text ? atoll(text) : otherwise;
}

#endif
