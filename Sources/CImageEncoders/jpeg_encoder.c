#include "image_encoders.h"

#include <stdio.h>

#include <jpeglib.h>

static J_COLOR_SPACE stored_space(enum jpeg_coding coding) {
  switch (coding) {
    case jpeg_coding_gray: return JCS_GRAYSCALE;
    case jpeg_coding_rgb: return JCS_RGB;
    case jpeg_coding_ycbcr: return JCS_YCbCr;
    case jpeg_coding_cmyk: return JCS_CMYK;
    case jpeg_coding_ycck: return JCS_YCCK;
  }
  return JCS_UNKNOWN;
}

static void choose_colors(struct jpeg_compress_struct *encoder, enum jpeg_coding coding) {
  const J_COLOR_SPACE stored = stored_space(coding);
  const bool four = stored == JCS_CMYK || stored == JCS_YCCK;
  encoder->input_components = four ? 4 : stored == JCS_GRAYSCALE ? 1 : 3;
  encoder->in_color_space = four ? JCS_CMYK : stored == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(encoder);
  jpeg_set_colorspace(encoder, stored);
}

uint8_t *encode_jpeg(const struct jpeg_form *form, const uint8_t *pixels, size_t *count) {
  struct jpeg_compress_struct encoder;
  struct jpeg_error_mgr errors;
  unsigned char *bytes = NULL;
  unsigned long byte_count = 0;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  jpeg_mem_dest(&encoder, &bytes, &byte_count);
  encoder.image_width = (JDIMENSION)form->width;
  encoder.image_height = (JDIMENSION)form->height;
  choose_colors(&encoder, form->coding);
  jpeg_set_quality(&encoder, form->quality, TRUE);
  encoder.arith_code = form->arithmetic;
  encoder.restart_interval = (unsigned)form->restart_interval;
  for (int i = 0; i < encoder.num_components; i++) {
    encoder.comp_info[i].h_samp_factor = i == 0 ? form->horizontal_sampling : 1;
    encoder.comp_info[i].v_samp_factor = i == 0 ? form->vertical_sampling : 1;
  }
  if (form->progressive) jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  if (form->app1 != NULL) jpeg_write_marker(&encoder, JPEG_APP0 + 1, form->app1, form->app1_count);
  while (encoder.next_scanline < encoder.image_height) {
    const size_t row_bytes = (size_t)form->width * (size_t)encoder.input_components;
    JSAMPROW row = (JSAMPROW)(pixels + encoder.next_scanline * row_bytes);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  *count = byte_count;
  return bytes;
}
