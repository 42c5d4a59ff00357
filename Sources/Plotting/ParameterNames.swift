/// The names of a net's learned arrays in their order, from the definition of the net that a log repeats.
struct ParameterNames {
  private var arrays: [(layer: String, isWeight: Bool)] = []
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
      isDone = !arrays.isEmpty
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
    switch type {
    case "Convolution", "InnerProduct", "Deconvolution", "Embed", "CONVOLUTION", "INNER_PRODUCT",
      "DECONVOLUTION":
      arrays.append((name, true))
      if hasBias { arrays.append((name, false)) }
    case "BatchNorm": arrays += [(name, false), (name, false), (name, false)]
    case "Scale":
      arrays.append((name, false))
      // Elsewhere a bias is the rule.
      if hasScaleBias { arrays.append((name, false)) }
    case "PReLU", "Bias": arrays.append((name, false))
    default: return
    }
  }

  /// Whether array `index` of `count` is a layer's weights; if the net is not known, even ones are.
  func isWeight(_ index: Int, of count: Int) -> Bool {
    arrays.count == count ? arrays[index].isWeight : index % 2 == 0
  }

  /// What to call array `index` of `count`.
  func name(_ index: Int, of count: Int) -> String {
    arrays.count == count ? arrays[index].layer : "array \(index)"
  }
}
