/// Every layer there is. No switch over it has a `default:`, so that a new layer is asked for everywhere.
public enum Operation: Hashable, Sendable {
  case argMax(ArgMax)
  case batchNorm(BatchNorm)
  case batchReindex(BatchReindex)
  case bias(Bias)
  case borderBias(BorderBias)
  case concat(Concat)
  case constant(Constant)
  case convolution(Convolution)
  case crop(Crop)
  case deconvolution(Deconvolution)
  case elementwise(Elementwise)
  case eltwise(Eltwise)
  case embed(Embed)
  case flatten(Flatten)
  case identity(Identity)
  case im2col(Im2col)
  case innerProduct(InnerProduct)
  case lrn(LRN)
  case mvn(MVN)
  case parameter(ParameterBlob)
  case pooling(Pooling)
  case preLU(PReLU)
  case reduction(Reduction)
  case repack(Repack)
  case reshape(Reshape)
  case scale(Scale)
  case silence(Silence)
  case slice(Slice)
  case softmax(Softmax)
  case spatialPyramidPooling(SpatialPyramidPooling)
  case split(Split)
  case tile(Tile)

  /// The layer, for questions that all layers answer.
  public var layer: any Layer {
    switch self {
    case .argMax(let layer): layer
    case .batchNorm(let layer): layer
    case .batchReindex(let layer): layer
    case .bias(let layer): layer
    case .borderBias(let layer): layer
    case .concat(let layer): layer
    case .constant(let layer): layer
    case .convolution(let layer): layer
    case .crop(let layer): layer
    case .deconvolution(let layer): layer
    case .elementwise(let layer): layer
    case .eltwise(let layer): layer
    case .embed(let layer): layer
    case .flatten(let layer): layer
    case .identity(let layer): layer
    case .im2col(let layer): layer
    case .innerProduct(let layer): layer
    case .lrn(let layer): layer
    case .mvn(let layer): layer
    case .parameter(let layer): layer
    case .pooling(let layer): layer
    case .preLU(let layer): layer
    case .reduction(let layer): layer
    case .repack(let layer): layer
    case .reshape(let layer): layer
    case .scale(let layer): layer
    case .silence(let layer): layer
    case .slice(let layer): layer
    case .softmax(let layer): layer
    case .spatialPyramidPooling(let layer): layer
    case .split(let layer): layer
    case .tile(let layer): layer
    }
  }
}
