/// A function of one number, applied to every element: Caffe's neuron layers without weights.
public enum ElementwiseFunction: Hashable, Sendable {
  /// max(x, 0) + slope * min(x, 0).
  case relu(slope: Float)
  /// x for x > 0, else alpha * (e^x - 1).
  case elu(alpha: Float)
  /// 0.5 * tanh(0.5 x) + 0.5.
  case sigmoid
  case tanh
  /// |x|.
  case absoluteValue
  /// log(1 + e^x).
  case softplus
  /// (shift + scale * x)^power; a constant if scale or power is 0.
  case power(power: Float, scale: Float, shift: Float)
  /// base^(scale * x + shift); base nil is e.
  case exponential(base: Float?, scale: Float, shift: Float)
  /// log of scale * x + shift to the base; nil is e.
  case logarithm(base: Float?, scale: Float, shift: Float)
  /// 1 for x > threshold, else 0.
  case threshold(Float)
  /// min(max(x, low), high).
  case clip(low: Float, high: Float)
  /// x / (1 + e^(-beta x)).
  case swish(beta: Float)

  /// The prototxt's name of the layer.
  public var typeName: String {
    switch self {
    case .relu: "ReLU"
    case .elu: "ELU"
    case .sigmoid: "Sigmoid"
    case .tanh: "TanH"
    case .absoluteValue: "AbsVal"
    case .softplus: "BNLL"
    case .power: "Power"
    case .exponential: "Exp"
    case .logarithm: "Log"
    case .threshold: "Threshold"
    case .clip: "Clip"
    case .swish: "Swish"
    }
  }

  /// Properties for the dump, without those at their usual value.
  public var attributes: [Attribute] {
    switch self {
    case .relu(let slope): slope == 0 ? [] : [Attribute("slope", slope)]
    case .elu(let alpha): [Attribute("alpha", alpha)]
    case .sigmoid, .tanh, .absoluteValue, .softplus: []
    case .power(let power, let scale, let shift):
      [Attribute("power", power), Attribute("scale", scale), Attribute("shift", shift)]
    case .exponential(let base, let scale, let shift), .logarithm(let base, let scale, let shift):
      [
        Attribute("base", base.map { "\($0)" } ?? "e"), Attribute("scale", scale),
        Attribute("shift", shift),
      ]
    case .threshold(let threshold): [Attribute("threshold", threshold)]
    case .clip(let low, let high): [Attribute("low", low), Attribute("high", high)]
    case .swish(let beta): [Attribute("beta", beta)]
    }
  }
}
