#include "image_reader.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct png_reader {
  struct image_reader base;
  png_structp decoder;
  png_infop info;
  const uint8_t *next;
  size_t left;
  size_t row_bytes;
  uint32_t height;
  jmp_buf failed;
  char *message;
};

static void fail(png_structp decoder, png_const_charp text) {
  struct png_reader *reader = png_get_error_ptr(decoder);
  snprintf(reader->message, IMAGE_MESSAGE_SIZE, "%s", text);
  longjmp(reader->failed, 1);
}

static void ignore_warning(png_structp decoder, png_const_charp text) {
  (void)decoder;
  (void)text;
}

static void take_bytes(png_structp decoder, png_bytep target, size_t count) {
  struct png_reader *reader = png_get_io_ptr(decoder);
  if (count > reader->left) png_error(decoder, "the file ends too early");
  memcpy(target, reader->next, count);
  reader->next += count;
  reader->left -= count;
}

static void close_png(struct image_reader *base) {
  struct png_reader *reader = (struct png_reader *)base;
  png_destroy_read_struct(&reader->decoder, &reader->info, NULL);
  free(reader);
}

static bool read_png(struct image_reader *base, uint8_t *pixels, char *message) {
  struct png_reader *reader = (struct png_reader *)base;
  reader->message = message;
  if (setjmp(reader->failed)) return false;
  // An interlaced image comes in seven passes, each filling in more pixels of the same rows.
  const int passes = png_set_interlace_handling(reader->decoder);
  png_start_read_image(reader->decoder);
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < reader->height; y++)
      png_read_row(reader->decoder, pixels + y * reader->row_bytes, NULL);
  }
  png_read_end(reader->decoder, reader->info);
  return true;
}

static const uint8_t *exif_of_png(struct image_reader *base, size_t *count) {
  struct png_reader *reader = (struct png_reader *)base;
  png_uint_32 exif_count = 0;
  png_bytep exif = NULL;
  if (png_get_eXIf_1(reader->decoder, reader->info, &exif_count, &exif) == 0) return NULL;
  *count = exif_count;
  return exif;
}

// Asks libpng for 8-bit gray or RGB, whatever the file has. May jump out with an error.
static void convert_to_8_bit(struct png_reader *reader, struct image_header *header) {
  png_structp decoder = reader->decoder;
  const int color = png_get_color_type(decoder, reader->info);
  const int depth = png_get_bit_depth(decoder, reader->info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(decoder);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(decoder);
  if (depth == 16) png_set_strip_16(decoder);
  png_set_strip_alpha(decoder);
  header->width = png_get_image_width(decoder, reader->info);
  header->height = png_get_image_height(decoder, reader->info);
  header->channels = (color & PNG_COLOR_MASK_COLOR) ? 3 : 1;
  reader->height = header->height;
  reader->row_bytes = (size_t)header->width * header->channels;
}

static bool open_decoder(
    struct png_reader *reader, size_t count, struct image_header *header, char *message) {
  if (setjmp(reader->failed)) return false;
  // Our own limit counts pixels, not sides. Compressed texts and profiles may not unpack to more
  // than a few megabytes, nor may there be very many of them.
  png_set_user_limits(reader->decoder, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_cache_max(reader->decoder, 100);
  png_set_chunk_malloc_max(reader->decoder, 8000000);
  png_set_read_fn(reader->decoder, reader, take_bytes);
  png_read_info(reader->decoder, reader->info);
  const uint64_t width = png_get_image_width(reader->decoder, reader->info);
  const uint64_t height = png_get_image_height(reader->decoder, reader->info);
  // Deflate shrinks by 1032 at most. Sizes beyond the pixel limit are refused before this matters.
  const uint64_t row_bytes = png_get_rowbytes(reader->decoder, reader->info);
  const uint64_t least_bytes = height > UINT32_MAX / 8 ? 0 : row_bytes * height / 1032;
  if (!image_size_fits(width, height, least_bytes, count, message)) return false;
  convert_to_8_bit(reader, header);
  return true;
}

struct image_reader *png_reader_open(
    const uint8_t *bytes, size_t count, struct image_header *header, char *message) {
  struct png_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) {
    snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
    return NULL;
  }
  reader->base = (struct image_reader){read_png, exif_of_png, close_png};
  reader->next = bytes;
  reader->left = count;
  reader->message = message;
  reader->decoder =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, fail, ignore_warning);
  if (reader->decoder != NULL) reader->info = png_create_info_struct(reader->decoder);
  if (reader->info == NULL) {
    snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
    close_png(&reader->base);
    return NULL;
  }
  if (!open_decoder(reader, count, header, message)) {
    close_png(&reader->base);
    return NULL;
  }
  return &reader->base;
}
