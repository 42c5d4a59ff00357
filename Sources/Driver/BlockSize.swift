import Caffe
import IR

/// The size of the tiles that a weight matrix is cut into, beginning at its first row and column.
public struct BlockSize: Codable, Hashable, Sendable {
  /// At least 1.
  public var rows: Int
  public var columns: Int

  /// What is counted where nothing else is asked for.
  public static let standard = BlockSize(rows: 4, columns: 4)

  /// - Precondition: both are at least 1.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 1 && columns >= 1, "a block has an element")
    self.rows = rows
    self.columns = columns
  }

  /// Reads `YxX`, rows and columns; nil if it is not that.
  public init?(text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard parts.count == 2, parts.allSatisfy({ $0 >= 1 }) else { return nil }
    self.init(rows: parts[0], columns: parts[1])
  }

  var text: String { "\(rows)x\(columns)" }
}

/// The sizes of blocks that are counted in every layer.
struct BlockSizes: Sendable {
  /// By layer name.
  private var byLayer: [String: [BlockSize]] = [:]
  private var others = [BlockSize.standard]
  /// What the prototxt says and nobody can follow.
  private(set) var findings: [Diagnostic] = []

  /// What the user wishes; if nothing, the standard.
  init(wish: [BlockSize]) {
    if !wish.isEmpty { others = wish }
  }

  /// What the user wishes; if nothing, the `block_group_lasso` that a net's own weights were trained with, and the
  /// standard for layers without one.
  init(wish: [BlockSize], net: Prototxt) {
    self.init(wish: wish)
    guard wish.isEmpty else { return }
    for layer in net.message.messages("layer") {
      guard let weights = layer.messages("param").first else { continue }
      var sizes: [BlockSize] = []
      for spec in weights.messages("block_group_lasso") {
        let (rows, columns) = (spec.integer("ydimen"), spec.integer("xdimen"))
        guard rows >= 1, columns >= 1 else {
          findings.append(
            .warning(
              "blocks of \(rows) rows and \(columns) columns cannot be counted", at: spec.location))
          continue
        }
        let size = BlockSize(rows: rows, columns: columns)
        if !sizes.contains(size) { sizes.append(size) }
      }
      if !sizes.isEmpty { byLayer[layer.string("name")] = sizes }
    }
  }

  subscript(layer: String) -> [BlockSize] { byLayer[layer] ?? others }
}
