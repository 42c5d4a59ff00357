import IR

/// A layer type of Caffe or a fork, and what becomes of it.
struct LayerType: Sendable {
  /// How a layer enters the graph.
  enum Role: Sendable {
    /// It makes blobs from data: they become inputs of the network.
    case data(@Sendable (LayerDefinition) throws(Diagnostic) -> [DataBlob])
    /// It computes: the operations are a chain from the bottoms to the tops.
    case computed(@Sendable (LayerDefinition) throws(Diagnostic) -> [Operation])
    /// As `computed`, once for each pair of bottom and top, with the same parameters.
    case computedPerBottom(@Sendable (LayerDefinition) throws(Diagnostic) -> [Operation])
    /// It serves training or testing only, and is left out.
    case trainingOnly
    /// It cannot be compiled; a clause says why.
    case refused(because: String)
  }

  var name: String
  /// How many bottoms and tops Caffe allows.
  var bottoms: ClosedRange<Int>
  var tops: ClosedRange<Int>
  var role: Role
}

/// All layer types by name.
enum LayerReaders {
  private static let any = 1...4096

  private static func data(
    _ name: String, tops: ClosedRange<Int>,
    _ read: @escaping @Sendable (LayerDefinition) throws(Diagnostic) -> [DataBlob]
  ) -> LayerType {
    LayerType(name: name, bottoms: 0...0, tops: tops, role: .data(read))
  }

  private static func layer(
    _ name: String, bottoms: ClosedRange<Int> = 1...1, tops: ClosedRange<Int> = 1...1,
    _ read: @escaping @Sendable (LayerDefinition) throws(Diagnostic) -> [Operation]
  ) -> LayerType {
    LayerType(name: name, bottoms: bottoms, tops: tops, role: .computed(read))
  }

  private static func perBottom(
    _ name: String,
    _ read: @escaping @Sendable (LayerDefinition) throws(Diagnostic) -> [Operation]
  ) -> LayerType {
    LayerType(name: name, bottoms: any, tops: any, role: .computedPerBottom(read))
  }

  private static func trainingOnly(_ name: String, bottoms: ClosedRange<Int>) -> LayerType {
    LayerType(name: name, bottoms: bottoms, tops: 0...2, role: .trainingOnly)
  }

  private static func refused(_ name: String, because reason: String) -> LayerType {
    LayerType(name: name, bottoms: 0...4096, tops: 0...4096, role: .refused(because: reason))
  }

