import COneDNN
import IR

/// A convolution on oneDNN.
///
/// Formats: blocks of channels where all channels divide by them, else channels last, else plain; of these the first
/// for which oneDNN has fast code in every direction that is needed. An input of one to three channels is read as it
/// comes.
final class ConvolutionExecution: LayerExecution {
  private let context: LayerContext
  private let convolution: ConvolutionPrimitives

  init(_ layer: Convolution, _ context: LayerContext) throws(Diagnostic) {
    try context.requirePlain(layer.activation)
    if layer.addsToInput { throw context.untrainable }
    let view = try SlidingView(
      window: layer.window, groups: layer.groups, axis: layer.axis, input: context.input.shape,
      output: context.output.shape, context)
    let has4Axes = context.input.shape.axes == 4 && view.channelAxis == 1
    let formats = has4Axes ? view.formats(whenInputIs: context.input.blob.format) : [.plainPair]
    var made: ConvolutionPrimitives?
    var chosen = FormatPair.plainPair
    for pair in formats where made == nil {
      chosen = pair
      made = ConvolutionPrimitives(
        view.geometry(
          pair, hasBias: layer.hasBias, sourceGradient: context.input.wantsGradient,
          weightGradient: context.parameters.contains { $0.wantsGradient }),
        acceptsReference: pair == formats[formats.count - 1], context.engine)
    }
    self.context = context
    convolution = try context.require(made, "convolution")
    context.input.format = chosen.source
    context.output.format = chosen.destination
  }

  func forward() {
    convolution.forward(
      context.input.values, weights: context.parameters[0].values, bias: bias?.values,
      into: context.output.values)
  }

  func backward() {
    if context.parameters.contains(where: { $0.wantsGradient }) {
      convolution.weightGradient(
        context.input.values, context.output.gradient, weights: context.parameters[0].gradient,
        bias: bias?.gradient)
    }
    if context.input.wantsGradient {
      convolution.sourceGradient(
        context.output.gradient, weights: context.parameters[0].values,
        into: context.input.gradient)
    }
  }

  private var bias: LayerParameter? {
    context.parameters.count > 1 ? context.parameters[1] : nil
  }
}

/// The formats of a convolution's input and output.
struct FormatPair: Hashable {
  var source: BlobFormat
  var destination: BlobFormat

  static let plainPair = FormatPair(source: .plain, destination: .plain)
}

/// Shapes of a layer with a sliding window as oneDNN takes them: [images, channels, one to three spatial axes].
struct SlidingView {
  let channelAxis: Int
  private let window: Window
  private let groups: Int
  private let source: [Int]
  private let destination: [Int]

  init(
    window: Window, groups: Int, axis: Int, input: Shape, output: Shape, _ context: LayerContext
  ) throws(Diagnostic) {
    guard window.axes <= 3 else {
      throw context.error("a window over \(window.axes) axes cannot be trained; at most 3 can")
    }
    let channelAxis = axis < 0 ? axis + input.axes : axis
    self.channelAxis = channelAxis
    self.groups = groups
    // Without spatial axes every position is an image of one pixel.
    self.window = window.axes == 0 ? Window(kernel: [1]) : window
    func view(_ shape: Shape) -> [Int] {
      let spatial = Array(shape.extents[(channelAxis + 1)...])
      return [shape.count(upTo: channelAxis), shape[channelAxis]]
        + (spatial.isEmpty ? [1] : spatial)
    }
    source = view(input)
    destination = view(output)
  }

  var outputChannels: Int { destination[1] }

  /// Elements of one channel of the output.
  var outputPlane: Int { destination[2...].reduce(1, *) }
  var images: Int { source[0] }

  /// The formats worth trying, the best first; the last always works.
  func formats(whenInputIs given: BlobFormat) -> [FormatPair] {
    let (channels, filters) = (source[1], destination[1])
    var result: [FormatPair] = []
    if given == .plain, groups == 1, channels <= 3 {
      let output = BlobFormat.blocked(channels: [filters]) ?? .channelsLast
      result.append(FormatPair(source: .plain, destination: output))
    }
    if let blocked = BlobFormat.blocked(channels: [channels / groups, filters / groups]) {
      result.append(FormatPair(source: blocked, destination: blocked))
    }
    if groups == 1 {
      result.append(FormatPair(source: .channelsLast, destination: .channelsLast))
    }
    return result + [.plainPair]
  }

  /// - Parameter swapped: for transposed convolutions, whose input is the convolution's output.
  func geometry(
    _ formats: FormatPair, hasBias: Bool, sourceGradient: Bool, weightGradient: Bool,
    swapped: Bool = false
  ) -> dnn_convolution_geometry {
    var result = dnn_convolution_geometry()
    result.source = dnn_shape(swapped ? destination : source)
    result.destination = dnn_shape(swapped ? source : destination)
    result.source_format = formats.source.primitive
    result.destination_format = formats.destination.primitive
    result.groups = Int32(groups)
    result.spatial = Int32(window.axes)
    result.has_bias = hasBias
    result.kernel = triple(window.kernel)
    result.stride = triple(window.stride)
    result.pad = triple(window.pad)
    result.dilation = triple(window.dilation)
    result.wants_source_gradient = sourceGradient
    result.wants_weight_gradient = weightGradient
    return result
  }

  private func triple(_ list: [Int]) -> (Int64, Int64, Int64) {
    func entry(_ index: Int) -> Int64 { index < list.count ? Int64(list[index]) : 1 }
    return (entry(0), entry(1), entry(2))
  }
}

/// The three directions of a convolution over plain weights.
final class ConvolutionPrimitives {
  private let primitives: OpaquePointer
  private let engine: Engine

  init?(_ geometry: dnn_convolution_geometry, acceptsReference: Bool, _ engine: Engine) {
    var geometry = geometry
    guard let made = dnn_convolution_make(engine.context, &geometry, acceptsReference) else {
      return nil
    }
    primitives = made
    self.engine = engine
  }

  deinit { dnn_convolution_free(primitives) }

  func forward(_ source: Floats, weights: Floats, bias: Floats?, into destination: Floats) {
    dnn_convolution_forward(primitives, source, weights, bias, destination)
  }

  /// Overwrites `result`.
  func sourceGradient(_ destinationGradient: Floats, weights: Floats, into result: Floats) {
    dnn_convolution_source_gradient(primitives, destinationGradient, weights, result)
  }

  /// Adds to `weights` and `bias`.
  func weightGradient(
    _ source: Floats, _ destinationGradient: Floats, weights: Floats, bias: Floats?
  ) {
    dnn_convolution_weight_gradient(primitives, source, destinationGradient, weights, bias)
  }
}
