import IR
import Passes

/// The blobs of a compiled network that are still what the file's network calls by their name.
struct SurvivingBlobs: Sendable {
  /// Whether a blob, and the last one of its name, has all its channels.
  private let isWhole: [Bool]
  /// Names of which the last blob has lost channels.
  private let reduced: Set<String>

  init(_ network: CompiledNetwork) {
    self.init(network.model.blobs.map(BlobKey.init), reduced: network.manifest.reduced)
  }

  /// - Parameter blobs: in the order in which the network makes them.
  init(_ blobs: [BlobKey], reduced: [Manifest.ReducedBlob]) {
    let keys = Set(reduced.map(BlobKey.init))
    let last = Dictionary(blobs.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    // Of several blobs of one name a user sees the last; an earlier one must not pass for it.
    let names = Set(last.values.filter(keys.contains).map(\.name))
    isWhole = blobs.map { !keys.contains($0) && !names.contains($0.name) }
    self.reduced = names
  }

  /// Says how many names are left out, and how to keep them; nil if none is.
  var note: Diagnostic? {
    guard !reduced.isEmpty else { return nil }
    let count = reduced.count
    return .note(
      "\(Quantity.plural(count, "blob")) that \(count == 1 ? "has" : "have") lost channels "
        + "\(count == 1 ? "is" : "are") left out; `compile --disable-pass "
        + "\(DropUnreadChannels().name)` keeps \(count == 1 ? "it" : "them")")
  }

  /// Those of the results of all blobs that have all their channels.
  func whole(of results: [ResultArray]) -> [ResultArray] {
    zip(results, isWhole).filter(\.1).map(\.0)
  }
}