  /// One line per layer type.
  static let all: [LayerType] = [
    data("Input", tops: any, DataReaders.input),
    data("Data", tops: 1...2, DataReaders.data),
    data("ImageData", tops: 2...2, DataReaders.imageData),
    data("HDF5Data", tops: any, DataReaders.hdf5Data),
    data("MemoryData", tops: 2...2, DataReaders.memoryData),
    data("DummyData", tops: any, DataReaders.dummyData),
    data("WindowData", tops: 2...2, DataReaders.windowData),

    perBottom("Convolution", ConvolutionReader.convolution),
    perBottom("CConvolution", ConvolutionReader.convolution),
    perBottom("ConvolutionReLU", ConvolutionReader.withReLU),
    perBottom("ConvolutionReLUPool", ConvolutionReader.withPooling),
    perBottom("ConvolutionReLUPoolLRN", ConvolutionReader.withPoolingAndLRN),
    perBottom("MKLConvolution", ConvolutionReader.convolution),
    perBottom("Winograd", ConvolutionReader.winograd),
    perBottom("Deconvolution", ConvolutionReader.deconvolution),
    layer("Im2col", ConvolutionReader.im2col),

    layer("InnerProduct", InnerProductReader.innerProduct),
    layer("CInnerProduct", InnerProductReader.innerProduct),
    layer("InnerProductReLUDropout", InnerProductReader.withReLU),
    layer("Embed", InnerProductReader.embed),

    layer("Pooling", tops: 1...2, PoolingReader.pooling),
    layer("MKLPooling", tops: 1...2, PoolingReader.pooling),
    layer("ReLUPooling", PoolingReader.withReLU),
    layer("SPP", PoolingReader.pyramid),

    layer("LRN", NormalizationReaders.lrn),
    layer("MKLLRN", NormalizationReaders.lrn),
    layer("BatchNorm", NormalizationReaders.batchNorm),
    layer("MVN", NormalizationReaders.mvn),
    layer("Softmax", NormalizationReaders.softmax),

    layer("ReLU", ElementwiseReaders.relu),
    layer("MKLReLU", ElementwiseReaders.relu),
    layer("PReLU", ElementwiseReaders.preLU),
    layer("ELU", ElementwiseReaders.elu),
    layer("Sigmoid", ElementwiseReaders.plain(.sigmoid)),
    layer("TanH", ElementwiseReaders.plain(.tanh)),
    layer("AbsVal", ElementwiseReaders.plain(.absoluteValue)),
    layer("BNLL", ElementwiseReaders.plain(.softplus)),
    layer("Power", ElementwiseReaders.power),
    layer("Exp", ElementwiseReaders.exponential),
    layer("Log", ElementwiseReaders.logarithm),
    layer("Threshold", ElementwiseReaders.threshold),
    layer("Clip", ElementwiseReaders.clip),
    layer("Swish", ElementwiseReaders.swish),
    layer("Dropout", ElementwiseReaders.dropout),
    layer("Eltwise", bottoms: 2...4096, ElementwiseReaders.eltwise),
    layer("Scale", bottoms: 1...2, ElementwiseReaders.scale),
    layer("Bias", bottoms: 1...2, ElementwiseReaders.bias),

    layer("Concat", bottoms: any, JoiningReaders.concat),
    layer("Slice", tops: any, JoiningReaders.slice),
    layer("Split", tops: any, JoiningReaders.split),
    layer("Silence", bottoms: any, tops: 0...0, JoiningReaders.silence),
    layer("Tile", JoiningReaders.tile),
    layer("BatchReindex", bottoms: 2...2, JoiningReaders.batchReindex),
    layer("Parameter", bottoms: 0...0, JoiningReaders.parameter),

    layer("Flatten", ReshapingReaders.flatten),
    layer("Reshape", ReshapingReaders.reshape),
    layer("Crop", bottoms: 2...2, ReshapingReaders.crop),
    layer("Reduction", ReshapingReaders.reduction),
    layer("ArgMax", ReshapingReaders.argMax),

    trainingOnly("Accuracy", bottoms: 2...2),
    trainingOnly("ContrastiveLoss", bottoms: 3...3),
    trainingOnly("EuclideanLoss", bottoms: 2...2),
    trainingOnly("HDF5Output", bottoms: 2...2),
    trainingOnly("HingeLoss", bottoms: 2...2),
    trainingOnly("InfogainLoss", bottoms: 2...3),
    trainingOnly("MultinomialLogisticLoss", bottoms: 2...2),
    trainingOnly("SigmoidCrossEntropyLoss", bottoms: 2...2),
    trainingOnly("SoftmaxWithLoss", bottoms: 2...2),

    refused("Filter", because: "its output's size depends on the data"),
    refused("LSTM", because: "recurrent layers are not supported"),
    refused("LSTMUnit", because: "recurrent layers are not supported"),
    refused("RNN", because: "recurrent layers are not supported"),
    refused("Recurrent", because: "recurrent layers are not supported"),
    refused("Python", because: "a layer written in Python cannot be compiled"),
    refused(
      "MKLBatchNorm", because: "it stores no statistics; define it as BatchNorm and Scale"),
    refused("Sparsify", because: "the layers of force regularisation are not supported"),
    refused("SymmetricRectify", because: "the layers of force regularisation are not supported"),
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The type of a layer.
  ///
  /// - Throws: at the layer's `type`, with the nearest known name.
  static func type(of layer: TextMessage) throws(Diagnostic) -> LayerType {
    let name = layer.string("type")
    let title = "layer \(Spelling.quoted(layer.string("name")))"
    guard layer.has("type"), !name.isEmpty else {
      throw .error("\(title) has no type", at: layer.location)
    }
    guard let type = byName[name] else {
      throw .error(
        "\(title) is of the unknown type \(Spelling.quoted(name))"
          + Spelling.hint(for: name, among: all.map(\.name)),
        at: layer.location(of: "type"))
    }
    return type
  }
}
