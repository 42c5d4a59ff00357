/* assembler.h: LLVM's assembler, in process. */
#ifndef SPARSEC_ASSEMBLER_H
#define SPARSEC_ASSEMBLER_H

#include <stddef.h>

/* Assembles GNU syntax text for x86-64 Linux into a position-independent object file at `path`. Returns 0; or 1
 * with a message of at most `capacity` - 1 characters. May be called from any thread. */
int sparsec_assemble(
  const char *assembly, size_t length, const char *path, char *message, size_t capacity);

/* The name of this machine's CPU and its features ("+avx2,-avx512f,..."), as LLVM sees them. The caller frees both
 * with free(). */
void sparsec_host_cpu(char **name, char **features);

#endif
