import IR
import SparsecRuntime

/// What tells one blob of a network from all others: layers that work in place write several values of one
/// name.
struct BlobKey: Hashable, Sendable {
  var name: String
  /// The layer that wrote it; empty for an input.
  var layer: String

  init(_ value: IR.Value) {
    name = value.name
    layer = value.layer
  }

  init(_ blob: SparsecRuntime.Blob) {
    name = blob.name
    layer = blob.layer
  }

  init(_ blob: Manifest.ReducedBlob) {
    name = blob.blob
    layer = blob.layer
  }
}
