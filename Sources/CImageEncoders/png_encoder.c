#include "image_encoders.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

struct growing_bytes {
  uint8_t *bytes;
  size_t count;
};

static void append(png_structp encoder, png_bytep bytes, size_t count) {
  struct growing_bytes *file = png_get_io_ptr(encoder);
  uint8_t *grown = realloc(file->bytes, file->count + count);
  if (grown == NULL) abort();
  memcpy(grown + file->count, bytes, count);
  file->bytes = grown;
  file->count += count;
}

static void flush(png_structp encoder) { (void)encoder; }

static void set_colors(png_structp encoder, png_infop info, const struct png_form *form) {
  if (form->palette != NULL) {
    png_color colors[256];
    for (int i = 0; i < form->palette_count; i++)
      colors[i] = (png_color){
          form->palette[3 * i], form->palette[3 * i + 1], form->palette[3 * i + 2]};
    png_set_PLTE(encoder, info, colors, form->palette_count);
  }
  if (form->transparent) {
    const png_byte alpha = 0;
    const png_color_16 black = {0, 0, 0, 0, 0};
    png_set_tRNS(encoder, info, &alpha, 1, &black);
  }
  if (form->exif != NULL)
    png_set_eXIf_1(encoder, info, form->exif_count, (png_bytep)form->exif);
}

uint8_t *encode_png(const struct png_form *form, const uint8_t *rows, size_t *count) {
  struct growing_bytes file = {NULL, 0};
  // Without a handler, libpng prints its message and aborts.
  png_structp encoder = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(encoder);
  png_set_write_fn(encoder, &file, append, flush);
  png_set_IHDR(
      encoder, info, form->width, form->height, form->bit_depth, form->color_type,
      form->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
      PNG_FILTER_TYPE_DEFAULT);
  set_colors(encoder, info, form);
  png_write_info(encoder, info);
  const int passes = png_set_interlace_handling(encoder);
  const size_t row_bytes = png_get_rowbytes(encoder, info);
  for (int pass = 0; pass < passes; pass++) {
    for (unsigned y = 0; y < form->height; y++) png_write_row(encoder, rows + y * row_bytes);
  }
  png_write_end(encoder, info);
  png_destroy_write_struct(&encoder, &info);
  *count = file.count;
  return file.bytes;
}
