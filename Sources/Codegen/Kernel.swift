import IR

/// One way to compute a type of layer.
///
/// A kernel says whether it fits a node and what it would cost, packs the node's weights, and writes the C that
/// calls into its header. Its name is the same in Swift, in C, in profiles and in messages.
public protocol Kernel: Sendable {
  var name: String { get }

  /// What it answers for a node; nil if it is not made for this type of layer.
  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate?

  /// The cycles it would take if this share of the node's weights were not zero, scattered; nil if it does not
  /// pass over zeros, or is not made for the node.
  func cycles(for node: NodeID, in graph: Graph, density: Double, target: Target) -> Double?

  /// Whether it multiplies every weight, zero or not: what kernels that do not are measured by.
  var multipliesAll: Bool { get }

  /// Whether it leaves out rows and columns of weights that are zero as a whole, and multiplies the others.
  var squeezes: Bool { get }

  /// Whether its output may lie where its first input lies.
  var worksInPlace: Bool { get }

  /// Whether several items at once share the reading of weights: see `LayerEmitter.itemPitch`.
  var sharesWeights: Bool { get }

  /// Writes the body of the node's C function.
  func emit(_ node: NodeID, into emitter: inout LayerEmitter)
}

extension Kernel {
  public var worksInPlace: Bool { false }
  public var sharesWeights: Bool { false }
  public var multipliesAll: Bool { false }
  public var squeezes: Bool { false }

  public func cycles(for node: NodeID, in graph: Graph, density: Double, target: Target) -> Double?
  { nil }

  /// The answer of a kernel that fits.
  func fits(
    cycles: Double, _ target: Target, inputs: [LayoutNeed], outputs: [LayoutOffer],
    reason: String = "the kernel for this type of layer"
  ) -> KernelCandidate {
    KernelCandidate(
      kernel: name, fit: .fits(cost: target.seconds(cycles)), inputs: inputs, outputs: outputs,
      reason: reason)
  }

  /// The answer of a kernel that declines.
  func declines(_ reason: String) -> KernelCandidate {
    KernelCandidate(kernel: name, fit: .declines(because: reason))
  }
}

/// What a kernel sees and fills while it writes one layer's C function.
public struct LayerEmitter {
  public let lowered: LoweredGraph
  public let plan: MemoryPlan
  public let target: Target
  /// Constants of the whole network.
  public var weights: WeightStore
  /// Straight-line code of the whole network.
  public var code = StraightLineCode()
  /// Headers of the prelude that the function needs.
  public var headers: Set<String> = []
  /// The statements of the function.
  public var body = CWriter()
  /// Whether the statements use `part` and `parts`.
  public var usesParts = false
  /// Floats that each part of a layer of the network needs to itself while it runs.
  public private(set) var scratchFloats = 0
  /// In the tail of a network the floats from an item's values to the same of the next item; nil in the head.
  public let itemPitch: Int?
  /// Whether the statements do all `items` items, instead of the one whose values `arena` has. Only in the tail.
  public var takesItems = false

  public init(
    lowered: LoweredGraph, plan: MemoryPlan, itemPitch: Int? = nil, target: Target,
    weights: WeightStore
  ) {
    self.lowered = lowered
    self.itemPitch = itemPitch
    self.plan = plan
    self.target = target
    self.weights = weights
  }

  public var graph: Graph { lowered.graph }

  /// Asks for memory of the part that runs; returns the C expression for its address, a cache line's.
  public mutating func scratch(floats: Int) -> String {
    precondition(itemPitch == nil, "the tail's arena has no room behind an item")
    let rounded = (floats + 15) / 16 * 16
    scratchFloats = max(scratchFloats, rounded)
    usesParts = true
    return "arena + \(plan.size) + part * (int64_t)\(rounded)"
  }

  /// Where element (0, 0, 0) of a value lies in the arena, in floats.
  public func position(of value: ValueID) -> Int {
    guard let start = plan.starts[value] else { preconditionFailure("every value has a place") }
    return start + lowered.pitches(of: value).origin
  }

  /// The C expression for the address of a value's element (0, 0, 0), plus an offset in floats.
  public func pointer(_ value: ValueID, plus offset: Int = 0) -> String {
    "arena + \(position(of: value) + offset)"
  }

  /// The halo of a value's layout.
  public func halo(of value: ValueID) -> Halo {
    if case .planes(let halo)? = lowered.layouts[value] { return halo }
    return .none
  }

  /// A value as a C `struct planes`; `planes` limits it to the first planes (one item of several, say).
  public func planes(_ value: ValueID, count: Int? = nil) -> String {
    let pitches = lowered.pitches(of: value)
    let halo = halo(of: value)
    var text =
      "{.planes = \(count ?? pitches.planes), .height = \(pitches.height), "
      + ".width = \(pitches.width), .row_pitch = \(pitches.rowPitch), "
      + ".plane_pitch = \(pitches.planePitch)"
    if halo != .none {
      text += ", .top = \(halo.top), .bottom = \(halo.bottom), .left = \(halo.gap), "
      text += ".right = \(halo.gap)"
    }
    return text + "}"
  }

  /// The activation of a layer as fields of a C kernel structure: `.rectifier = …, .slope = …`.
  public func rectifier(_ activation: ElementwiseFunction?) -> String {
    switch activation {
    case nil: return ".rectifier = RECTIFIER_NONE"
    case .relu(let slope):
      return slope == 0
        ? ".rectifier = RECTIFIER_RELU"
        : ".rectifier = RECTIFIER_RELU, .slope = \(CText.literal(slope))"
    case .elu, .sigmoid, .tanh, .absoluteValue, .softplus, .power, .exponential, .logarithm,
      .threshold, .clip, .swish:
      preconditionFailure("the fusion pass takes in ReLU only")
    }
  }

  /// Writes a call of a kernel: its structure's fields one a line, those of a second structure where the kernel
  /// takes its arrays so, then its arguments. The arguments `part` and `parts` are added.
  public mutating func call(
    _ function: String, header: String? = nil, fields: [String],
    arrays: (structure: String, fields: [String])? = nil, arguments: [String] = [],
    split: Bool = true
  ) {
    headers.insert(header ?? "\(function).h")
    if split { usesParts = true }
    body.line("\(function)(")
    writeStructure(function, fields)
    if let arrays { writeStructure(arrays.structure, arrays.fields) }
    let all = arguments + (split ? ["part", "parts"] : [])
    body.line("  \(all.joined(separator: ", ")));")
  }

  private mutating func writeStructure(_ name: String, _ fields: [String]) {
    body.line("  (struct \(name)){")
    for field in fields { body.line("    \(field),") }
    body.line("  },")
  }
}
