#ifndef IMAGE_READER_H
#define IMAGE_READER_H

#include "image_codecs.h"

// Each format embeds this as its first member, so that a pointer to one is a pointer to both.
struct image_reader {
  bool (*read)(struct image_reader *reader, uint8_t *pixels, char *message);
  const uint8_t *(*exif)(struct image_reader *reader, size_t *count);
  void (*close)(struct image_reader *reader);
};

struct image_reader *jpeg_reader_open(
    const uint8_t *bytes, size_t count, struct image_header *header, char *message);
struct image_reader *png_reader_open(
    const uint8_t *bytes, size_t count, struct image_header *header, char *message);

// Refuses sizes beyond the limit, or that `least_bytes` says the file is too short for.
bool image_size_fits(
    uint64_t width, uint64_t height, uint64_t least_bytes, size_t count, char *message);

#endif
