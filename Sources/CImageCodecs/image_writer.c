#include "image_codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Needs what stdio.h declares, without saying so.
#include <jpeglib.h>
#include <png.h>

struct jpeg_failure {
  struct jpeg_error_mgr manager;
  jmp_buf escape;
  char *message;
};

static void fail(j_common_ptr info) {
  struct jpeg_failure *failure = (struct jpeg_failure *)info->err;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(failure->message, IMAGE_MESSAGE_SIZE, "%s", text);
  longjmp(failure->escape, 1);
}

static void say_nothing(j_common_ptr info, int level) {
  (void)info;
  (void)level;
}

uint8_t *image_encode_jpeg(
    const struct image_header *header, const uint8_t *pixels, int quality, size_t *count,
    char *message) {
  struct jpeg_compress_struct info;
  struct jpeg_failure failure = {.message = message};
  // Both are changed between setjmp and longjmp.
  unsigned char *volatile buffer = NULL;
  unsigned long volatile size = 0;
  info.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = fail;
  failure.manager.emit_message = say_nothing;
  if (setjmp(failure.escape) != 0) {
    jpeg_destroy_compress(&info);
    free(buffer);
    return NULL;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, (unsigned char **)&buffer, (unsigned long *)&size);
  info.image_width = header->width;
  info.image_height = header->height;
  info.input_components = (int)header->channels;
  info.in_color_space = header->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  const size_t stride = (size_t)header->width * header->channels;
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + info.next_scanline * stride);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *count = size;
  return buffer;
}

uint8_t *image_encode_png(
    const struct image_header *header, const uint8_t *pixels, size_t *count, char *message) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = header->width;
  image.height = header->height;
  image.format = header->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *buffer = malloc(size);
  if (buffer == NULL) {
    snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
    return NULL;
  }
  if (!png_image_write_to_memory(&image, buffer, &size, 0, pixels, 0, NULL)) {
    snprintf(message, IMAGE_MESSAGE_SIZE, "%s", image.message);
    png_image_free(&image);
    free(buffer);
    return NULL;
  }
  *count = size;
  return buffer;
}
