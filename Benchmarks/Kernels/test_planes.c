/* test_planes.c: zero_halo, repack and phase_split against their definitions. */
#include "planes_check.h"

static void check_repack(int parts) {
  int64_t c = random_int(1, 5), h = random_int(1, 20), w = random_int(1, 40);
  struct planes from = random_planes(c, h, w, random_bits() & 1);
  struct planes to = random_planes(c, h, w, random_bits() & 1);
  float *memory, *x = random_value(from, &memory);
  float *result = guarded(planes_length(to)), *y = result + plane_origin(to);
  for (int part = 0; part < parts; part++) repack(from, x, to, y, part, parts);
  for (int64_t k = 0; k < c; k++)
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j < w; j++) {
        float got = y[k * to.plane_pitch + i * to.row_pitch + j];
        float wanted = x[k * from.plane_pitch + i * from.row_pitch + j];
        expect(got == wanted, "repack", got, wanted);
      }
  expect_halo("repack halo", to, result, false);
  release(memory);
  release(result);
}

static void check_phases(int parts) {
  struct planes in = random_planes(random_int(1, 4), random_int(1, 20), random_int(1, 30), true);
  struct phases s = {
    .input = in,
    .stride_y = random_int(1, 4),
    .stride_x = random_int(1, 4),
    .pad_top = random_int(0, 5),
    .pad_left = random_int(0, 5),
    .height = random_int(1, 12),
    .width = random_int(1, 18),
  };
  s.phases_y = random_int(1, s.stride_y);
  s.phases_x = random_int(1, s.stride_x);
  s.row_pitch = s.width;
  s.phase_pitch = s.height * s.row_pitch;
  int64_t length = in.planes * s.phases_y * s.phases_x * s.phase_pitch;
  float *memory, *x = random_value(in, &memory), *y = guarded(length), *at = y;
  for (int part = 0; part < parts; part++) phase_split(s, x, y, part, parts);
  for (int64_t c = 0; c < in.planes; c++)
    for (int64_t a = 0; a < s.phases_y; a++)
      for (int64_t b = 0; b < s.phases_x; b++)
        for (int64_t i = 0; i < s.height; i++)
          for (int64_t j = 0; j < s.width; j++, at++) {
            int64_t row = i * s.stride_y + a - s.pad_top, column = j * s.stride_x + b - s.pad_left;
            bool inside = row >= 0 && row < in.height && column >= 0 && column < in.width;
            float wanted = inside ? x[c * in.plane_pitch + row * in.row_pitch + column] : 0;
            expect(*at == wanted, "phase_split", *at, wanted);
          }
  expect_guard("phase_split", y, length);
  release(memory);
  release(y);
}

int main(void) {
  for (int round = 0; round < 600; round++) {
    check_repack(1 + round % 3);
    check_phases(1 + round % 3);
  }
  return report("planes");
}
