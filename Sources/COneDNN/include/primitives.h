/* primitives.h: the primitives of oneDNN that training needs, forward and backward, each behind a few functions.
 *
 * All arrays are float32. Functions that make something return NULL if oneDNN cannot. Objects belong to the context
 * they were made with and must be freed before it; a context serves one thread at a time. */
#ifndef SPARSEC_PRIMITIVES_H
#define SPARSEC_PRIMITIVES_H

#include <stdbool.h>
#include <stdint.h>

/* How the elements of an array [N, C, H, W] lie in memory. Arrays of other numbers of axes are always plain. A
 * blocked format keeps 8 or 16 neighbouring channels together, and is used only where the channels divide by that:
 * no format has padding. */
typedef enum {
  dnn_plain = 0,
  dnn_channels_last = 1,
  dnn_blocked8 = 2,
  dnn_blocked16 = 3,
} dnn_format;

enum { dnn_max_axes = 12 };

typedef struct {
  int axes;
  int64_t extents[dnn_max_axes];
} dnn_shape;

/* Where the library keeps its engine and the memory that primitives use while they run. */
typedef struct dnn_context dnn_context;

/* A context whose primitives run on `threads` threads. */
dnn_context *dnn_context_make(int threads);
void dnn_context_free(dnn_context *context);

/* The block of channels that this machine's vector units like: 8 or 16. */
int dnn_vector_width(void);

/* Calls `body` with every part from 0 to `parts` - 1, on as many of the same threads as oneDNN's primitives use. */
void dnn_parallel(int threads, int parts, void (*body)(int part, void *state), void *state);

/* C = alpha * op(A) * op(B) + beta * C, row-major, on the context's threads; op(A) is m x k, op(B) k x n. */
void dnn_product(dnn_context *context, bool transposes_a, bool transposes_b, int64_t m, int64_t n, int64_t k,
  float alpha, const float *a, const float *b, float beta, float *c);

/* A primitive and the arrays it was told to work on. */
typedef struct dnn_operation dnn_operation;
void dnn_operation_free(dnn_operation *operation);
/* Runs with the arrays given, in the order that the function that made the operation states. */
void dnn_operation_run(dnn_operation *operation, float *const *arrays);

/* Arrays: source, destination. `adds`: to what the destination holds. */
dnn_operation *dnn_reorder(dnn_context *context, dnn_shape shape, dnn_format from, dnn_format to, bool adds);

/* Functions of one number; formulas in oneDNN's eltwise primitive. */
typedef enum {
  dnn_tanh,
  dnn_logistic,
  dnn_elu,
  dnn_exp,
  dnn_softplus,
} dnn_function;

/* Arrays: source, destination, which may be the same. */
dnn_operation *dnn_eltwise(dnn_context *context, int64_t count, dnn_function function, float alpha);

/* destination = sum of scale * source. Arrays: the sources, then the destination, which may be the first source. */
dnn_operation *dnn_sum(dnn_context *context, int64_t count, int sources, const float *scales);

/* A forward primitive and its backward counterpart. */
typedef struct {
  dnn_operation *forward;
  dnn_operation *backward;
} dnn_pair;

typedef struct {
  dnn_shape source, destination;
  dnn_format format;
  bool is_maximum;
  /* Only for averages: whether padding counts in the divisor. */
  bool counts_padding;
  int64_t kernel[2], stride[2], before[2], after[2];
} dnn_pooling;

/* Forward arrays: source, destination. Backward arrays: gradient of the destination, gradient of the source.
 * `trains`: whether there is a backward counterpart. */
dnn_pair dnn_pooling_make(dnn_context *context, const dnn_pooling *pooling, bool trains);

/* Maximum pooling of `outer` arrays [rows, columns, inner] each, padded by `before` with nothing. */
typedef struct {
  int64_t outer, rows, columns, inner, output_rows, output_columns;
  int64_t kernel[2], stride[2], before[2];
} dnn_maximum;

