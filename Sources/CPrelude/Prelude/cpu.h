/* cpu.h: what this CPU and its operating system can run. */
#ifndef SPARSEC_CPU_H
#define SPARSEC_CPU_H

#include <stddef.h>
#include <stdint.h>

/* The features of this CPU that the operating system lets programs use, as enum cpu_feature bits.
 */
uint32_t cpu_features(void);

/* Writes the names of `features`, comma-separated and zero-terminated, into `text` of `size`
 * bytes; what does not fit is cut. */
void cpu_feature_names(uint32_t features, char *text, size_t size);

#endif
