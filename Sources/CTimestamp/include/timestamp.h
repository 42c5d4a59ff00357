#pragma once

#include <stdint.h>

/// The CPU's time stamp counter. It counts at one speed, whatever the cores' clocks do; measure that against a clock.
static inline uint64_t timestamp_counter(void) { return __builtin_readcyclecounter(); }
