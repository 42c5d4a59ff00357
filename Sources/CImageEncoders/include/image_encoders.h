#ifndef IMAGE_ENCODERS_H
#define IMAGE_ENCODERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// For tests and examples: writes the kinds of JPEG and PNG files that decoders meet. Mistakes end the test
// process with the library's message. The caller frees what is returned.

enum jpeg_coding {
  jpeg_coding_gray,
  jpeg_coding_rgb,
  jpeg_coding_ycbcr,
  jpeg_coding_cmyk,
  jpeg_coding_ycck
};

struct jpeg_form {
  int width, height, quality;
  enum jpeg_coding coding;
  bool progressive, arithmetic;
  /// Sampling factors of the first component; the others have 1.
  int horizontal_sampling, vertical_sampling;
  int restart_interval;
  /// The content of an APP1 marker, or null.
  const uint8_t *app1;
  unsigned app1_count;
};

/// Encodes rows of 1 (gray), 3 (RGB) or 4 (CMYK, as stored) bytes a pixel.
uint8_t *encode_jpeg(const struct jpeg_form *form, const uint8_t *pixels, size_t *count);

struct png_form {
  unsigned width, height;
  int bit_depth, color_type;
  bool interlaced;
  /// Three bytes a colour, or null.
  const uint8_t *palette;
  int palette_count;
  /// Makes the first palette entry, or black, transparent.
  bool transparent;
  const uint8_t *exif;
  unsigned exif_count;
};

/// Encodes rows packed as PNG stores them (16-bit samples with the high byte first).
uint8_t *encode_png(const struct png_form *form, const uint8_t *rows, size_t *count);

#endif
