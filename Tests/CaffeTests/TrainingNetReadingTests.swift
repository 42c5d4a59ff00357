import IR
import Testing

@testable import Caffe

@Suite struct TrainingNetReadingTests {
  private func read(
    _ text: String, phase: NetState.Phase = .train, dialect: TrainingDialect = .bvlc,
    solver: SolverSettings = SolverSettings(), shapes: [[Int]] = [[4, 1, 28, 28], [4]]
  ) throws -> TrainingNet {
    let known = try shapes.map { try Shape($0) }
    return try TrainingNetReader.read(
      Prototxt.parse(text: text, file: "n", as: .net), state: NetState(phase: phase),
      dialect: dialect, solver: solver
    ) { (_, _, _) throws(Diagnostic) in known }
  }

  private func refusal(
    _ text: String, dialect: TrainingDialect = .bvlc, solver: SolverSettings = SolverSettings()
  ) -> String {
    do {
      _ = try read(text, dialect: dialect, solver: solver)
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  private static let lenet = """
    name: "LeNet"
    layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: TRAIN }
      transform_param { scale: 0.00390625 mirror: true }
      data_param { source: "train_lmdb" batch_size: 64 backend: LMDB } }
    layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: TEST }
      transform_param { scale: 0.00390625 }
      data_param { source: "test_lmdb" batch_size: 100 backend: LMDB } }
    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
      param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
      convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" }
        bias_filler { type: "constant" value: 0.5 } } }
    layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
      pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
    layer { name: "drop" type: "Dropout" bottom: "pool1" top: "pool1"
      dropout_param { dropout_ratio: 0.25 } }
    layer { name: "ip2" type: "InnerProduct" bottom: "pool1" top: "ip2"
      inner_product_param { num_output: 10
        weight_filler { type: "gaussian" std: 0.01 sparse: 3 } } }
    layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy"
      include { phase: TEST } accuracy_param { top_k: 5 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
    """

  @Test func `a train_val net is read for its phase`() throws {
    let net = try read(Self.lenet)
    #expect(net.name == "LeNet")
    #expect(net.phase == .train)
    #expect(net.layers.map(\.name) == ["mnist", "conv1", "pool1", "drop", "ip2", "loss"])
    var database = DataSource.Database(path: "train_lmdb", backend: .lmdb, batch: 64)
    database.transform.scale = 0.00390625
    database.transform.mirrors = true
    #expect(net.layers[0].operation == .data(.database(database)))
    #expect(net.layers[0].outputShapes.map(\.extents) == [[4, 1, 28, 28], [4]])

    let weights = net.layers[1].parameters[0]
    #expect(weights.filler == .xavier(.fanIn))
    #expect(weights.slot.shape.extents == [20, 1, 5, 5])
    let bias = net.layers[1].parameters[1]
    #expect(bias.filler == .constant(0.5))
    #expect(bias.rateFactor == 2)
    #expect(bias.decayFactor == 0)
    #expect(net.layers[3].operation == .dropout(ratio: 0.25))
    #expect(
      net.layers[4].parameters.map(\.filler) == [
        .gaussian(mean: 0, deviation: 0.01, sparse: 3), .constant(0),
      ])
    #expect(
      net.layers[5].operation == .loss(.softmax(axis: 1, .valid, ignoredLabel: nil)))
    #expect(net.layers[5].lossWeights == [1])

    let test = try read(Self.lenet, phase: .test)
    #expect(test.phase == .test)
    let accuracy = try #require(test.layers.first { $0.name == "accuracy" })
    #expect(accuracy.operation == .accuracy(Accuracy(top: 5)))
    #expect(accuracy.lossWeights == [0])
  }

  @Test func `ties are judged as the dialect does`() throws {
    let net = try read(Self.lenet, phase: .test, dialect: .scnn)
    let accuracy = try #require(net.layers.first { $0.name == "accuracy" })
    #expect(accuracy.operation == .accuracy(Accuracy(top: 5, tiesGoToLarger: true)))
  }

  // MARK: - Layers

  private static let inputs = """
    layer { name: "in" type: "Input" top: "x" top: "y"
      input_param { shape { dim: 4 dim: 6 dim: 8 dim: 8 } shape { dim: 4 } } }

    """

