/* pooling.h: maximum, average and stochastic (test form) pooling with Caffe's windows.
 *
 * Window (i, j) covers rows i*stride_y - pad_y up to + kernel_y, cut at height + pad_y; likewise
 * columns. An average divides by that size, then the window is cut to the image: padding counts,
 * what lies beyond it does not. Windows may be empty: the maximum is then `start`, the average 0 /
 * size.
 */
#ifndef SPARSEC_POOLING_H
#define SPARSEC_POOLING_H

#include <float.h>

#include "planes.h"

enum pooling_method { POOLING_MAXIMUM, POOLING_AVERAGE, POOLING_STOCHASTIC };

struct pooling {
  struct planes input, output;
  int64_t kernel_y, kernel_x, stride_y, stride_x, pad_y, pad_x;
  enum pooling_method method;
  float start; /* maximum only: -FLT_MAX, or 0 when ReLU is fused */
};

struct window {
  int64_t begin, end; /* cut to the image; empty when end <= begin */
  int64_t size;       /* of the divisor */
};

ALWAYS_INLINE struct window window_at(
  int64_t i, int64_t stride, int64_t pad, int64_t kernel, int64_t extent
) {
  struct window w = {i * stride - pad, i * stride - pad + kernel, 0};
  if (w.end > extent + pad) w.end = extent + pad;
  w.size = w.end - w.begin;
  if (w.begin < 0) w.begin = 0;
  if (w.end > extent) w.end = extent;
  return w;
}

/* One output, for windows too wide for the buffer, and for the stochastic form: sum x^2 / sum x. Takes
 * no structure: one whose address is passed on is no constant to the compiler. */
SHARED float pooled_window(
  enum pooling_method method, float start, const float *plane, int64_t row_pitch,
  struct window rows, struct window columns
) {
  float most = start, sum = 0, plain = FLT_MIN;
  for (int64_t i = rows.begin; i < rows.end; i++)
    for (int64_t j = columns.begin; j < columns.end; j++) {
      float v = plane[i * row_pitch + j];
      if (v > most) most = v;
      if (method == POOLING_STOCHASTIC) {
        plain += v;
        sum += v * v;
      } else {
        sum += v;
      }
    }
  if (method == POOLING_MAXIMUM) return most;
  return sum / (method == POOLING_STOCHASTIC ? plain : (float)(rows.size * columns.size));
}

/* Columns of the buffer that holds a window's rows, already joined. */
#define POOLING_COLUMNS 2048

/* buffer[0..n) joins rows [rows.begin, rows.end) at columns shift .. shift + n; outside of the
 * image stands `start` (0 for sums). Comparing `x > most` skips NaN, as Caffe does. */
ALWAYS_INLINE void join_rows(
  const struct pooling p, const float *plane, struct window rows, int64_t shift, int64_t n,
  float *buffer
) {
  bool maximum = p.method == POOLING_MAXIMUM;
  int64_t begin = shift < 0 ? 0 : shift;
  int64_t end = shift + n < p.input.width ? shift + n : p.input.width;
  fill_floats(buffer, n, maximum ? p.start : 0);
  for (int64_t row = rows.begin; row < rows.end; row++) {
    const float *x = plane + row * p.input.row_pitch;
    int64_t j = begin;
    for (; j + LANES <= end; j += LANES) {
      vector v = load(x + j), so_far = load(buffer + j - shift);
      store(buffer + j - shift, maximum ? choose(v > so_far, v, so_far) : so_far + v);
    }
    for (; j < end; j++) {
      float *so_far = buffer + j - shift;
      *so_far = maximum ? (x[j] > *so_far ? x[j] : *so_far) : *so_far + x[j];
    }
  }
}

/* y[j] = the joined columns j*stride .. j*stride + kernel of the buffer, for `count` outputs; the
 * buffer is readable 2*LANES floats further. */
ALWAYS_INLINE void join_columns(
  const struct pooling p, const float *buffer, float *y, int64_t count
) {
  bool maximum = p.method == POOLING_MAXIMUM;
  int64_t j = 0;
  if (p.stride_x <= 2)
    for (; j < count; j += LANES) {
      const float *at = buffer + j * p.stride_x;
      vector v = p.stride_x == 1 ? load(at) : load_even(at);
      for (int64_t k = 1; k < p.kernel_x; k++) {
        vector next = p.stride_x == 1 ? load(at + k) : load_even(at + k);
        v = maximum ? choose(next > v, next, v) : v + next;
      }
      if (count - j >= LANES)
        store(y + j, v);
      else
        store_partial(y + j, v, count - j);
    }
  for (; j < count; j++) {
    const float *at = buffer + j * p.stride_x;
    float v = at[0];
    for (int64_t k = 1; k < p.kernel_x; k++) v = maximum ? (at[k] > v ? at[k] : v) : v + at[k];
    y[j] = v;
  }
}

