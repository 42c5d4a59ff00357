/* net.c: the network "three layers", compiled by sparsec for x86-64-v3.
 * One function per layer, in the order in which they run; each does its part of one item.
 * Weights lie beside this text, in the form in which the kernels read them.
 */
#include "convolution_sparse.h"
#include "inner_product_dense.h"
#include "network.h"
#include "planes.h"
#include "pooling.h"

#if !defined(__AVX__) || defined(__AVX512F__)
#error "weights are packed for vectors of 8 floats"
#endif

extern const unsigned char sparsec_weights[] HIDDEN;
extern const char sparsec_manifest[] HIDDEN;

/* conv1: Repack [1,2,6,6] -> [1,2,6,6]
 * kernel repack: the next layer reads another layout
 */
static void layer_conv1(float *arena, int part, int parts) {
  repack(
    (struct planes){.planes = 2, .height = 6, .width = 6, .row_pitch = 6, .plane_pitch = 36}, arena + 0,
    (struct planes){.planes = 2, .height = 6, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1}, arena + 224, part, parts);
}

/* conv1: Convolution [1,2,6,6] -> [1,4,6,6]
 * filters 4, kernel 3x3, pad 1x1, activation ReLU
 * with relu1 (ReLU)
 * weights [4,2,3,3], 35 of 72 not zero (48.6 %)
 * kernel convolution_sparse: 48.6 % of the weights are not zero, and only they are visited
 */
static void layer_conv1_2(float *arena, int part, int parts) {
  convolution_sparse(
    (struct convolution_sparse){
      .output = {.planes = 4, .height = 6, .width = 6, .row_pitch = 7, .plane_pitch = 48, .top = 0, .bottom = 0, .left = 1, .right = 1},
      .row_pitch = 7,
      .slabs = 1, .vectors = 6, .groups = 1,
      .rectifier = RECTIFIER_RELU,
    },
    (struct sparse_arrays){
      .x = arena + 224, .y = arena + 16,
      .taps = (const struct tap *)(sparsec_weights + 0),
      .rows = (const struct sparse_row *)(sparsec_weights + 320),
      .group_starts = (const uint32_t *)(sparsec_weights + 384),
      .bias = (const float *)(sparsec_weights + 448),
    },
    part, parts);
}

/* pool1: Pooling [1,4,6,6] -> [1,4,3,3]
 * reduction max, kernel 2x2, stride 2x2
 * kernel pooling: the kernel for this type of layer
 */
static void layer_pool1(float *arena, int part, int parts) {
  pooling(
    (struct pooling){
      .input = {.planes = 4, .height = 6, .width = 6, .row_pitch = 7, .plane_pitch = 48, .top = 0, .bottom = 0, .left = 1, .right = 1},
      .output = {.planes = 4, .height = 3, .width = 3, .row_pitch = 3, .plane_pitch = 9},
      .kernel_y = 2, .kernel_x = 2,
      .stride_y = 2, .stride_x = 2,
      .pad_y = 0, .pad_x = 0,
      .method = POOLING_MAXIMUM, .start = -FLT_MAX,
    },
    arena + 16, arena + 208, part, parts);
}

/* score: InnerProduct [1,4,3,3] -> [1,3]
 * outputs 3, bias none
 * weights [3,36], 86 of 108 not zero (79.6 %)
 * kernel inner_product_dense: 79.6 % of the weights are not zero; all are streamed
 */
static void layer_score(float *arena, int part, int parts) {
  inner_product_dense(
    (struct inner_product_dense){
      .outputs = 3, .inputs = 36,
      .rectifier = RECTIFIER_NONE,
    },
    arena + 208, (const float *)(sparsec_weights + 512), NULL, arena + 0, part, parts);
}


static const int64_t shape_0[] = {1, 2, 6, 6};
static const int64_t shape_1[] = {1, 4, 6, 6};
static const int64_t shape_2[] = {1, 4, 3, 3};
static const int64_t shape_3[] = {1, 3};

static const struct network_blob blobs[] = {
  {{"data", "", 4, shape_0, 72},
   {.offset = 0, .planes = 2, .height = 6, .width = 6, .plane_pitch = 36, .row_pitch = 6},
   -1},
  {{"conv1", "relu1", 4, shape_1, 144},
   {.offset = 16, .planes = 4, .height = 6, .width = 6, .plane_pitch = 48, .row_pitch = 7},
   1},
  {{"pool1", "pool1", 4, shape_2, 36},
   {.offset = 208, .planes = 4, .height = 3, .width = 3, .plane_pitch = 9, .row_pitch = 3},
   2},
  {{"score", "score", 2, shape_3, 3},
   {.offset = 0, .planes = 1, .height = 1, .width = 3, .plane_pitch = 3, .row_pitch = 3},
   3},
};

static const struct network_layer layers[] = {
  {"conv1", layer_conv1},
  {"conv1", layer_conv1_2},
  {"pool1", layer_pool1},
  {"score", layer_score},
};

static const int inputs[] = {0};
static const int outputs[] = {3};

