import IR

/// A method that makes weights zero while a net is trained.
public enum SparsifyingMethod: String, Hashable, Sendable, CaseIterable {
  /// Structured sparsity learning: group lasso (Wen et al. 2016), by its proximal step.
  case ssl
  /// Element-wise L1, by its proximal step.
  case l1
  /// SkimCaffe's guided pruning: L1 and a threshold that spares what the data move, where zeros pay.
  case guided
  /// Dynamic network surgery (Guo, Yao and Chen 2016).
  case dns
  /// The smallest weights, gradually (Zhu and Gupta 2017).
  case magnitude

  /// Whether it can make zeros of a structure.
  public func canMake(_ structure: ZeroStructure) -> Bool {
    switch self {
    case .ssl, .magnitude: true
    case .l1, .guided, .dns: structure == .element
    }
  }
}

/// What becomes zero together.
public enum ZeroStructure: String, Hashable, Sendable, CaseIterable {
  case element
  /// A filter or neuron: a row of the weights with its bias, with the normalisation behind it and, where an Eltwise adds
  /// blobs, with the same filter of all that write to them.
  case filter
  /// All weights that read one input channel.
  case channel
  /// A column of the weights: one place of the window in one channel, for all filters of a group.
  case shape
  /// One filter's window on one channel.
  case kernel
  /// All weights of a layer that something leads around.
  case depth
}

/// How sparse a net shall become.
public struct SparsityTarget: Hashable, Sendable {
  /// The share of zeros, 0 to 1, of all layers that `layers` does not name; nil to leave them alone.
  public var share: Double?
  /// The share of zeros by layer.
  public var layers: [String: Double]
  public var method: SparsifyingMethod
  public var structure: ZeroStructure

  public init(
    share: Double?, layers: [String: Double] = [:], method: SparsifyingMethod = .magnitude,
    structure: ZeroStructure = .element
  ) {
    self.share = share
    self.layers = layers
    self.method = method
    self.structure = structure
  }
}

/// When a run makes zeros: from `begin` on their share rises along the cubic curve of Zhu and Gupta (2017) to what is
/// wanted at `full`; at `end` the zeros are fixed, and the rest of the run is fine-tuning.
public struct SparsifyingPlan: Hashable, Sendable, Codable {
  public var begin: Int
  public var full: Int
  public var end: Int
  /// Iterations between two looks.
  public var interval: Int

  public init(begin: Int, full: Int, end: Int, interval: Int) {
    precondition(0 <= begin && begin <= full && full <= end && interval >= 1, "in order")
    self.begin = begin
    self.full = full
    self.end = end
    self.interval = interval
  }

  /// The published order of things within a run of so many iterations: the first tenth is plain training if the net starts
  /// untrained, half of the run makes zeros, a tenth holds them, and the rest is fine-tuning.
  public init(iterations: Int, startsUntrained: Bool) {
    self.init(
      begin: startsUntrained ? iterations / 10 : 0, full: iterations / 2, end: iterations * 6 / 10,
      interval: max(1, iterations / 200))
  }

  /// Whether an iteration looks at how far things are.
  func looks(at iteration: Int) -> Bool {
    iteration >= begin && iteration < end && (iteration - begin) % interval == 0
  }

  /// How much of the final share is wanted at an iteration, 0 to 1.
  func progress(at iteration: Int) -> Double {
    guard iteration < full else { return 1 }
    let left = 1 - Double(max(iteration - begin, 0)) / Double(max(full - begin, 1))
    return 1 - left * left * left
  }
}
