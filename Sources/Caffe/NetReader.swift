import IR

/// A net as a graph, and what had to be decided on the way.
public struct LoweredNet: Sendable {
  /// The graph of one item if layers leave the batch alone; see `Graph.batch`.
  public var graph: Graph
  /// Warnings and notes, in order.
  public var findings: [Diagnostic]
  /// Layers whose parameters are zeros because no file has them; empty unless that was allowed.
  public var missingWeights: [String]
}

/// Turns the definition of a net and its trained parameters into a graph, by Caffe's rules.
public enum NetReader {
  /// The size of an input that the definition leaves open, or a size to use instead of its own.
  public struct InputShape: Hashable, Sendable {
    /// The input's blob; nil for the first input.
    public var name: String?
    /// The extents of one item, without the batch axis, outermost first.
    public var extents: [Int]

    public init(name: String? = nil, extents: [Int]) {
      self.name = name
      self.extents = extents
    }
  }

  /// Trained parameters, and the file that error messages name.
  public struct Weights: Sendable {
    public var caffemodel: Caffemodel
    public var file: String

    public init(_ caffemodel: Caffemodel, file: String) {
      self.caffemodel = caffemodel
      self.file = file
    }
  }

  public struct Options: Sendable {
    /// What the net is instantiated for.
    public var state = NetState()
    /// Sizes of inputs.
    public var inputShapes: [InputShape] = []
    /// Whether layers without trained parameters get zeros, instead of an error.
    public var weightsOptional = false
    /// The most elements that all parameters may have together.
    public var maximumParameters = NetReader.maximumParameters

    public init() {}
  }

  /// The most elements that all parameters may have together: what a caffemodel of 2 GB holds.
  public static let maximumParameters = 1 << 29
  /// The most elements that all blobs of one run may have together: 16 GiB.
  public static let maximumBlobElements = 1 << 32

  /// Makes the graph of a net.
  ///
  /// Layers take part by `options.state`; data layers become inputs; losses, accuracies and labels
  /// are left out with a note. Parameters are found by layer name; of several files the last one
  /// that has a layer wins.
  ///
  /// - Parameter prototxt: a net of any generation of the format.
  /// - Throws: the first thing that does not fit, at the layer's place in its file.
  public static func read(
    _ prototxt: Prototxt, weights: [Weights] = [], options: Options = Options()
  ) throws(Diagnostic) -> LoweredNet {
    guard prototxt.kind == .net else {
      throw .error("this is a solver, not a net", file: prototxt.message.file)
    }
    let current = try Upgrade.net(prototxt.message)
    var lowering = NetLowering(
      name: current.string("name"), parameters: ParameterSource(weights), options: options)
    let layers = try current.layers(in: options.state)
    lowering.allLayers = current.messages("layer")
    for layer in layers { try lowering.lower(layer) }
    return try lowering.finish(layers: layers, file: current.file)
  }
}
