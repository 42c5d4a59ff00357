/* prelude.h: the C sources that go into every compiled network, as bytes. */
#ifndef SPARSEC_PRELUDE_H
#define SPARSEC_PRELUDE_H

#include <stddef.h>

struct sparsec_prelude_file {
  const char *name; /* "vector.h" */
  const unsigned char *bytes;
  size_t size;
};

/* All files, in a fixed order; `*count` receives their number. */
const struct sparsec_prelude_file *sparsec_prelude_files(size_t *count);

#endif
