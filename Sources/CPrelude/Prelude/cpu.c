/* cpu.c: CPUID and XGETBV, read directly: the compilers' own CPU models live in libgcc, which a
 * compiled network does not link.
 *
 * Bit positions: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID;
 * volume 1, 13.3 for XCR0. */
#include "cpu.h"

#include <cpuid.h>
#include <stdio.h>

#include "network.h"

/* Register state that the operating system saves: XCR0, or 0 where it cannot be asked. */
static uint64_t saved_state(uint32_t leaf1_ecx) {
  if (!(leaf1_ecx >> 27 & 1)) return 0; /* OSXSAVE */
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static uint32_t bit(uint32_t word, int position, enum cpu_feature feature) {
  return word >> position & 1 ? (uint32_t)feature : 0;
}

static const uint32_t avx_features = CPU_AVX | CPU_AVX2 | CPU_FMA | CPU_F16C | CPU_AVXVNNI;
static const uint32_t avx512_features =
    CPU_AVX512F | CPU_AVX512BW | CPU_AVX512CD | CPU_AVX512DQ | CPU_AVX512VL | CPU_AVX512VNNI |
    CPU_AVX512BF16 | CPU_AVX512VBMI | CPU_AVX512FP16 | CPU_AVX512IFMA | CPU_AVX512VBMI2 |
    CPU_AVX512BITALG | CPU_AVX512VPOPCNTDQ;

uint32_t cpu_features(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  uint32_t found = bit(c, 20, CPU_SSE42) | bit(c, 28, CPU_AVX) | bit(c, 12, CPU_FMA) |
                   bit(c, 29, CPU_F16C) | bit(c, 23, CPU_POPCNT) | bit(c, 22, CPU_MOVBE);
  uint64_t state = saved_state(c);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    uint32_t last_subleaf = a;
    found |= bit(b, 5, CPU_AVX2) | bit(b, 8, CPU_BMI2) | bit(b, 16, CPU_AVX512F) |
             bit(b, 30, CPU_AVX512BW) | bit(b, 28, CPU_AVX512CD) | bit(b, 17, CPU_AVX512DQ) |
             bit(b, 31, CPU_AVX512VL) | bit(c, 11, CPU_AVX512VNNI) | bit(c, 1, CPU_AVX512VBMI) |
             bit(d, 23, CPU_AVX512FP16) | bit(b, 3, CPU_BMI) | bit(b, 21, CPU_AVX512IFMA) |
             bit(c, 6, CPU_AVX512VBMI2) | bit(c, 8, CPU_GFNI) | bit(c, 12, CPU_AVX512BITALG) |
             bit(c, 14, CPU_AVX512VPOPCNTDQ);
    if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
      found |= bit(a, 4, CPU_AVXVNNI) | bit(a, 5, CPU_AVX512BF16);
  }
  if (__get_cpuid(0x80000001, &a, &b, &c, &d)) found |= bit(c, 5, CPU_LZCNT);
  /* XMM and YMM; opmask and both halves of ZMM. */
  if ((state & 0x06) != 0x06) found &= ~avx_features & ~avx512_features;
  if ((state & 0xe6) != 0xe6) found &= ~avx512_features;
  return found;
}

/* In the order of the bits of enum cpu_feature. */
static const char *const names[] = {
    "SSE4.2",      "AVX",         "AVX2",        "FMA",       "F16C",       "BMI2",
    "AVX-512F",    "AVX-512BW",   "AVX-512CD",   "AVX-512DQ", "AVX-512VL",  "AVX-512VNNI",
    "AVX-512BF16", "AVX-512VBMI", "AVX-512FP16", "AVX-VNNI", "POPCNT",      "MOVBE",
    "BMI1",        "LZCNT",       "GFNI",        "AVX-512IFMA", "AVX-512VBMI2", "AVX-512BITALG",
    "AVX-512VPOPCNTDQ",
};
enum { KNOWN = sizeof names / sizeof names[0] };

void cpu_feature_names(uint32_t features, char *text, size_t size) {
  size_t length = 0;
  text[0] = 0;
  for (int feature = 0; feature < 32; feature++) {
    if (!(features >> feature & 1)) continue;
    const char *separator = length ? ", " : "";
    int written = feature < KNOWN
                      ? snprintf(text + length, size - length, "%s%s", separator, names[feature])
                      : snprintf(text + length, size - length, "%sfeature %d", separator, feature);
    if (written < 0 || (size_t)written >= size - length) return;
    length += (size_t)written;
  }
}
