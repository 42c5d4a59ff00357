extension Schema {
  /// The parameters of the layer types, alphabetically.
  static let layerTable = """
    enum Engine DEFAULT CAFFE CUDNN
    message AccuracyParameter
      top_k uint32 = 1
      axis int32 = 1
      ignore_label int32
    message ArgMaxParameter
      out_max_val bool = false
      top_k uint32 = 1
      axis int32
    message BatchNormParameter
      use_global_stats bool
      moving_average_fraction float = 0.999
      eps float = 1e-5
      use_weight_bias bool = true
      bias_term bool = true
      filler FillerParameter
      bias_filler FillerParameter
    message BiasParameter
      axis int32 = 1
      num_axes int32 = 1
      filler FillerParameter
    message CConvolutionParameter
      gamma float = 0.001
      power float = 1
      iter_stop float = 10000
      c_rate float = 3
      weight_mask_filler FillerParameter
      bias_mask_filler FillerParameter
    message CInnerProductParameter
      gamma float = 0.001
      power float = 1
      iter_stop float = 8000
      c_rate float = 3
      weight_mask_filler FillerParameter
      bias_mask_filler FillerParameter
    message ClipParameter
      min float
      max float
    message ConcatParameter
      axis int32 = 1
      concat_dim uint32 = 1
    message ContrastiveLossParameter
      margin float = 1
      legacy_version bool = false
    enum ConvMode unnumbered LOWERED_GEMM LOWERED_CSRMM LOWERED_CCNMM DIRECT_SCONV DIRECT_DCONV
    message ConvolutionParameter
      num_output uint32
      bias_term bool = true
      pad uint32*
      kernel_size uint32*
      stride uint32*
      dilation uint32*
      pad_h uint32 = 0
      pad_w uint32 = 0
      kernel_h uint32
      kernel_w uint32
      stride_h uint32
      stride_w uint32
      group uint32 = 1
      weight_filler FillerParameter
      bias_filler FillerParameter
      engine Engine = DEFAULT
      axis int32 = 1
      force_nd_im2col bool = false
      conv_mode ConvMode = LOWERED_GEMM
      dump_parameter bool = false
      dump_activation bool = false
      parameter_sparsity_pattern_histogram bool = false
      sparsity_term bool = true
      weight_mask_filler FillerParameter
      threshold float = 0.6
    message CropParameter
      axis int32 = 2
      offset uint32*
    enum DB LEVELDB LMDB
    message DataParameter
      source string
      batch_size uint32
      rand_skip uint32 = 0
      backend DB = LEVELDB
      scale float = 1
      mean_file string
      crop_size uint32 = 0
      mirror bool = false
      force_encoded_color bool = false
      prefetch uint32 = 4
    message DropoutParameter
      dropout_ratio float = 0.5
    message DummyDataParameter
      data_filler FillerParameter*
      shape BlobShape*
      num uint32*
      channels uint32*
      height uint32*
      width uint32*
    enum EltwiseOp PROD SUM MAX
    message EltwiseParameter
      operation EltwiseOp = SUM
      coeff float*
      stable_prod_grad bool = true
    message ELUParameter
      alpha float = 1
    message EmbedParameter
      num_output uint32
      input_dim uint32
      bias_term bool = true
      weight_filler FillerParameter
      bias_filler FillerParameter
    message ExpParameter
      base float = -1
      scale float = 1
      shift float = 0
    message FlattenParameter
      axis int32 = 1
      end_axis int32 = -1
    message HDF5DataParameter
      source string
      batch_size uint32
      shuffle bool = false
    message HDF5OutputParameter
      file_name string
    enum Norm L1=1 L2
    message HingeLossParameter
      norm Norm = L1
    message ImageDataParameter
      source string
      batch_size uint32 = 1
      rand_skip uint32 = 0
      shuffle bool = false
      new_height uint32 = 0
      new_width uint32 = 0
      is_color bool = true
      scale float = 1
      mean_file string
      crop_size uint32 = 0
      mirror bool = false
      root_folder string
    message InfogainLossParameter
      source string
      axis int32 = 1
    enum GemmMode GEMM SPMDM SPGEMM
    message InnerProductParameter
      num_output uint32
      bias_term bool = true
      weight_filler FillerParameter
      bias_filler FillerParameter
      axis int32 = 1
      transpose bool = false
      gemm_mode GemmMode = GEMM
      spmdm_transpose_in bool = true
      spmdm_transpose_out bool = true
      dump_parameter bool = false
      dump_activation bool = false
      sparsity_term bool = true
      weight_mask_filler FillerParameter
      threshold float = 1.281
    message InputParameter
      shape BlobShape*
    message LogParameter
      base float = -1
      scale float = 1
      shift float = 0
    enum NormRegion ACROSS_CHANNELS WITHIN_CHANNEL
    message LRNParameter
      local_size uint32 = 5
      alpha float = 1
      beta float = 0.75
      norm_region NormRegion = ACROSS_CHANNELS
      k float = 1
      engine Engine = DEFAULT
    message MemoryDataParameter
      batch_size uint32
      channels uint32
      height uint32
      width uint32
    message MVNParameter
      normalize_variance bool = true
      across_channels bool = false
      eps float = 1e-9
    message ParameterParameter
      shape BlobShape
    enum PoolMethod MAX AVE STOCHASTIC
    enum RoundMode CEIL FLOOR
    message PoolingParameter
      pool PoolMethod = MAX
      pad uint32 = 0
      pad_h uint32 = 0
      pad_w uint32 = 0
      kernel_size uint32
      kernel_h uint32
      kernel_w uint32
      stride uint32 = 1
      stride_h uint32
      stride_w uint32
      engine Engine = DEFAULT
      global_pooling bool = false
      round_mode RoundMode = CEIL
    message PowerParameter
      power float = 1
      scale float = 1
      shift float = 0
    message PReLUParameter
      filler FillerParameter
      channel_shared bool = false
    message PythonParameter
      module string
      layer string
      param_str string
      share_in_parallel bool = false
    message RecurrentParameter
      num_output uint32 = 0
      weight_filler FillerParameter
      bias_filler FillerParameter
      debug_info bool = false
      expose_hidden bool = false
    enum ReductionOp SUM=1 ASUM SUMSQ MEAN
    message ReductionParameter
      operation ReductionOp = SUM
      axis int32 = 0
      coeff float = 1
    message ReLUParameter
      negative_slope float = 0
      engine Engine = DEFAULT
    message ReshapeParameter
      shape BlobShape
      axis int32 = 0
      num_axes int32 = -1
    message ScaleParameter
      axis int32 = 1
      num_axes int32 = 1
      filler FillerParameter
      bias_term bool = false
      bias_filler FillerParameter
    message SigmoidParameter
      engine Engine = DEFAULT
    message SliceParameter
      axis int32 = 1
      slice_point uint32*
      slice_dim uint32 = 1
    message SoftmaxParameter
      engine Engine = DEFAULT
      axis int32 = 1
    message SparsifyParameter
      thre float = 0
      coef float = 0
    message SPPParameter
      pyramid_height uint32
      pool PoolMethod = MAX
      engine Engine = DEFAULT
    message SwishParameter
      beta float = 1
    message SymmetricRectifyParameter
      filler FillerParameter
      channel_shared bool = false
      thre_decay float = 0
    message TanHParameter
      engine Engine = DEFAULT
    message ThresholdParameter
      threshold float = 0
    message TileParameter
      axis int32 = 1
      tiles int32
    message WindowDataParameter
      source string
      scale float = 1
      mean_file string
      batch_size uint32
      crop_size uint32 = 0
      mirror bool = false
      fg_threshold float = 0.5
      bg_threshold float = 0.5
      fg_fraction float = 0.25
      context_pad uint32 = 0
      crop_mode string = warp
      cache_images bool = false
      root_folder string
    """
}