  private func layer(
    _ text: String, dialect: TrainingDialect = .bvlc, phase: NetState.Phase = .train
  )
    throws -> TrainingLayer
  {
    try #require(
      read(Self.inputs + "layer { name: \"l\" \(text) }", phase: phase, dialect: dialect)
        .layers.last)
  }

  @Test func `statistics are never learned`() throws {
    let train = try layer("type: \"BatchNorm\" bottom: \"x\" top: \"x\"")
    #expect(
      train.operation
        == .batchNorm(
          BatchNorm(epsilon: 1e-5, usesStoredStatistics: false), fraction: 0.999,
          usesStored: false))
    #expect(train.parameters.map(\.rateFactor) == [0, 0, 0])
    let test = try layer(
      "type: \"BatchNorm\" bottom: \"x\" top: \"x\" "
        + "batch_norm_param { moving_average_fraction: 0.9 eps: 1e-3 }", phase: .test)
    #expect(
      test.operation
        == .batchNorm(
          BatchNorm(epsilon: 1e-3, usesStoredStatistics: true), fraction: 0.9, usesStored: true))
  }

  @Test func `missing fillers are Caffe's`() throws {
    func fillers(_ text: String, _ dialect: TrainingDialect = .bvlc) throws -> [Filler] {
      try layer("bottom: \"x\" top: \"z\" " + text, dialect: dialect).parameters.map(\.filler)
    }
    let scale = "type: \"Scale\" scale_param { bias_term: true }"
    #expect(try fillers(scale) == [.constant(1), .constant(0)])
    #expect(try fillers(scale, .dnsAgain) == [.constant(1), .constant(1)])
    #expect(try fillers("type: \"PReLU\"") == [.constant(0.25)])
    #expect(try fillers("type: \"Bias\"") == [.constant(0)])
    #expect(
      try fillers(
        "type: \"Deconvolution\" convolution_param { num_output: 6 kernel_size: 4 group: 6 "
          + "bias_term: false weight_filler { type: \"bilinear\" } }") == [.bilinear])
    #expect(
      try fillers(
        "type: \"InnerProduct\" inner_product_param { num_output: 2 bias_term: false "
          + "weight_filler { type: \"msra\" variance_norm: AVERAGE } }") == [.msra(.average)])
  }

  static let losses: [(text: String, loss: Loss)] = [
    (
      "type: \"SoftmaxWithLoss\" bottom: \"v\" bottom: \"y\" top: \"o\" "
        + "loss_param { ignore_label: 3 normalize: false }",
      .softmax(axis: 1, .batchSize, ignoredLabel: 3)
    ),
    (
      "type: \"SigmoidCrossEntropyLoss\" bottom: \"v\" bottom: \"v\" top: \"o\"",
      .sigmoidCrossEntropy(.batchSize, ignoredLabel: nil)
    ),
    (
      "type: \"SigmoidCrossEntropyLoss\" bottom: \"v\" bottom: \"v\" top: \"o\" "
        + "loss_param { normalization: FULL }", .sigmoidCrossEntropy(.full, ignoredLabel: nil)
    ),
    ("type: \"EuclideanLoss\" bottom: \"v\" bottom: \"v\" top: \"o\"", .euclidean),
    (
      "type: \"HingeLoss\" bottom: \"v\" bottom: \"y\" top: \"o\" hinge_loss_param { norm: L2 }",
      .hinge(squared: true)
    ),
    (
      "type: \"MultinomialLogisticLoss\" bottom: \"v\" bottom: \"y\" top: \"o\"",
      .multinomialLogistic
    ),
    (
      "type: \"ContrastiveLoss\" bottom: \"v\" bottom: \"v\" bottom: \"y\" top: \"o\" "
        + "contrastive_loss_param { margin: 2 legacy_version: true }",
      .contrastive(margin: 2, legacy: true)
    ),
    (
      "type: \"InfogainLoss\" bottom: \"v\" bottom: \"y\" bottom: \"h\" top: \"o\"",
      .infogain(matrix: nil, axis: 1, .valid, ignoredLabel: nil)
    ),
  ]

  private static let vectors = """
    layer { name: "in" type: "Input" top: "v" top: "y" top: "h"
      input_param { shape { dim: 4 dim: 6 } shape { dim: 4 } shape { dim: 6 dim: 6 } } }

    """

  @Test(arguments: losses)
  func `every loss is read`(_ example: (text: String, loss: Loss)) throws {
    let net = try read(Self.vectors + "layer { name: \"l\" \(example.text) }")
    let layer = try #require(net.layers.last)
    #expect(layer.operation == .loss(example.loss))
    #expect(layer.outputShapes == [.scalar])
    #expect(layer.lossWeights == [1])
  }

  @Test func `loss weights and propagate_down are kept`() throws {
    let net = try read(
      Self.vectors
        + """
        layer { name: "l" type: "SoftmaxWithLoss" bottom: "v" bottom: "y" top: "o" top: "p"
          loss_weight: 0.3 loss_weight: 0 propagate_down: true propagate_down: false }
        layer { name: "m" type: "EuclideanLoss" bottom: "v" bottom: "v" }
        force_backward: true debug_info: true
        """)
    #expect(net.layers[1].lossWeights == [0.3, 0])
    #expect(net.layers[1].outputShapes.map(\.extents) == [[], [4, 6]])
    #expect(net.layers[1].propagatesDown == [true, false])
    #expect(net.layers[2].tops == ["(automatic) m"])
    #expect(net.layers[2].lossWeights == [1])
    #expect(net.forcesBackward)
    #expect(net.debugInfo)
  }

  @Test func `fused layers are parted`() throws {
    let net = try read(
      Self.inputs
        + """
        layer { name: "l" type: "ConvolutionReLUPoolLRN" bottom: "x" top: "z"
          convolution_param { num_output: 4 kernel_size: 3 }
          pooling_param { kernel_size: 2 stride: 2 } lrn_param { local_size: 3 } }
        """)
    #expect(
      net.layers.dropFirst().map(\.name) == ["l", "l/ReLU", "l/Pooling", "l/LRN"])
    #expect(
      net.layers.dropFirst().map(\.typeName) == ["Convolution", "ReLU", "Pooling", "LRN"])
    #expect(net.layers.dropFirst().map(\.bottoms) == [["x"]] + net.layers[1...3].map(\.tops))
    #expect(net.layers[4].tops == ["z"])
    #expect(net.layers[4].outputShapes.map(\.extents) == [[4, 4, 3, 3]])
    guard case .operation(.pooling(let pooling)) = net.layers[3].operation else {
      Issue.record("no pooling")
      return
    }
    #expect(!pooling.startsAtZero)
  }

  @Test func `several bottoms share one array`() throws {
    let net = try read(
      """
      layer { name: "in" type: "Input" top: "a" top: "b" input_param { shape { dim: 1 dim: 2 dim: 5 dim: 5 } } }
      layer { name: "l" type: "Convolution" bottom: "a" bottom: "b" top: "c" top: "d"
        convolution_param { num_output: 3 kernel_size: 3 } }
      """)
    guard case .operationPerBottom(.convolution) = net.layers[1].operation else {
      Issue.record("\(net.layers[1].operation)")
      return
    }
    #expect(net.layers[1].outputShapes.map(\.extents) == [[1, 3, 3, 3], [1, 3, 3, 3]])
    #expect(net.layers[1].parameters.count == 2)
  }

  @Test func `sharers have the multipliers that any of them has`() throws {
    let net = try read(
      Self.vectors
        + """
        layer { name: "a" type: "InnerProduct" bottom: "v" top: "a"
          param { name: "w" lr_mult: 3 } param { name: "b" }
          inner_product_param { num_output: 6 } }
        layer { name: "b" type: "InnerProduct" bottom: "a" top: "b"
          param { name: "w" decay_mult: 5 } param { name: "b" lr_mult: 7 }
          inner_product_param { num_output: 6 } }
        """)
    for layer in net.layers.dropFirst() {
      #expect(layer.parameters.map(\.rateFactor) == [3, 7])
      #expect(layer.parameters.map(\.decayFactor) == [5, 1])
      #expect(layer.parameters.map(\.sharedName) == ["w", "b"])
    }
  }

  @Test func `data that needs no source has its shapes`() throws {
    let net = try read(
      """
      layer { name: "d" type: "DummyData" top: "a" top: "b" dummy_data_param {
        shape { dim: 2 dim: 3 } shape { dim: 2 } data_filler { type: "gaussian" std: 2 }
        data_filler { value: 1 } } }
      layer { name: "m" type: "MemoryData" top: "c" top: "e"
        memory_data_param { batch_size: 2 channels: 3 height: 4 width: 5 } }
      """)
    #expect(
      net.layers[0].operation
        == .data(
          .dummy(
            shapes: [try Shape([2, 3]), try Shape([2])],
            fillers: [.gaussian(mean: 0, deviation: 2, sparse: nil), .constant(1)])))
    #expect(net.layers[1].outputShapes.map(\.extents) == [[2, 3, 4, 5], [2]])
  }

  // MARK: - Mistakes

  static let mistakes: [(text: String, line: String)] = [
    (
      "layer { name: \"w\" type: \"WindowData\" top: \"a\" top: \"b\" }",
      "n:1:25: layer \"w\" (WindowData): windows of images are not supported; cut them out"
    ),
    (
      "layer { name: \"d\" type: \"Data\" top: \"a\" data_param { batch_size: 3 } }",
      "n:1:41: layer \"d\" (Data): source is missing; it says where the data is"
    ),
    (
      inputs + "layer { name: \"s\" type: \"InnerProduct\" bottom: \"x\" top: \"z\"\n"
        + "inner_product_param { num_output: 1 weight_filler { type: \"xaver\" } } }",
      "n:4:59: layer \"s\" (InnerProduct): unknown filler type \"xaver\"; did you mean \"xavier\"?"
    ),
    (
      inputs + "layer { name: \"s\" type: \"SoftmaxWithLoss\" bottom: \"x\" bottom: \"y\" }",
      "n:3:51: layer \"s\" (SoftmaxWithLoss): bottoms of shapes [4,6,8,8] and [4] do not match"
    ),
    (
      inputs + "layer { name: \"a\" type: \"Accuracy\" bottom: \"y\" bottom: \"y\" top: \"z\" }",
      "n:3:1: layer \"a\" (Accuracy): axis 1 of shape [4], which has 1 axes"
    ),
    (
      inputs + "layer { name: \"p\" type: \"Python\" bottom: \"x\" top: \"z\" }",
      "n:3:25: layer \"p\" (Python): layers in Python are not run"
    ),
    (
      inputs
        + "layer { name: \"b\" type: \"BatchNorm\" bottom: \"x\" top: \"x\"\nparam { lr_mult: 1 } }",
      "n:4:18: layer \"b\" (BatchNorm): lr_mult of a statistic"
    ),
    (
      inputs + "layer { name: \"r\" type: \"ReLU\" bottom: \"z\" top: \"x\" }",
      "n:3:40: layer \"r\" (ReLU) reads blob \"z\", which no earlier layer makes"
    ),
    (
      inputs + "layer { name: \"r\" type: \"ReLU\" bottom: \"y\" top: \"x\" }",
      "n:3:49: layer \"r\" (ReLU) makes blob \"x\", which layer \"in\" makes already"
    ),
    (
      inputs + "layer { name: \"h\" type: \"HDF5Output\" bottom: \"x\" bottom: \"y\" }",
      "n:3:25: layer \"h\" (HDF5Output): writing blobs to files while training is not supported"
    ),
    (
      inputs + "layer { name: \"c\" type: \"Scale\" bottom: \"x\" top: \"x\"\n"
        + "connectivity_mode: DISCONNECTED_GRPWISE }",
      "n:4:20: layer \"c\" (Scale): connectivity_mode DISCONNECTED_GRPWISE is for Convolution and"
    ),
    (
      inputs + "layer { name: \"c\" type: \"CInnerProduct\" bottom: \"x\" top: \"z\"\n"
        + "inner_product_param { num_output: 3 } cinner_product_param { gamma: -1 } }",
      "n:4:69: layer \"c\" (CInnerProduct): gamma must be at least 0"
    ),
    (
      inputs + "layer { name: \"f\" type: \"InnerProduct\" bottom: \"x\" top: \"z\"\n"
        + "inner_product_param { num_output: 3 }\nparam { block_group_lasso { ydimen: 2 } } }",
      "n:5:9: layer \"f\" (InnerProduct): block_group_lasso: tiles of 2 rows and 1 columns do not divide "
        + "the weights, which have 3 rows"
    ),
    (
      inputs + "layer { name: \"f\" type: \"InnerProduct\" bottom: \"x\" top: \"z\"\n"
        + "inner_product_param { num_output: 3 }\nparam { regularization_type: \"L1_Winograd\" } }",
      "n:5:30: layer \"f\" (InnerProduct): regularization_type \"L1_Winograd\" is for kernels"
    ),
    (
      inputs + "layer { name: \"f\" type: \"InnerProduct\" bottom: \"x\" top: \"z\"\n"
        + "inner_product_param { num_output: 3 }\nparam { decay_proto: \"nowhere\" } }",
      "n:5:22: layer \"f\" (InnerProduct): decay_proto: "
    ),
  ]

  @Test(arguments: mistakes)
  func `a mistake is one line at its place`(_ mistake: (text: String, line: String)) {
    let line = refusal(mistake.text)
    #expect(line.hasPrefix(mistake.line), "\(line)")
  }

  // MARK: - Zeros

  private func parameters(
    _ text: String, dialect: TrainingDialect = .bvlc, solver: SolverSettings = SolverSettings()
  ) throws -> [TrainingParameter] {
    let net = try read(text, dialect: dialect, solver: solver)
    return net.layers.flatMap(\.parameters)
  }

  @Test func `fields of structured sparsity learning are read for each array`() throws {
    let weights = try parameters(
      Self.inputs
        + """
        layer { name: "f" type: "InnerProduct" bottom: "x" top: "z" inner_product_param { num_output: 4 }
          connectivity_mode: DISCONNECTED_GRPWISE
          param { breadth_decay_mult: 2 kernel_shape_decay_mult: 3
            block_group_lasso { ydimen: 2 block_decay_mult: 0.5 } block_group_lasso { } } }
        """)
    var fields = SparsityFields()
    fields.rowFactor = 2
    fields.columnFactor = 3
    fields.blocks = [
      .init(width: 1, height: 2, factor: 0.5), .init(width: 1, height: 1, factor: 1),
    ]
    fields.connectivity = .groupwise
    #expect(weights[0].sparsity == fields)
    #expect(weights[1].sparsity == SparsityFields())
  }

  @Test func `both network surgeries are read`() throws {
    let original = try parameters(
      Self.inputs
        + """
        layer { name: "f" type: "CInnerProduct" bottom: "x" top: "z"
          inner_product_param { num_output: 4 }
          param { lr_mult: 1 } param { lr_mult: 2 } param { lr_mult: 0 } param { lr_mult: 0 }
          cinner_product_param { gamma: 1e-4 power: 2 c_rate: 4 iter_stop: 14000
            weight_mask_filler { type: "constant" value: 1 } } }
        """)
    #expect(
      original.map(\.sparsity.surgery)
        == [Surgery?](
          repeating: .original(gamma: 1e-4, power: 2, stop: 14000, rate: 4), count: 2))
    let plain =
      Self.inputs
        + """
        layer { name: "f" type: "InnerProduct" bottom: "x" top: "z" inner_product_param { num_output: 4 } }
        """
    #expect(try parameters(plain).allSatisfy { $0.sparsity.surgery == nil })
    #expect(
      try parameters(plain, dialect: .dnsAgain).map(\.sparsity.surgery)
        == [.reimplemented(threshold: 1.281), nil])
  }

  @Test func `force regularisation is refused only where it acts`() {
    let text =
      Self.inputs
        + """
        layer { name: "f" type: "InnerProduct" bottom: "x" top: "z" inner_product_param { num_output: 3 }
          param { force_mult: 1 } }
        """
    #expect(refusal(text) == "accepted")
    var solver = SolverSettings()
    solver.forkFields.forceDecay = 0.1
    #expect(refusal(text, solver: solver).contains("force regularisation is not supported"))
  }
}