#ifdef __SSE4_2__
#define HAS__SSE4_2__ CPU_SSE42
#else
#define HAS__SSE4_2__ 0
#endif
#ifdef __AVX__
#define HAS__AVX__ CPU_AVX
#else
#define HAS__AVX__ 0
#endif
#ifdef __AVX2__
#define HAS__AVX2__ CPU_AVX2
#else
#define HAS__AVX2__ 0
#endif
#ifdef __FMA__
#define HAS__FMA__ CPU_FMA
#else
#define HAS__FMA__ 0
#endif
#ifdef __F16C__
#define HAS__F16C__ CPU_F16C
#else
#define HAS__F16C__ 0
#endif
#ifdef __BMI2__
#define HAS__BMI2__ CPU_BMI2
#else
#define HAS__BMI2__ 0
#endif
#ifdef __AVX512F__
#define HAS__AVX512F__ CPU_AVX512F
#else
#define HAS__AVX512F__ 0
#endif
#ifdef __AVX512BW__
#define HAS__AVX512BW__ CPU_AVX512BW
#else
#define HAS__AVX512BW__ 0
#endif
#ifdef __AVX512CD__
#define HAS__AVX512CD__ CPU_AVX512CD
#else
#define HAS__AVX512CD__ 0
#endif
#ifdef __AVX512DQ__
#define HAS__AVX512DQ__ CPU_AVX512DQ
#else
#define HAS__AVX512DQ__ 0
#endif
#ifdef __AVX512VL__
#define HAS__AVX512VL__ CPU_AVX512VL
#else
#define HAS__AVX512VL__ 0
#endif
#ifdef __AVX512VNNI__
#define HAS__AVX512VNNI__ CPU_AVX512VNNI
#else
#define HAS__AVX512VNNI__ 0
#endif
#ifdef __AVX512BF16__
#define HAS__AVX512BF16__ CPU_AVX512BF16
#else
#define HAS__AVX512BF16__ 0
#endif
#ifdef __AVX512VBMI__
#define HAS__AVX512VBMI__ CPU_AVX512VBMI
#else
#define HAS__AVX512VBMI__ 0
#endif
#ifdef __AVX512FP16__
#define HAS__AVX512FP16__ CPU_AVX512FP16
#else
#define HAS__AVX512FP16__ 0
#endif
#ifdef __AVXVNNI__
#define HAS__AVXVNNI__ CPU_AVXVNNI
#else
#define HAS__AVXVNNI__ 0
#endif
#ifdef __POPCNT__
#define HAS__POPCNT__ CPU_POPCNT
#else
#define HAS__POPCNT__ 0
#endif
#ifdef __MOVBE__
#define HAS__MOVBE__ CPU_MOVBE
#else
#define HAS__MOVBE__ 0
#endif
#ifdef __BMI__
#define HAS__BMI__ CPU_BMI
#else
#define HAS__BMI__ 0
#endif
#ifdef __LZCNT__
#define HAS__LZCNT__ CPU_LZCNT
#else
#define HAS__LZCNT__ 0
#endif
#ifdef __GFNI__
#define HAS__GFNI__ CPU_GFNI
#else
#define HAS__GFNI__ 0
#endif
#ifdef __AVX512IFMA__
#define HAS__AVX512IFMA__ CPU_AVX512IFMA
#else
#define HAS__AVX512IFMA__ 0
#endif
#ifdef __AVX512VBMI2__
#define HAS__AVX512VBMI2__ CPU_AVX512VBMI2
#else
#define HAS__AVX512VBMI2__ 0
#endif
#ifdef __AVX512BITALG__
#define HAS__AVX512BITALG__ CPU_AVX512BITALG
#else
#define HAS__AVX512BITALG__ 0
#endif
#ifdef __AVX512VPOPCNTDQ__
#define HAS__AVX512VPOPCNTDQ__ CPU_AVX512VPOPCNTDQ
#else
#define HAS__AVX512VPOPCNTDQ__ 0
#endif
#define FEATURES \
  (HAS__SSE4_2__ | \
   HAS__AVX__ | \
   HAS__AVX2__ | \
   HAS__FMA__ | \
   HAS__F16C__ | \
   HAS__BMI2__ | \
   HAS__AVX512F__ | \
   HAS__AVX512BW__ | \
   HAS__AVX512CD__ | \
   HAS__AVX512DQ__ | \
   HAS__AVX512VL__ | \
   HAS__AVX512VNNI__ | \
   HAS__AVX512BF16__ | \
   HAS__AVX512VBMI__ | \
   HAS__AVX512FP16__ | \
   HAS__AVXVNNI__ | \
   HAS__POPCNT__ | \
   HAS__MOVBE__ | \
   HAS__BMI__ | \
   HAS__LZCNT__ | \
   HAS__GFNI__ | \
   HAS__AVX512IFMA__ | \
   HAS__AVX512VBMI2__ | \
   HAS__AVX512BITALG__ | \
   HAS__AVX512VPOPCNTDQ__)

const struct network sparsec_network = {
  .manifest = sparsec_manifest,
  .features = FEATURES,
  .max_batch = 4,
  .arena_floats = 448,
  .input_count = 1, .inputs = inputs,
  .output_count = 1, .outputs = outputs,
  .blob_count = 4, .blobs = blobs,
  .layer_count = 4, .layers = layers,
};
