/// The names of a net's learned arrays in their order, from the definition of the net that a log repeats.
struct ParameterNames {
  /// An array as curves are called.
  struct Array: Hashable {
    var name: String
    /// Whether it is what a layer multiplies by, and no bias or statistic.
    var isWeight: Bool
  }

  private var known: [Array] = []
  /// Those of `known` that have four axes.
  private var kernels: [Array] = []
  private var isReading = false
  private var isDone = false
  private var depth = 0
  private var name: String?
  private var type: String?
  private var hasBias = true
  private var hasScaleBias = false

  /// A line with a head: it ends a definition, and may begin one. The first net is the one trained.
  mutating func begin(_ message: String) {
    if isReading {
      isReading = false
      isDone = !known.isEmpty
    }
    isReading = !isDone && message.hasPrefix("Initializing net from parameters:")
    depth = 0
  }

  /// A line of a definition.
  mutating func read(_ line: String) {
    guard isReading else { return }
    let line = line.drop { $0 == " " || $0 == "\t" }
    if line.hasSuffix("{") {
      if depth == 0, line.hasPrefix("layer") {
        (name, type, hasBias, hasScaleBias) = (nil, nil, true, false)
      }
      depth += 1
    } else if line.hasPrefix("}") {
      depth -= 1
      if depth == 0 { endLayer() }
    } else if depth == 1, line.hasPrefix("name: ") {
      name = Self.value(line.dropFirst(6))
    } else if depth == 1, line.hasPrefix("type: ") {
      type = Self.value(line.dropFirst(6))
    } else if line.hasPrefix("bias_term: false") {
      hasBias = false
    } else if line.hasPrefix("bias_term: true") {
      hasScaleBias = true
    }
  }

  private static func value(_ text: Substring) -> String {
    String(text.filter { $0 != "\"" && !$0.isNewline })
  }

  private mutating func endLayer() {
    guard let name, let type else { return }
    self.name = nil
    let weights = Array(name: name, isWeight: true)
    let other = Array(name: name, isWeight: false)
    switch type {
    case "Convolution", "CConvolution", "Deconvolution", "CONVOLUTION", "DECONVOLUTION":
      kernels.append(weights)
      known += hasBias ? [weights, other] : [weights]
    case "InnerProduct", "CInnerProduct", "Embed", "INNER_PRODUCT":
      known += hasBias ? [weights, other] : [weights]
    case "BatchNorm": known += [other, other, other]
    // Elsewhere a bias is the rule.
    case "Scale": known += hasScaleBias ? [other, other] : [other]
    case "PReLU", "Bias": known.append(other)
    default: return
    }
  }

  /// The arrays that a line with `count` values speaks of: all, or, in SkimCaffe, those of at least two axes.
  ///
  /// - Parameter areKernels: whether it speaks of arrays of four axes only.
  /// - Returns: `count` arrays; if the net is not known, every other one is taken for weights, as all have a bias.
  func arrays(count: Int, areKernels: Bool) -> [Array] {
    let candidates = areKernels ? [kernels] : [known, known.filter(\.isWeight)]
    if let arrays = candidates.first(where: { $0.count == count }) { return arrays }
    return (0..<count).map { index in
      Array(name: "array \(index)", isWeight: areKernels || index % 2 == 0)
    }
  }
}
