/// A kernel's answer to whether it can do a layer. A "no" always carries its reason.
public enum Fit: Hashable, Sendable {
  /// It can, at a predicted cost in seconds for one item on one thread.
  case fits(cost: Double)
  /// It cannot; a clause such as "the weights are 62 % nonzero".
  case declines(because: String)
}

/// What a kernel asks of the layout of an input.
public enum LayoutNeed: Hashable, Sendable {
  /// Row-major without gaps.
  case dense
  /// Planes with at least this halo; without any halo, dense will do.
  case planes(Halo)
  /// Exactly this phase split.
  case phases(PhaseSplit)
  /// The layout of the first output, which is written over it.
  case sameAsOutput
}

/// Which layouts a kernel can write.
public enum LayoutOffer: Hashable, Sendable {
  case denseOnly
  /// Planes with any halo, which the kernel fills with zeros; dense too.
  case anyPlanes
}

/// One kernel's candidature for one node.
public struct KernelCandidate: Hashable, Sendable {
  /// The kernel's name, as in profiles and emitted C.
  public var kernel: String
  public var fit: Fit
  /// One per input of the node.
  public var inputs: [LayoutNeed]
  /// One per output of the node.
  public var outputs: [LayoutOffer]
  /// Why it is a good choice: what the rule saw.
  public var reason: String
  /// Bytes of straight-line code that the layer would add to the network.
  public var codeBytes = 0
  /// Whether it is of the kind that the user's file hints at.
  public var isHinted = false
  /// Whether it is markedly faster when the rows of its output lie as far apart as those of its input.
  public var keepsRowPitch = false
  /// Seconds measured in a network on this machine; nil if nobody measured.
  public var measuredCost: Double?

  public init(
    kernel: String, fit: Fit, inputs: [LayoutNeed] = [], outputs: [LayoutOffer] = [],
    reason: String = ""
  ) {
    self.kernel = kernel
    self.fit = fit
    self.inputs = inputs
    self.outputs = outputs
    self.reason = reason
  }

  /// The predicted cost in seconds; nil if it declined.
  public var cost: Double? {
    if case .fits(let cost) = fit { return cost }
    return nil
  }

  /// The cost by which it is chosen: measured if somebody did, else predicted; nil if it declined.
  public var decidingCost: Double? { cost == nil ? nil : measuredCost ?? cost }
}

/// The kernel that won, and every loser with its reason.
public struct KernelChoice: Hashable, Sendable {
  public var kernel: String
  /// Why it won, in words.
  public var reason: String
  /// The predicted seconds for one item.
  public var predictedCost: Double
  /// All that were asked, the winner included, in the catalog's order.
  public var candidates: [KernelCandidate]
  /// The share of zeros, scattered over the weights, from which on the model would choose a sparse kernel; nil
  /// where the choice does not depend on it.
  public var breakEvenSparsity: Double?

  public init(
    kernel: String, reason: String, predictedCost: Double, candidates: [KernelCandidate]
  ) {
    self.kernel = kernel
    self.reason = reason
    self.predictedCost = predictedCost
    self.candidates = candidates
  }
}

/// A graph whose layers have kernels and whose values have layouts: all that code generation needs.
public struct LoweredGraph: Hashable, Sendable {
  public var graph: Graph
  public var kernels: [NodeID: KernelChoice]
  public var layouts: [ValueID: Layout]

  public init(graph: Graph, kernels: [NodeID: KernelChoice], layouts: [ValueID: Layout]) {
    self.graph = graph
    self.kernels = kernels
    self.layouts = layouts
  }

  /// The pitches of a value.
  public func pitches(of value: ValueID) -> Pitches {
    (layouts[value] ?? .dense).pitches(of: graph[value].shape)
  }
}
