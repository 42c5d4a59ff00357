#include "image_reader.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct jpeg_reader {
  struct image_reader base;
  struct jpeg_decompress_struct decoder;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  char *message;
  JSAMPLE *cmyk_row;
  uint8_t *exif;
  size_t exif_count;
};

static void fail(j_common_ptr decoder) {
  struct jpeg_reader *reader = decoder->client_data;
  char text[JMSG_LENGTH_MAX];
  decoder->err->format_message(decoder, text);
  snprintf(reader->message, IMAGE_MESSAGE_SIZE, "%s", text);
  longjmp(reader->failed, 1);
}

// libjpeg calls these warnings and paints the missing part gray. A prediction on such an image
// would be a prediction on something else, so they end the decoding. Harmless oddities (bytes
// between segments, unknown versions) pass, as everywhere.
static void emit_message(j_common_ptr decoder, int level) {
  if (level >= 0) return;
  switch (decoder->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: fail(decoder);
  }
}

// A progressive file may repeat scans that cost few bytes and much time. Real ones have about ten;
// even one scan for every coefficient of every component is less than 200.
static void check_scan_count(j_common_ptr common) {
  struct jpeg_reader *reader = common->client_data;
  const struct jpeg_decompress_struct *decoder = &reader->decoder;
  const uint64_t pixels = (uint64_t)decoder->image_width * decoder->image_height;
  const int limit = pixels <= (UINT64_C(1) << 24) ? 500 : 50;
  if (decoder->input_scan_number <= limit) return;
  snprintf(reader->message, IMAGE_MESSAGE_SIZE, "more than %d scans", limit);
  longjmp(reader->failed, 1);
}

static void close_jpeg(struct image_reader *base) {
  struct jpeg_reader *reader = (struct jpeg_reader *)base;
  jpeg_destroy_decompress(&reader->decoder);
  free(reader->cmyk_row);
  free(reader->exif);
  free(reader);
}

// Four bytes of inverted cyan, magenta, yellow and black are light, not ink: each colour's share
// times the share that black leaves.
static void convert_inverted_cmyk(const JSAMPLE *cmyk, uint8_t *rgb, uint32_t width) {
  for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    for (int channel = 0; channel < 3; channel++)
      rgb[channel] = (uint8_t)((cmyk[channel] * cmyk[3] + 127) / 255);
  }
}

static bool read_jpeg(struct image_reader *base, uint8_t *pixels, char *message) {
  struct jpeg_reader *reader = (struct jpeg_reader *)base;
  struct jpeg_decompress_struct *decoder = &reader->decoder;
  reader->message = message;
  if (setjmp(reader->failed)) return false;
  jpeg_start_decompress(decoder);
  const uint32_t width = decoder->output_width;
  const size_t channels = decoder->output_components == 1 ? 1 : 3;
  while (decoder->output_scanline < decoder->output_height) {
    uint8_t *row = pixels + (size_t)decoder->output_scanline * width * channels;
    if (reader->cmyk_row != NULL) {
      jpeg_read_scanlines(decoder, &reader->cmyk_row, 1);
      convert_inverted_cmyk(reader->cmyk_row, row, width);
    } else {
      jpeg_read_scanlines(decoder, &row, 1);
    }
  }
  // Reads on to the end marker, so that a file cut off in its last row is noticed.
  jpeg_finish_decompress(decoder);
  return true;
}

static const uint8_t *exif_of_jpeg(struct image_reader *base, size_t *count) {
  struct jpeg_reader *reader = (struct jpeg_reader *)base;
  *count = reader->exif_count;
  return reader->exif;
}

// Copies the EXIF block: libjpeg drops its markers at the end of decoding.
static bool keep_exif(struct jpeg_reader *reader, char *message) {
  static const uint8_t prefix[] = {'E', 'x', 'i', 'f', 0, 0};
  for (jpeg_saved_marker_ptr marker = reader->decoder.marker_list; marker; marker = marker->next) {
    if (marker->data_length <= sizeof prefix) continue;
    if (memcmp(marker->data, prefix, sizeof prefix) != 0) continue;  // XMP shares the marker.
    const size_t count = marker->data_length - sizeof prefix;
    reader->exif = malloc(count);
    if (reader->exif == NULL) {
      snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
      return false;
    }
    memcpy(reader->exif, marker->data + sizeof prefix, count);
    reader->exif_count = count;
    return true;
  }
  return true;
}

// Chooses gray, RGB or CMYK output and checks what is promised; false with a message if refused.
static bool prepare_output(
    struct jpeg_reader *reader, size_t count, struct image_header *header, char *message) {
  struct jpeg_decompress_struct *decoder = &reader->decoder;
  const uint64_t width = decoder->image_width, height = decoder->image_height;
  // A Huffman code has at least one bit and every block at least one code. The component with the
  // most columns has blocks of 8 pixels across and, sampled at its coarsest, 32 down.
  const uint64_t least_bytes = decoder->arith_code ? 0 : width * height / (8 * 32) / 8;
  if (!image_size_fits(width, height, least_bytes, count, message)) return false;
  switch (decoder->jpeg_color_space) {
    case JCS_GRAYSCALE: decoder->out_color_space = JCS_GRAYSCALE; break;
    case JCS_YCbCr:
    case JCS_RGB: decoder->out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: decoder->out_color_space = JCS_CMYK; break;
    default:
      snprintf(message, IMAGE_MESSAGE_SIZE, "%d components are neither gray, RGB nor CMYK",
               decoder->num_components);
      return false;
  }
  if (decoder->out_color_space == JCS_CMYK) {
    reader->cmyk_row = malloc((size_t)width * 4);
    if (reader->cmyk_row == NULL) {
      snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
      return false;
    }
  }
  decoder->dct_method = JDCT_ISLOW;
  decoder->do_fancy_upsampling = TRUE;
  header->width = (uint32_t)width;
  header->height = (uint32_t)height;
  header->channels = decoder->out_color_space == JCS_GRAYSCALE ? 1 : 3;
  return true;
}

struct image_reader *jpeg_reader_open(
    const uint8_t *bytes, size_t count, struct image_header *header, char *message) {
  struct jpeg_reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) {
    snprintf(message, IMAGE_MESSAGE_SIZE, "out of memory");
    return NULL;
  }
  reader->base = (struct image_reader){read_jpeg, exif_of_jpeg, close_jpeg};
  reader->message = message;
  struct jpeg_decompress_struct *decoder = &reader->decoder;
  decoder->err = jpeg_std_error(&reader->errors);
  reader->errors.error_exit = fail;
  reader->errors.emit_message = emit_message;
  decoder->client_data = reader;
  if (setjmp(reader->failed)) {
    close_jpeg(&reader->base);
    return NULL;
  }
  jpeg_create_decompress(decoder);
  reader->progress.progress_monitor = check_scan_count;
  decoder->progress = &reader->progress;
  jpeg_mem_src(decoder, bytes, count);
  jpeg_save_markers(decoder, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(decoder, TRUE);
  if (!prepare_output(reader, count, header, message) || !keep_exif(reader, message)) {
    close_jpeg(&reader->base);
    return NULL;
  }
  return &reader->base;
}
