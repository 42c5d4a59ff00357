import IR

extension Layer {
  /// The extents of the outputs for inputs of these extents.
  func extents(for inputs: [Int]...) throws -> [[Int]] {
    try outputShapes(for: inputs.map { try Shape($0) }).map(\.extents)
  }

  /// The wording of the refusal of inputs of these extents; nil if they are accepted.
  func refusal(of inputs: [Int]...) -> String? {
    do {
      _ = try outputShapes(for: inputs.map { try Shape($0) })
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The names and extents of the learned arrays.
  func slots(for inputs: [Int]...) throws -> [String] {
    try parameters(for: inputs.map { try Shape($0) }).map { "\($0.name) \($0.shape)" }
  }
}

extension Window {
  /// A window that is the same along both axes.
  static func square(_ kernel: Int, stride: Int = 1, pad: Int = 0, dilation: Int = 1) -> Window {
    Window(
      kernel: [kernel, kernel], stride: [stride, stride], pad: [pad, pad],
      dilation: [dilation, dilation])
  }
}