/* Row i of one output plane. */
ALWAYS_INLINE void pooled_row(
  const struct pooling p, const float *plane, float *y, int64_t i, float *buffer
) {
  struct window rows = window_at(i, p.stride_y, p.pad_y, p.kernel_y, p.input.height);
  int64_t width = p.output.width;
  bool wide = p.kernel_x > POOLING_COLUMNS / 2 || p.stride_x > POOLING_COLUMNS / 2;
  if (p.method == POOLING_STOCHASTIC || wide) {
    for (int64_t j = 0; j < width; j++)
      y[j] = pooled_window(
        p.method, p.start, plane, p.input.row_pitch, rows,
        window_at(j, p.stride_x, p.pad_x, p.kernel_x, p.input.width)
      );
    return;
  }
  int64_t step = (POOLING_COLUMNS - p.kernel_x) / p.stride_x + 1;
  for (int64_t j = 0; j < width; j += step) {
    int64_t count = width - j < step ? width - j : step;
    join_rows(
      p, plane, rows, j * p.stride_x - p.pad_x, (count - 1) * p.stride_x + p.kernel_x, buffer
    );
    join_columns(p, buffer, y + j, count);
  }
  if (p.method != POOLING_AVERAGE) return;
  for (int64_t j = 0; j < width; j++) {
    struct window columns = window_at(j, p.stride_x, p.pad_x, p.kernel_x, p.input.width);
    y[j] /= (float)(rows.size * columns.size);
  }
}

/* Floats of the buffer that holds a plane with its padding. */
#define POOLING_PLANE 4096

/* Rows and row pitch of a plane with all that its windows cover. */
ALWAYS_INLINE int64_t covered_rows(const struct pooling p) {
  return (p.output.height - 1) * p.stride_y + p.kernel_y;
}
ALWAYS_INLINE int64_t covered_pitch(const struct pooling p) {
  return ((p.output.width - 1) * p.stride_x + p.kernel_x + LANES - 1) / LANES * LANES;
}

/* Small planes are copied into a frame of `start`s, which is there before: then all windows are
 * alike. */
ALWAYS_INLINE bool pools_in_frame(const struct pooling p) {
  return p.method == POOLING_MAXIMUM && p.stride_x <= 2 && p.output.width > 1 &&
         p.kernel_x <= POOLING_COLUMNS / 2 && covered_pitch(p) <= POOLING_COLUMNS &&
         covered_rows(p) <= POOLING_PLANE && covered_rows(p) * covered_pitch(p) <= POOLING_PLANE;
}

/* Whether all windows lie inside the image. */
ALWAYS_INLINE bool windows_lie_inside(const struct pooling p) {
  return p.pad_y == 0 && p.pad_x == 0 && covered_rows(p) <= p.input.height &&
         (p.output.width - 1) * p.stride_x + p.kernel_x <= p.input.width;
}

/* The largest of a window's rows, `pitch` floats apart, at LANES columns. */
ALWAYS_INLINE vector most_of_rows(const struct pooling p, const float *x, int64_t pitch) {
  vector most = broadcast(p.start);
  for (int64_t k = 0; k < p.kernel_y; k++) {
    vector v = load(x + k * pitch);
    most = choose(v > most, v, most);
  }
  return most;
}

ALWAYS_INLINE vector larger(vector a, vector b) { return choose(b > a, b, a); }

/* Windows up to 3 wide with stride 1 or 2 join their columns in registers: what a buffer takes as
 * whole vectors is not to be had from it between them before it has reached the cache. */
ALWAYS_INLINE bool pools_in_registers(const struct pooling p) {
  return p.kernel_x <= 3 && p.kernel_y <= 5 && p.stride_x <= 2;
}

/* The largest of LANES windows, the first of which begins at x. */
ALWAYS_INLINE vector most_of_windows(const struct pooling p, const float *x, int64_t pitch) {
  vector a = most_of_rows(p, x, pitch);
  if (p.stride_x == 1) {
    if (p.kernel_x > 1) a = larger(a, most_of_rows(p, x + 1, pitch));
    if (p.kernel_x > 2) a = larger(a, most_of_rows(p, x + 2, pitch));
    return a;
  }
  vector b = most_of_rows(p, x + LANES, pitch), most = even_lanes(a, b);
  if (p.kernel_x > 1) most = larger(most, odd_lanes(a, b));
  if (p.kernel_x > 2) {
    vector c = most_of_rows(p, x + 2, pitch), d = most_of_rows(p, x + 2 + LANES, pitch);
    most = larger(most, even_lanes(c, d));
  }
  return most;
}

/* All outputs of a plane whose windows are whole: they cover rows `pitch` floats apart from `frame`
 * on. Reads up to 2*LANES + 2 floats behind them. */
ALWAYS_INLINE void pool_whole_windows(
  const struct pooling p, const float *frame, int64_t pitch, float *y, float *buffer
) {
  const int64_t width = covered_pitch(p);
  for (int64_t i = 0; i < p.output.height; i++, y += p.output.row_pitch) {
    const float *row = frame + i * p.stride_y * pitch;
    if (pools_in_registers(p)) {
      for (int64_t j = 0; j < p.output.width; j += LANES) {
        vector most = most_of_windows(p, row + j * p.stride_x, pitch);
        if (p.output.width - j >= LANES)
          store(y + j, most);
        else
          store_partial(y + j, most, p.output.width - j);
      }
      continue;
    }
    for (int64_t j = 0; j < width; j += LANES) store(buffer + j, most_of_rows(p, row + j, pitch));
    join_columns(p, buffer, y, p.output.width);
  }
}

