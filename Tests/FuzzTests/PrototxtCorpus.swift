import Foundation
import TestSupport

/// Definitions of every generation and dialect, small enough to reach every corner of with damage.
enum PrototxtCorpus {
  static let files: [[UInt8]] = (made + [solver, solver, wholeSolver, training] + shared).map {
    Array($0.utf8)
  }

  /// What the models of `CaffemodelCorpus` are weights for.
  static let weighted = """
    name: "small"
    input: "data"
    input_shape { dim: 1 dim: 2 dim: 6 dim: 6 }
    layer { name: "conv" type: "CConvolution" bottom: "data" top: "conv"
      convolution_param { num_output: 4 kernel_size: 3 group: 2 } }
    layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
    layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
    layer { name: "prelu" type: "PReLU" bottom: "conv" top: "conv" }
    layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc"
      param { name: "w" share_mode: PERMISSIVE } inner_product_param { num_output: 3 } }
    layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
    """

  /// Nets that are in order.
  static let made = [weighted, wide, oldest, older, forks, trainVal, rearranging]

  /// Nets beside the checkout; without them there is less to damage, and no less to check.
  private static let shared: [String] = {
    let folders = ["golden/inference/tiny", "models/prototxt"].compactMap(SharedFiles.find)
    let files = folders.flatMap { folder in
      (FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.allObjects
        ?? [])
        .compactMap { $0 as? URL }
        .filter { $0.pathExtension == "prototxt" }
    }
    return files.sorted { $0.path < $1.path }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }
      .filter { $0.utf8.count < 24 << 10 }
  }()

  private static let wide = """
    name: "wide" # layers that take numbers
    layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: [ 2, 4, 9, 8 ] } } }
    layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param {
      num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0 dilation: 1 group: 2
      weight_filler { type: "xavier" } } param { lr_mult: 1 decay_mult: 1 } }
    layer { name: "d" type: "Deconvolution" bottom: "c" top: "d"
      convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 bias_term: false } }
    layer { name: "p" type: "Pooling" bottom: "d" top: "p"
      pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
    layer { name: "n" type: "LRN" bottom: "p" top: "n"
      lrn_param { local_size: 5 alpha: 1e-4 beta: .75 norm_region: WITHIN_CHANNEL } }
    layer { name: "pow" type: "Power" bottom: "n" top: "n"
      power_param { power: 2. scale: -0.5 shift: 1 } }
    layer { name: "elu" type: "ELU" bottom: "n" top: "n" elu_param { alpha: 0.1 } }
    layer { name: "mvn" type: "MVN" bottom: "n" top: "m" mvn_param { across_channels: true } }
    layer { name: "sum" type: "Eltwise" bottom: "n" bottom: "m" top: "sum"
      eltwise_param { operation: SUM coeff: 1 coeff: -1 } }
    layer { name: "spp" type: "SPP" bottom: "sum" top: "spp" spp_param { pyramid_height: 2 } }
    layer { name: "fc" type: "InnerProduct" bottom: "spp" top: "fc"
      inner_product_param { num_output: 5 axis: 1 transpose: true } }
    layer { name: "max" type: "ArgMax" bottom: "fc" top: "max" argmax_param { top_k: 2 axis: 1 } }
    """

  private static let rearranging = """
    input: "a" input_dim: 2 input_dim: 6 input_dim: 4 input_dim: 4
    input: "b" input_dim: 2 input_dim: 3 input_dim: 2 input_dim: 2
    layer { name: "slice" type: "Slice" bottom: "a" top: "s1" top: "s2"
      slice_param { axis: 1 slice_point: 2 } }
    layer { name: "crop" type: "Crop" bottom: "s2" bottom: "b" top: "crop"
      crop_param { axis: 2 offset: 1 offset: 2 } }
    layer { name: "tile" type: "Tile" bottom: "s1" top: "tile" tile_param { axis: 1 tiles: 3 } }
    layer { name: "cat" type: "Concat" bottom: "tile" bottom: "a" top: "cat"
      concat_param { axis: -3 } }
    layer { name: "shape" type: "Reshape" bottom: "cat" top: "shape"
      reshape_param { shape { dim: 0 dim: -1 dim: 8 } axis: 0 num_axes: -1 } }
    layer { name: "flat" type: "Flatten" bottom: "crop" top: "flat"
      flatten_param { axis: 1 end_axis: -1 } }
    layer { name: "red" type: "Reduction" bottom: "shape" top: "red"
      reduction_param { operation: SUMSQ axis: 2 coeff: 0.5 } }
    layer { name: "emb" type: "Embed" bottom: "red" top: "emb"
      embed_param { num_output: 3 input_dim: 7 } }
    layer { name: "par" type: "Parameter" top: "par" parameter_param { shape { dim: 2 dim: 3 } } }
    layer { name: "col" type: "Im2col" bottom: "b" top: "col"
      convolution_param { kernel_size: 2 } }
    layer { name: "clip" type: "Clip" bottom: "col" top: "clip" clip_param { min: -1 max: 1 } }
    layer { name: "quiet" type: "Silence" bottom: "emb" bottom: "par" }
    """

  private static let oldest = """
    name: "V0" input: "data" input_dim: 1 input_dim: 3 input_dim: 12 input_dim: 12
    layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
    layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 group: 1 stride: 2
      biasterm: true weight_filler { type: "gaussian" std: 0.01 } blobs_lr: 1. weight_decay: 0. }
      bottom: "pad1" top: "conv1" }
    layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
    layers { layer { name: "pool1" type: "pool" pool: MAX kernelsize: 3 stride: 2 }
      bottom: "conv1" top: "pool1" }
    layers { layer { name: "norm1" type: "lrn" local_size: 5 alpha: 0.0001 beta: 0.75 }
      bottom: "pool1" top: "norm1" }
    layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.5 }
      bottom: "norm1" top: "norm1" }
    layers { layer { name: "fc" type: "innerproduct" num_output: 10 } bottom: "norm1" top: "fc" }
    layers { layer { name: "prob" type: "softmax" } bottom: "fc" top: "prob" }
    """

  private static let older = """
    name: "V1" input: "data" input_shape < dim: 2, dim: 4, dim: 7, dim: 7 >
    input: "label" input_shape { dim: 2 }
    layers { bottom: "data" top: "c" name: "c" type: CONVOLUTION blobs_lr: 1 blobs_lr: 2
      weight_decay: 1 weight_decay: 0 param: "w" param: "b" blob_share_mode: PERMISSIVE
      convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
    layers { bottom: "c" top: "c2" name: "c2" type: CONVOLUTION param: "w" param: "b"
      convolution_param { num_output: 4 kernel_size: 3 pad: 1 } include { phase: TEST } }
    layers { bottom: "c2" bottom: "c" top: "e" name: "e" type: ELTWISE
      eltwise_param { operation: MAX } exclude { stage: "never" min_level: 2 } }
    layers { bottom: "e" top: "s" name: "s" type: SLICE top: "t" slice_param { slice_dim: 1 } }
    layers { bottom: "s" bottom: "t" top: "cat" name: "cat" type: CONCAT
      concat_param { concat_dim: 1 } }
    layers { name: "fc" type: 14 bottom: "cat" top: "fc" inner_product_param { num_output: 2 } }
    layers { name: "l" type: 21 bottom: "fc" bottom: "label" loss_weight: 0.5 }
    """

  private static let forks = """
    name: "forks" input: "data" input_dim: 1 input_dim: 2 input_dim: 10 input_dim: 10
    layer { name: "a" type: "CConvolution" bottom: "data" top: "a" param { lr_mult: 1 }
      param { lr_mult: 2 } param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 }
      convolution_param { num_output: 4 kernel_size: 3 }
      cconvolution_param { c_rate: 2 gamma: 0.0001 power: 1 iter_stop: 14000
        weight_mask_filler { type: "constant" value: 1 } } }
    layer { name: "b" type: "ConvolutionReLUPoolLRN" bottom: "a" top: "b"
      convolution_param { num_output: 4 kernel_size: 3 pad: 1 conv_mode: LOWERED_CSRMM }
      pooling_param { kernel_size: 2 stride: 2 } lrn_param { local_size: 3 } }
    layer { name: "c" type: "Winograd" bottom: "b" top: "c"
      convolution_param { num_output: 2 kernel_size: 3 pad: 1 } }
    layer { name: "d" type: "Convolution" bottom: "c" top: "d"
      connectivity_mode: DISCONNECTED_ELTWISE
      param { breadth_decay_mult: 1 block_group_lasso { xdimen: 2 ydimen: 2 block_decay_mult: 1 } }
      convolution_param { num_output: 2 kernel_size: 1 } }
    layer { name: "e" type: "InnerProductReLUDropout" bottom: "d" top: "e"
      inner_product_param { num_output: 6 } dropout_param { dropout_ratio: 0.5 } }
    layer { name: "f" type: "CInnerProduct" bottom: "e" top: "f"
      inner_product_param { num_output: 3 } cinner_product_param { c_rate: 1 } }
    """

  private static let trainVal = """
    name: "train_val" state { phase: TEST stage: "s" level: 1 }
    layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST }
      transform_param { mirror: false crop_size: 8 mean_value: 104 mean_value: 117 scale: 0.0039 }
      data_param { source: "db" batch_size: 5 backend: LMDB } }
    layer { name: "d2" type: "DummyData" top: "x" dummy_data_param { num: 5 channels: 3 height: 8
      width: 8 data_filler { type: "constant" value: 1 } } }
    layer { name: "g" type: "Pooling" bottom: "data" top: "g"
      pooling_param { global_pooling: true } }
    layer { name: "fc" type: "InnerProduct" bottom: "g" top: "fc"
      inner_product_param { num_output: 3 bias_term: false } blobs { shape { dim: 3 dim: 2 } data: [1,2,3,4,5,6] } }
    layer { name: "acc" type: "Accuracy" bottom: "fc" bottom: "label" top: "acc"
      accuracy_param { top_k: 5 } include { phase: TEST not_stage: "x" } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" top: "p"
      loss_weight: 1 loss_weight: 0 }
    layer { name: "rnn" type: "LSTM" bottom: "fc" bottom: "x" top: "r" include { phase: TRAIN } }
    """

  /// Everything that only training has.
  private static let training = """
    name: "training" force_backward: true debug_info: true
    layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN }
      transform_param { scale: 0.5 mirror: true crop_size: 7 mean_value: [ 1, 2, 3 ] }
      data_param { source: "db" batch_size: 4 backend: LMDB rand_skip: 3 prefetch: 2 } }
    layer { name: "d" type: "ImageData" top: "data" top: "label" exclude { phase: TRAIN }
      image_data_param { source: "list" batch_size: 4 new_height: 9 new_width: 8 shuffle: true } }
    layer { name: "dummy" type: "DummyData" top: "v" top: "m"
      dummy_data_param { shape { dim: 4 dim: 5 } shape { dim: 5 dim: 5 }
        data_filler { type: "uniform" min: -1 } data_filler { type: "positive_unitball" } } }
    layer { name: "c" type: "Convolution" bottom: "data" top: "c" param { lr_mult: 1 name: "w" }
      param { lr_mult: 2 decay_mult: 0 regularization_type: "L1" }
      convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "msra"
        variance_norm: AVERAGE } bias_filler { type: "gaussian" std: 0.1 sparse: 2 } } }
    layer { name: "n" type: "BatchNorm" bottom: "c" top: "c" param { lr_mult: 0 }
      batch_norm_param { moving_average_fraction: 0.9 } }
    layer { name: "p" type: "Pooling" bottom: "c" top: "p"
      pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 } }
    layer { name: "o" type: "Dropout" bottom: "p" top: "p" dropout_param { dropout_ratio: 0.1 } }
    layer { name: "f" type: "InnerProduct" bottom: "p" top: "f" propagate_down: true
      param { name: "f" share_mode: PERMISSIVE } inner_product_param { num_output: 5
        weight_filler { type: "xavier" } } }
    layer { name: "l" type: "SoftmaxWithLoss" bottom: "f" bottom: "label" top: "l" top: "q"
      loss_weight: 1 loss_weight: 0 loss_param { ignore_label: 1 normalization: FULL } }
    layer { name: "i" type: "InfogainLoss" bottom: "q" bottom: "label" bottom: "m" top: "i" }
    layer { name: "e" type: "EuclideanLoss" bottom: "f" bottom: "v" loss_weight: 0.1 }
    layer { name: "h" type: "HingeLoss" bottom: "f" bottom: "label" top: "h"
      hinge_loss_param { norm: L2 } }
    layer { name: "k" type: "ContrastiveLoss" bottom: "f" bottom: "v" bottom: "label" top: "k"
      contrastive_loss_param { margin: 2 } }
    layer { name: "a" type: "Accuracy" bottom: "f" bottom: "label" top: "a" top: "per"
      accuracy_param { top_k: 2 axis: 1 ignore_label: 3 } }
    """

  private static let wholeSolver = """
    net_param { name: "own" layer { name: "x" type: "Input" top: "x" input_param {
      shape { dim: 2 dim: 3 } } } layer { name: "y" type: "TanH" bottom: "x" top: "x" } }
    test_net_param { name: "other" layer { name: "x" type: "Input" top: "x" } }
    test_net: "third" test_iter: 1 test_iter: 2 test_iter: 3 test_interval: 4
    test_compute_loss: true test_initialization: false type: "Adam" momentum: 0.9 momentum2: 0.99
    delta: 1e-3 base_lr: 1e-3 lr_policy: "poly" power: 0.5 gamma: 0.1 stepsize: 10 max_iter: 100
    iter_size: 2 average_loss: 5 clip_gradients: 10 regularization_type: "L1" weight_decay: 0.1
    snapshot: 10 snapshot_format: HDF5 snapshot_diff: true random_seed: 5 solver_mode: CPU
    weights: "a,b" debug_info: true snapshot_after_train: false
    """

  private static let solver = """
    net: "train_val.prototxt" test_iter: 100 test_interval: 500 base_lr: 0.01 momentum: 0.9
    weight_decay: 5e-4 lr_policy: "multistep" gamma: 1e-1 stepvalue: 5000 stepvalue: 7000
    display: 100 max_iter: 10000 snapshot_prefix: "lenet" solver_mode: GPU type: "SGD"
    breadth_decay: 1e-3 kernel_shape_decay: 1e-4 surgery_stop_iter: 10 prune_threshold: 0.01
    train_state { stage: "a" } test_state { level: 3 stage: ["b", "c"] }
    """
}
