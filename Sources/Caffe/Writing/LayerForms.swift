import IR

/// What Caffe cannot say of an operation; a clause.
struct Inexpressible: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// How the operations of the IR are said in Caffe.
enum LayerForms {
  /// The layers that an operation takes, a chain from its inputs to its outputs; usually one.
  ///
  /// - Parameters:
  ///   - node: a node of a graph.
  ///   - inputs: the shapes of its inputs.
  static func chain(of node: Node, inputs: [Shape]) throws(Inexpressible) -> [LayerForm] {
    let blobs = node.parameters
    switch node.operation {
    case .argMax(let layer): return [ReshapingWriters.argMax(layer)]
    case .batchNorm(let layer): return [NormalizationWriters.batchNorm(layer, blobs)]
    case .batchReindex: return [LayerForm("BatchReindex")]
    case .bias(let layer): return [ElementwiseWriters.bias(layer, blobs)]
    case .borderBias:
      throw Inexpressible("Caffe has no layer for a bias that depends on the place in the image")
    case .concat(let layer): return [JoiningWriters.concat(layer)]
    case .constant(let layer): return ConstantWriter.chain(layer, blobs, input: inputs[0])
    case .convolution(let layer): return [try ConvolutionWriter.convolution(layer, blobs)]
    case .crop(let layer): return [ReshapingWriters.crop(layer)]
    case .deconvolution(let layer): return [ConvolutionWriter.deconvolution(layer, blobs)]
    case .elementwise(let layer): return [ElementwiseWriters.function(layer.function)]
    case .eltwise(let layer): return [ElementwiseWriters.eltwise(layer)]
    case .embed(let layer): return [InnerProductWriter.embed(layer, blobs)]
    case .flatten(let layer): return [ReshapingWriters.flatten(layer)]
    case .identity(let layer): return [ElementwiseWriters.identity(layer)]
    case .im2col(let layer): return [ConvolutionWriter.im2col(layer)]
    case .innerProduct(let layer): return [try InnerProductWriter.innerProduct(layer, blobs)]
    case .lrn(let layer): return [try NormalizationWriters.lrn(layer)]
    case .mvn(let layer): return [NormalizationWriters.mvn(layer)]
    case .parameter(let layer): return [JoiningWriters.parameter(layer, blobs)]
    case .pooling(let layer): return try PoolingWriter.chain(layer)
    case .preLU(let layer): return [ElementwiseWriters.preLU(layer, blobs)]
    case .reduction(let layer): return [ReshapingWriters.reduction(layer)]
    case .repack: throw Inexpressible("Caffe has one layout only, and no layer that changes it")
    case .reshape(let layer): return [ReshapingWriters.reshape(layer)]
    case .scale(let layer): return [ElementwiseWriters.scale(layer, blobs)]
    case .silence: return [LayerForm("Silence")]
    case .slice(let layer): return [JoiningWriters.slice(layer)]
    case .softmax(let layer): return [NormalizationWriters.softmax(layer)]
    case .spatialPyramidPooling(let layer): return [PoolingWriter.pyramid(layer)]
    case .split: return [LayerForm("Split")]
    case .tile(let layer): return [JoiningWriters.tile(layer)]
    }
  }

  /// Whether Caffe's layer may write over its first input.
  static func worksInPlace(_ operation: Operation) -> Bool {
    switch operation {
    case .elementwise(let layer): layer.function != .absoluteValue
    case .identity(let layer): ElementwiseWriters.isDropout(layer)
    case .batchNorm, .bias, .preLU, .scale, .softmax: true
    case .argMax, .batchReindex, .borderBias, .concat, .constant, .convolution, .crop,
      .deconvolution, .eltwise, .embed, .flatten, .im2col, .innerProduct, .lrn, .mvn, .parameter,
      .pooling, .reduction, .repack, .reshape, .silence, .slice, .spatialPyramidPooling, .split,
      .tile:
      false
    }
  }

  /// Whether Caffe's layer hands on the memory of its first input, or of its weights, as its output.
  static func sharesMemory(_ node: Node) -> Bool {
    switch node.operation {
    case .flatten, .parameter, .reshape, .split: true
    case .identity(let layer): !ElementwiseWriters.isDropout(layer)
    case .concat: node.inputs.count == 1
    case .slice: node.outputs.count == 1
    // The last of its layers is a Reshape, of what nobody else reads.
    case .constant: false
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .im2col, .innerProduct, .lrn, .mvn, .pooling,
      .preLU, .reduction, .repack, .scale, .silence, .softmax, .spatialPyramidPooling, .tile:
      false
    }
  }

  /// A layer that fuses another one into it, which only the compiler has.
  static func requireNoActivation(_ activation: ElementwiseFunction?) throws(Inexpressible) {
    guard let activation else { return }
    throw Inexpressible(
      "a \(activation.typeName) was fused into it; write the network before activations are fused")
  }
}
