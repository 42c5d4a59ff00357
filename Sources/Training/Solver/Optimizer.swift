import IR

/// What an update rule needs to know of an iteration, beside the arrays.
public struct UpdateStep: Hashable, Sendable {
  /// The learning rate times the parameter's own factor.
  public var rate: Float
  /// The number of updates made before this one.
  public var iteration: Int
  public var momentum: Float

  public init(rate: Float, iteration: Int, momentum: Float) {
    self.rate = rate
    self.iteration = iteration
    self.momentum = momentum
  }
}

/// Part of a parameter's arrays, as an update rule works on them: element by element.
public struct UpdateSlice {
  public let count: Int
  /// In: the gradient, decay included. Out: the update, which will be subtracted from the values.
  public let gradient: UnsafeMutablePointer<Float>
  /// The rule's memory of these elements.
  public let history: UnsafeMutablePointer<Float>
  /// Its second memory; the same as `history` for rules that keep one.
  public let secondHistory: UnsafeMutablePointer<Float>
}

/// The rule by which gradients become updates; one file each in this folder.
///
/// The arithmetic is Caffe's, operation by operation, so that runs can be compared.
public protocol Optimizer: Sendable {
  /// How many arrays it remembers per parameter: 1 or 2.
  var historyCount: Int { get }

  /// Turns gradients into updates.
  func apply(to slice: UpdateSlice, _ step: UpdateStep)
}

extension UpdateRule {
  /// The rule at work.
  public var optimizer: any Optimizer {
    switch self {
    case .sgd: SGD()
    case .nesterov: Nesterov()
    case .adaGrad(let delta): AdaGrad(delta: delta)
    case .rmsProp(let decay, let delta): RMSProp(decay: decay, delta: delta)
    case .adaDelta(let delta): AdaDelta(delta: delta)
    case .adam(let momentum2, let delta): Adam(momentum2: momentum2, delta: delta)
    }
  }
}
