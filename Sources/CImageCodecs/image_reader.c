#include "image_reader.h"

#include <stdio.h>
#include <string.h>

enum image_format image_format_of(const uint8_t *bytes, size_t count) {
  static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF};
  static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  if (count >= sizeof jpeg && memcmp(bytes, jpeg, sizeof jpeg) == 0) return image_format_jpeg;
  if (count >= sizeof png && memcmp(bytes, png, sizeof png) == 0) return image_format_png;
  return image_format_unknown;
}

bool image_size_fits(
    uint64_t width, uint64_t height, uint64_t least_bytes, size_t count, char *message) {
  const uint64_t pixel_limit = UINT64_C(1) << 28;
  if (width > pixel_limit || height > pixel_limit || width * height > pixel_limit) {
    snprintf(
        message, IMAGE_MESSAGE_SIZE, "%llu x %llu pixels are more than the limit of 2^28",
        (unsigned long long)width, (unsigned long long)height);
    return false;
  }
  if (least_bytes > count) {
    snprintf(
        message, IMAGE_MESSAGE_SIZE, "%zu bytes are too few for %llu x %llu pixels", count,
        (unsigned long long)width, (unsigned long long)height);
    return false;
  }
  return true;
}

struct image_reader *image_reader_open(
    const uint8_t *bytes, size_t count, struct image_header *header, char *message) {
  switch (image_format_of(bytes, count)) {
    case image_format_jpeg: return jpeg_reader_open(bytes, count, header, message);
    case image_format_png: return png_reader_open(bytes, count, header, message);
    case image_format_unknown: break;
  }
  snprintf(message, IMAGE_MESSAGE_SIZE, "not a JPEG or PNG image");
  return NULL;
}

bool image_reader_read(struct image_reader *reader, uint8_t *pixels, char *message) {
  return reader->read(reader, pixels, message);
}

const uint8_t *image_reader_exif(struct image_reader *reader, size_t *count) {
  *count = 0;
  return reader->exif(reader, count);
}

void image_reader_close(struct image_reader *reader) { reader->close(reader); }
