import IR

/// One layer of a net, ready to run. Making it chooses formats and prepares primitives.
protocol LayerExecution: AnyObject {
  /// Computes the outputs from the inputs.
  func forward() throws(Diagnostic)

  /// Writes the gradient of every input that wants one, and adds those of the parameters that want one.
  func backward()

  /// What the coming passes depend on beside inputs and parameters; empty for most layers.
  var state: [UInt8] { get }
  func restore(_ state: [UInt8]) throws(Diagnostic)
}

extension LayerExecution {
  var state: [UInt8] { [] }
  func restore(_ state: [UInt8]) throws(Diagnostic) {}
}

/// A learned array as one layer uses it.
struct LayerParameter {
  var parameter: Parameter
  /// Whether the layer adds to the gradient.
  var wantsGradient: Bool

  var values: Floats {
    guard let base = parameter.values.baseAddress else {
      preconditionFailure("arrays have elements")
    }
    return base
  }

  var gradient: Floats {
    guard let base = parameter.gradient.baseAddress else {
      preconditionFailure("arrays have elements")
    }
    return base
  }

  var count: Int { parameter.count }
}

/// What a layer is made from.
struct LayerContext {
  var layer: TrainingLayer
  var inputs: [LayerInput]
  var outputs: [Blob]
  var parameters: [LayerParameter]
  /// What the layer does for those behind it, whose output is then `outputs`.
  var absorbed: AbsorbedLayers
  var isTraining: Bool
  /// Whether `backward` will ever be called.
  var wantsBackward: Bool
  /// Whether the output may be written over the first input.
  var mayWorkInPlace: Bool
  var engine: Engine
  /// A stream of the layer's own.
  var random: RandomSource

  /// The first input, for layers that have just one.
  var input: LayerInput { inputs[0] }
  /// The first output, for layers that have just one.
  var output: Blob { outputs[0] }

  /// Lets the first output have the first input's format and, where that is possible, its memory.
  ///
  /// Only for layers whose backward pass does not look at the first input's values.
  func workInPlace() {
    keepFormat()
    if mayWorkInPlace { output.share(input.blob) }
  }

  /// Lets the first output have the first input's format, whatever it is.
  func keepFormat() {
    input.keepFormat()
    output.format = input.format
  }

  /// An error that names the layer.
  func error(_ message: String) -> Diagnostic {
    .error("\(layer.title): \(message)", at: layer.location)
  }

  /// A primitive that oneDNN must have.
  func require<T>(_ made: T?, _ what: String) throws(Diagnostic) -> T {
    guard let made else {
      throw error(
        "oneDNN has no \(what) for inputs of shape \(layer.inputShapes.map(\.description).joined(separator: ", "))"
      )
    }
    return made
  }
}
