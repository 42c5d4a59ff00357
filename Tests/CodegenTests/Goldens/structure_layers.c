/* bordered: BorderBias [1,4,5,6] -> [1,4,5,6]
 * classes 0x1,1x3,2x1 0x1,1x4,2x1
 * weights [4,3,3], 31 of 36 not zero (86.1 %)
 * kernel border_bias: 18 of 30 places have a bias
 */
static void layer_bordered(float *arena, int part, int parts) {
  border_bias(
    (struct border_bias){
      .input = {.planes = 4, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1},
      .output = {.planes = 4, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1},
      .channels = 4, .channel_pitch = 18,
      .rectifier = RECTIFIER_NONE,
    },
    arena + 16, (const struct border_row *)(sparsec_weights + 0), (const float *)(sparsec_weights + 64), arena + 16, part, parts);
}

/* compact: Convolution [1,4,5,6] -> [1,4,5,6]
 * filters 4, kernel 3x3, pad 1x1, groups 2
 * weights [4,2,3,3], 26 of 72 not zero (36.1 %)
 * kernel convolution_columns: asked for by --kernel
 */
static void layer_compact(float *arena, int part, int parts) {
  convolution_columns(
    (struct convolution_columns){
      .output = {.planes = 4, .height = 5, .width = 6, .row_pitch = 6, .plane_pitch = 30},
      .row_pitch = 7, .group_pitch = 160,
      .blocks = 2, .block_sizes = 0x6, .columns_block = 18,
      .tile_outputs = 2, .tile_vectors = 4, .band = 512,
      .rectifier = RECTIFIER_NONE,
    },
    arena + 16, (const struct columns_block *)(sparsec_weights + 384), (const uint32_t *)(sparsec_weights + 448), (const int32_t *)(sparsec_weights + 512), (const float *)(sparsec_weights + 640), (const float *)(sparsec_weights + 768), arena + 336, part, parts);
}

/* normalised: LRN [1,4,5,6] -> [1,4,5,6]
 * size 3, alpha 1.0, beta 0.75, positions 0,1,3,7
 * weights [4], 2 of 4 not zero (50.0 %)
 * kernel lrn: with windows from a table, since channels between the others are gone
 */
static void layer_normalised(float *arena, int part, int parts) {
  lrn_windows(
    (struct lrn){
      .input = {.planes = 4, .height = 5, .width = 6, .row_pitch = 6, .plane_pitch = 30},
      .output = {.planes = 4, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1},
      .size = 3, .alpha = 1.0f,
      .beta = 0.75f, .k = 1.0f,
    },
    (const struct lrn_window *)(sparsec_weights + 832), arena + 336, arena + 16, part, parts);
}

/* constant: Constant [1,4,5,6] -> [1,4,5,6]
 * item 4x5x6
 * weights [4,5,6], 108 of 120 not zero (90.0 %)
 * kernel constant: copied, since nothing has to be computed
 */
static void layer_constant(float *arena, int part, int parts) {
  box_copy(
    (struct box_copy){
      .axes = 3, .extent = {4, 5, 6},
      .x_stride = {30, 6, 1}, .y_stride = {80, 7, 1},
    },
    (const float *)(sparsec_weights + 896), arena + 352, part, parts);
  zero_halo((struct planes){.planes = 4, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1}, arena + 352, part, parts);
}

/* sum: Eltwise [1,4,5,6], [1,4,5,6] -> [1,4,5,6]
 * kernel eltwise: the kernel for this type of layer
 */
static void layer_sum(float *arena, int part, int parts) {
  const struct eltwise_input inputs[] = {
    {arena + 16, 7, 80, 1.0f},
    {arena + 352, 7, 80, 1.0f},
  };
  eltwise(
    (struct eltwise){
      .output = {.planes = 4, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 80, .top = 1, .bottom = 1, .left = 1, .right = 1},
      .operation = ELTWISE_SUM, .inputs = 2,
      .rectifier = RECTIFIER_NONE,
    },
    inputs, arena + 16, part, parts);
}

/* last: Convolution [1,4,5,6] -> [1,1,5,6]
 * filters 1, kernel 3x3, pad 1x1, bias none
 * weights [1,4,3,3], 36 of 36 not zero (100.0 %)
 * kernel convolution_sparse: 100.0 % of the weights are not zero, and only they are visited
 */
static void layer_last(float *arena, int part, int parts) {
  convolution_sparse(
    (struct convolution_sparse){
      .output = {.planes = 1, .height = 5, .width = 6, .row_pitch = 7, .plane_pitch = 48, .top = 0, .bottom = 0, .left = 1, .right = 1},
      .row_pitch = 7,
      .slabs = 1, .vectors = 5, .groups = 1,
      .rectifier = RECTIFIER_NONE,
    },
    (struct sparse_arrays){
      .x = arena + 16, .y = arena + 352,
      .taps = (const struct tap *)(sparsec_weights + 1408),
      .rows = (const struct sparse_row *)(sparsec_weights + 1728),
      .group_starts = (const uint32_t *)(sparsec_weights + 1792),
    },
    part, parts);
}