/* `taps`, as long as the destination, receives which of the positions that a window covers holds its first maximum;
 * -1, and a result of -FLT_MAX, if it covers none. */
void dnn_maximum_forward(
  int threads, const dnn_maximum *pooling, const float *source, float *destination, int32_t *taps);
/* Overwrites the gradient of the source. */
void dnn_maximum_backward(
  int threads, const dnn_maximum *pooling, const float *gradient, float *result, int32_t *taps);

/* Tiles of plain planes [images, channels, rows, columns], `step` apart, the first `before` the first row and column;
 * the window of a tile is `extent` by `extent` and meets zeros outside the plane. In Winograd's domain a tile has
 * `points` by `points` numbers; each of those lies [channels, images, tiles], one point behind the other. */
typedef struct {
  int64_t images, channels, rows, columns;
  int64_t tile_rows, tile_columns, step, before[2];
  /* 4 or as many as points; 6 or 8. */
  int extent, points;
} dnn_tiling;

/* points = matrix window matrix^T; matrix: [points x extent]. */
void dnn_tiles_gather(
  int threads, const dnn_tiling *tiling, const float *matrix, const float *planes, float *points);
/* window = matrix points matrix^T, written or added; matrix: [extent x points]. Windows that overlap must be added. */
void dnn_tiles_scatter(
  int threads, const dnn_tiling *tiling, const float *matrix, const float *points, float *planes, bool adds);

typedef struct {
  dnn_shape shape;
  dnn_format format;
  bool across_channels;
  int64_t size;
  float alpha, beta, k;
} dnn_lrn;

/* Forward arrays: source, destination. Backward arrays: source, gradient of the destination, of the source. */
dnn_pair dnn_lrn_make(dnn_context *context, const dnn_lrn *lrn, bool trains);

typedef struct {
  dnn_shape shape;
  dnn_format format;
  float epsilon;
  /* Whether mean and variance are given instead of measured. */
  bool uses_given;
  /* Whether the result is multiplied by a scale and shifted, per channel. */
  bool scales;
  /* Whether what is not above 0 after that becomes 0; also what is no number. */
  bool rectifies;
} dnn_batch_norm;

/* Normalisation over all axes but the channels'. Forward arrays: source, destination, mean [C], variance [C] and,
 * if it scales, scale [C], shift [C]; mean and variance are written unless they are given. Backward arrays: source,
 * gradient of the destination, of the source (may be the destination's), mean, variance and, if it scales, scale,
 * shift, gradient of the scale, of the shift (both overwritten). */
dnn_pair dnn_batch_norm_make(dnn_context *context, const dnn_batch_norm *norm, bool trains);

typedef struct {
  dnn_shape source, destination;
  dnn_format source_format, destination_format;
  int groups, spatial;
  bool has_bias;
  /* Per spatial axis; a dilation of 1 is none. */
  int64_t kernel[3], stride[3], pad[3], dilation[3];
  bool wants_source_gradient, wants_weight_gradient;
} dnn_convolution_geometry;

/* A convolution with weights [filters, channels / groups, kernel...], plain. */
typedef struct dnn_convolution dnn_convolution;

/* NULL also if the formats would take a slow reference loop, unless `accepts_reference`. */
dnn_convolution *dnn_convolution_make(
  dnn_context *context, const dnn_convolution_geometry *geometry, bool accepts_reference);
void dnn_convolution_free(dnn_convolution *convolution);
/* `bias` is not looked at if there is none. */
void dnn_convolution_forward(
  dnn_convolution *convolution, float *source, float *weights, float *bias, float *destination);
void dnn_convolution_source_gradient(
  dnn_convolution *convolution, float *destination_gradient, float *weights, float *source_gradient);
/* Adds to both gradients; that of the bias is not looked at if there is none. */
void dnn_convolution_weight_gradient(dnn_convolution *convolution, float *source, float *destination_gradient,
  float *weight_gradient, float *bias_gradient);

#endif
