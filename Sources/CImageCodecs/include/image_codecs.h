#ifndef IMAGE_CODECS_H
#define IMAGE_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define IMAGE_NULLABLE _Nullable
#else
#define IMAGE_NULLABLE
#endif

/// Room for one error message, terminator included.
#define IMAGE_MESSAGE_SIZE 200

enum image_format { image_format_unknown, image_format_jpeg, image_format_png };

/// What the head of a file says about its image.
struct image_header {
  uint32_t width;
  uint32_t height;
  /// 1 (gray) or 3 (red, green, blue): what `image_reader_read` writes for each pixel.
  uint32_t channels;
};

/// A file whose head has been read. It points into the bytes it was opened on.
struct image_reader;

/// The format that the first bytes of a file announce.
enum image_format image_format_of(const uint8_t *IMAGE_NULLABLE bytes, size_t count);

/// Reads the head of a JPEG or PNG file held in memory. Null, with a message, if it is damaged.
///
/// Heads that promise more than 2^28 pixels, or more than so few bytes can hold, are refused
/// before anything of the image's size is allocated. The bytes must outlive the reader.
struct image_reader *IMAGE_NULLABLE image_reader_open(
    const uint8_t *IMAGE_NULLABLE bytes, size_t count, struct image_header *header,
    char *message);

/// Decodes the whole image to `height` rows of `width * channels` bytes, once per reader.
///
/// JPEG: accurate integer DCT and smooth chroma upsampling, as OpenCV and Pillow decode. Four
/// components are read as inverted CMYK, Adobe's convention, which every common decoder assumes.
/// PNG: alpha is dropped, of 16 bits the upper 8 are kept, no gamma is applied.
/// False, with a message, if data are missing or damaged; the pixels are then meaningless.
bool image_reader_read(struct image_reader *reader, uint8_t *pixels, char *message);

/// The EXIF block (from its byte order mark on) or null; complete after `image_reader_read`.
const uint8_t *IMAGE_NULLABLE image_reader_exif(struct image_reader *reader, size_t *count);

void image_reader_close(struct image_reader *reader);

/// Encodes `height` rows of `width * channels` bytes as JPEG: baseline, with
/// chroma at half the resolution. The caller frees the result; null, with a message, on failure.
uint8_t *IMAGE_NULLABLE image_encode_jpeg(
    const struct image_header *header, const uint8_t *pixels, int quality, size_t *count,
    char *message);

/// Encodes the same as PNG.
uint8_t *IMAGE_NULLABLE image_encode_png(
    const struct image_header *header, const uint8_t *pixels, size_t *count, char *message);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
