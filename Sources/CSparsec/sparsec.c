/* The package manager wants a source in every target; this one only describes an interface. */
#include "sparsec.h"
