extension Schema {
  /// Solver files: Caffe's fields, then those of scnn, skim, sfm and dns-h, then sparsec's own.
  static let solverTable = """
    enum SnapshotFormat HDF5 BINARYPROTO
    enum SolverMode CPU GPU
    enum SolverType SGD NESTEROV ADAGRAD RMSPROP ADADELTA ADAM
    enum GroupLassoSolver SUBGRADIENT PROXIMAL
    message SolverParameter
      net string
      net_param NetParameter
      train_net string
      test_net string*
      train_net_param NetParameter
      test_net_param NetParameter*
      train_state NetState
      test_state NetState*
      test_iter int32*
      test_interval int32 = 0
      test_compute_loss bool = false
      test_initialization bool = true
      base_lr float
      display int32
      average_loss int32 = 1
      max_iter int32
      iter_size int32 = 1
      lr_policy string
      gamma float
      power float
      momentum float
      weight_decay float
      regularization_type string = L2
      stepsize int32
      stepvalue int32*
      clip_gradients float = -1
      snapshot int32 = 0
      snapshot_prefix string
      snapshot_diff bool = false
      snapshot_format SnapshotFormat = BINARYPROTO
      solver_mode SolverMode = GPU
      device_id int32 = 0
      random_seed int64 = -1
      type string = SGD
      delta float = 1e-8
      momentum2 float = 0.999
      rms_decay float = 0.99
      debug_info bool = false
      snapshot_after_train bool = true
      solver_type SolverType = SGD
      layer_wise_reduce bool = true
      weights string*
      breadth_decay float = 0
      kernel_shape_decay float = 0
      block_group_decay float = 0
      prune_threshold float = 1e-4
      measure_threshold float = 1e-4
      max_threshold_factor float = 1
      winograd_sparsity_factor float = 0
      winograd_adjust_threshold int32 = 1
      force_type string = Degradation
      force_decay float = 0
      force_iter int32 = -1
      force_decay_type string = fixed
      force_direction string = all
      surgery_stop_iter int32
      surgery_iter_gamma float = 1e-4
      surgery_iter_power float = 1
      group_lasso_solver GroupLassoSolver = SUBGRADIENT
      group_lasso_span bool = false
      surgery_zeroes_in_tests bool = false
    """
}