/* Planes [first, end) whose windows are all alike: they lie inside, or are made so by a frame. */
ALWAYS_INLINE void pool_planes_alike(
  const struct pooling p, const float *x, float *y, int64_t first, int64_t end
) {
  const bool inside = windows_lie_inside(p);
  float buffer[pools_in_registers(p) ? 1 : POOLING_COLUMNS + 8 * LANES];
  float frame[inside ? 1 : POOLING_PLANE + 4 * LANES];
  const int64_t pitch = covered_pitch(p), rows = covered_rows(p);
  if (!pools_in_registers(p)) fill_floats(buffer, pitch + 8 * LANES, 0);
  if (!inside) fill_floats(frame, rows * pitch + 4 * LANES, p.start);
  const int64_t below = rows - p.pad_y, right = pitch - p.pad_x;
  const int64_t height = p.input.height < below ? p.input.height : below;
  const int64_t width = p.input.width < right ? p.input.width : right;
  for (int64_t c = first; c < end; c++) {
    const float *plane = x + c * p.input.plane_pitch;
    float *to = y + c * p.output.plane_pitch;
    if (inside) {
      pool_whole_windows(p, plane, p.input.row_pitch, to, buffer);
      continue;
    }
    for (int64_t i = 0; i < height && width > 0; i++)
      copy_floats(frame + (i + p.pad_y) * pitch + p.pad_x, plane + i * p.input.row_pitch, width);
    pool_whole_windows(p, frame, pitch, to, buffer);
  }
}

/* The average of a whole plane, whose one window covers it. */
ALWAYS_INLINE float average_of_plane(const struct pooling p, const float *plane) {
  vector sum = {0};
  float rest = 0;
  for (int64_t row = 0; row < p.input.height; row++, plane += p.input.row_pitch) {
    int64_t j = 0;
    for (; j + LANES <= p.input.width; j += LANES) sum += load(plane + j);
    for (; j < p.input.width; j++) rest += plane[j];
  }
  return (sum_of_lanes(sum) + rest) / (float)(p.kernel_y * p.kernel_x);
}

/* Planes [first, end), row by row. */
ALWAYS_INLINE void pool_rows(
  const struct pooling p, const float *x, float *y, int64_t first, int64_t end
) {
  float buffer[POOLING_COLUMNS + 8 * LANES] = {0};
  for (int64_t c = first; c < end; c++)
    for (int64_t i = 0; i < p.output.height; i++)
      pooled_row(
        p, x + c * p.input.plane_pitch, y + c * p.output.plane_pitch + i * p.output.row_pitch, i,
        buffer
      );
}

/* Not in place. Split over planes. */
ALWAYS_INLINE void pooling(const struct pooling p, const float *x, float *y, int part, int parts) {
  int64_t first = part_start(p.output.planes, part, parts);
  int64_t end = part_start(p.output.planes, part + 1, parts);
  const bool global = p.method == POOLING_AVERAGE && p.output.height * p.output.width == 1 &&
                      p.pad_y == 0 && p.pad_x == 0 && p.kernel_y == p.input.height &&
                      p.kernel_x == p.input.width;
  if (pools_in_frame(p))
    pool_planes_alike(p, x, y, first, end);
  else if (global)
    for (int64_t c = first; c < end; c++)
      y[c * p.output.plane_pitch] = average_of_plane(p, x + c * p.input.plane_pitch);
  else
    pool_rows(p, x, y, first, end);
  zero_halo_of_planes(p.output, y, first, end);
}

/* Maximum pooling's second top: the flat index row*width + column of the first maximum in its
 * plane, -1 for an empty window. y has the output's layout. Split over planes. */
ALWAYS_INLINE void pooling_mask(
  const struct pooling p, const float *x, float *y, int part, int parts
) {
  int64_t first = part_start(p.output.planes, part, parts);
  int64_t end = part_start(p.output.planes, part + 1, parts);
  for (int64_t c = first; c < end; c++)
    for (int64_t i = 0; i < p.output.height; i++)
      for (int64_t j = 0; j < p.output.width; j++) {
        struct window rows = window_at(i, p.stride_y, p.pad_y, p.kernel_y, p.input.height);
        struct window columns = window_at(j, p.stride_x, p.pad_x, p.kernel_x, p.input.width);
        float most = -FLT_MAX;
        int64_t at = -1;
        for (int64_t r = rows.begin; r < rows.end; r++)
          for (int64_t s = columns.begin; s < columns.end; s++) {
            float v = x[c * p.input.plane_pitch + r * p.input.row_pitch + s];
            if (v > most) {
              most = v;
              at = r * p.input.width + s;
            }
          }
        y[c * p.output.plane_pitch + i * p.output.row_pitch + j] = (float)at;
      }
  zero_halo_of_planes(p.output, y, first, end);
}

#endif
