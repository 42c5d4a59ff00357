extension Schema {
  /// Nets, layers of all three generations, and what they share.
  static let netTable = """
    message BlobShape
      dim int64*
    message BlobProto
      shape BlobShape
      data float*
      diff float*
      double_data double*
      double_diff double*
      num int32 = 0
      channels int32 = 0
      height int32 = 0
      width int32 = 0

    enum Phase TRAIN TEST
    message NetState
      phase Phase = TEST
      level int32 = 0
      stage string*
    message NetStateRule
      phase Phase
      min_level int32
      max_level int32
      stage string*
      not_stage string*

    message NetParameter
      name string
      input string*
      input_shape BlobShape*
      input_dim int32*
      force_backward bool = false
      state NetState
      debug_info bool = false
      layer LayerParameter*
      layers V1LayerParameter*

    enum VarianceNorm FAN_IN FAN_OUT AVERAGE
    message FillerParameter
      type string = constant
      value float = 0
      min float = 0
      max float = 1
      mean float = 0
      std float = 1
      sparse int32 = -1
      variance_norm VarianceNorm = FAN_IN

    enum DimCheckMode STRICT PERMISSIVE
    message BlockGroupLassoSpec
      xdimen uint32 = 1
      ydimen uint32 = 1
      block_decay_mult float = 1
    message ForceRegular
      xdim int32 = 1
      ydim int32 = 1
      multi float = 0
    message ParamSpec
      name string
      share_mode DimCheckMode = STRICT
      lr_mult float = 1
      decay_mult float = 1
      breadth_decay_mult float = 0
      kernel_shape_decay_mult float = 0
      block_group_lasso BlockGroupLassoSpec*
      regularization_type string
      decay_proto string
      force_regularize ForceRegular
      force_mult float = 0

    message TransformationParameter
      scale float = 1
      mirror bool = false
      crop_size uint32 = 0
      mean_file string
      mean_value float*
      force_color bool = false
      force_gray bool = false
    enum NormalizationMode FULL VALID BATCH_SIZE NONE
    message LossParameter
      ignore_label int32
      normalization NormalizationMode = VALID
      normalize bool

    enum ConnectivityMode CONNECTED DISCONNECTED_ELTWISE DISCONNECTED_GRPWISE
    message LayerParameter
      name string
      type string
      bottom string*
      top string*
      phase Phase
      loss_weight float*
      param ParamSpec*
      blobs BlobProto*
      propagate_down bool*
      include NetStateRule*
      exclude NetStateRule*
      connectivity_mode ConnectivityMode = CONNECTED
      display bool = false
      transform_param TransformationParameter
      loss_param LossParameter
      accuracy_param AccuracyParameter
      argmax_param ArgMaxParameter
      batch_norm_param BatchNormParameter
      bias_param BiasParameter
      cconvolution_param CConvolutionParameter
      cinner_product_param CInnerProductParameter
      clip_param ClipParameter
      concat_param ConcatParameter
      contrastive_loss_param ContrastiveLossParameter
      convolution_param ConvolutionParameter
      crop_param CropParameter
      data_param DataParameter
      dropout_param DropoutParameter
      dummy_data_param DummyDataParameter
      eltwise_param EltwiseParameter
      elu_param ELUParameter
      embed_param EmbedParameter
      exp_param ExpParameter
      flatten_param FlattenParameter
      hdf5_data_param HDF5DataParameter
      hdf5_output_param HDF5OutputParameter
      hinge_loss_param HingeLossParameter
      image_data_param ImageDataParameter
      infogain_loss_param InfogainLossParameter
      inner_product_param InnerProductParameter
      input_param InputParameter
      log_param LogParameter
      lrn_param LRNParameter
      memory_data_param MemoryDataParameter
      mvn_param MVNParameter
      parameter_param ParameterParameter
      pooling_param PoolingParameter
      power_param PowerParameter
      prelu_param PReLUParameter
      python_param PythonParameter
      recurrent_param RecurrentParameter
      reduction_param ReductionParameter
      relu_param ReLUParameter
      reshape_param ReshapeParameter
      scale_param ScaleParameter
      sigmoid_param SigmoidParameter
      slice_param SliceParameter
      softmax_param SoftmaxParameter
      sparsify_param SparsifyParameter
      spp_param SPPParameter
      swish_param SwishParameter
      symmetric_rectify_param SymmetricRectifyParameter
      tanh_param TanHParameter
      threshold_param ThresholdParameter
      tile_param TileParameter
      window_data_param WindowDataParameter

    enum V1LayerType NONE ACCURACY BNLL CONCAT CONVOLUTION DATA DROPOUT EUCLIDEAN_LOSS FLATTEN \
    HDF5_DATA HDF5_OUTPUT IM2COL IMAGE_DATA INFOGAIN_LOSS INNER_PRODUCT LRN \
    MULTINOMIAL_LOGISTIC_LOSS POOLING RELU SIGMOID SOFTMAX SOFTMAX_LOSS SPLIT TANH WINDOW_DATA \
    ELTWISE POWER SIGMOID_CROSS_ENTROPY_LOSS HINGE_LOSS MEMORY_DATA ARGMAX THRESHOLD DUMMY_DATA \
    SLICE MVN ABSVAL SILENCE CONTRASTIVE_LOSS EXP DECONVOLUTION
    message V1LayerParameter
      name string
      type V1LayerType
      bottom string*
      top string*
      include NetStateRule*
      exclude NetStateRule*
      blobs BlobProto*
      param string*
      blob_share_mode DimCheckMode*
      blobs_lr float*
      weight_decay float*
      loss_weight float*
      layer V0LayerParameter
      transform_param TransformationParameter
      loss_param LossParameter
      accuracy_param AccuracyParameter
      argmax_param ArgMaxParameter
      concat_param ConcatParameter
      contrastive_loss_param ContrastiveLossParameter
      convolution_param ConvolutionParameter
      data_param DataParameter
      dropout_param DropoutParameter
      dummy_data_param DummyDataParameter
      eltwise_param EltwiseParameter
      exp_param ExpParameter
      hdf5_data_param HDF5DataParameter
      hdf5_output_param HDF5OutputParameter
      hinge_loss_param HingeLossParameter
      image_data_param ImageDataParameter
      infogain_loss_param InfogainLossParameter
      inner_product_param InnerProductParameter
      lrn_param LRNParameter
      memory_data_param MemoryDataParameter
      mvn_param MVNParameter
      pooling_param PoolingParameter
      power_param PowerParameter
      relu_param ReLUParameter
      sigmoid_param SigmoidParameter
      slice_param SliceParameter
      softmax_param SoftmaxParameter
      tanh_param TanHParameter
      threshold_param ThresholdParameter
      window_data_param WindowDataParameter

    message V0LayerParameter
      name string
      type string
      num_output uint32
      biasterm bool = true
      weight_filler FillerParameter
      bias_filler FillerParameter
      pad uint32 = 0
      kernelsize uint32
      group uint32 = 1
      stride uint32 = 1
      pool PoolMethod = MAX
      dropout_ratio float = 0.5
      local_size uint32 = 5
      alpha float = 1
      beta float = 0.75
      k float = 1
      source string
      scale float = 1
      meanfile string
      batchsize uint32
      cropsize uint32 = 0
      mirror bool = false
      blobs BlobProto*
      blobs_lr float*
      weight_decay float*
      rand_skip uint32 = 0
      det_fg_threshold float = 0.5
      det_bg_threshold float = 0.5
      det_fg_fraction float = 0.25
      det_context_pad uint32 = 0
      det_crop_mode string = warp
      new_num int32 = 0
      new_channels int32 = 0
      new_height int32 = 0
      new_width int32 = 0
      shuffle_images bool = false
      concat_dim uint32 = 1
      hdf5_output_param HDF5OutputParameter
    """
}
