import CSparsec

/// A network's input, output or named intermediate value: row-major float32.
public struct Blob: Hashable, Sendable {
  /// The blob's name in the prototxt.
  public let name: String
  /// The layer that wrote this value last; empty for an input.
  public let layer: String
  /// The extents of one item; the leading one is 1 when the network runs item by item.
  public let shape: [Int]
  /// The number of elements of one item.
  public let count: Int
}

/// A compiled network, open for running.
///
/// A model is immutable and may be shared between threads; each caller runs it through a `Context` of
/// its own. The file stays open while the model or one of its contexts lives.
public final class Model: Sendable {
  let library: Library

  /// The JSON document that the compiler wrote about the network.
  public let manifest: String
  /// The values that a run takes, in the order in which it takes them.
  public let inputs: [Blob]
  /// The values that a run returns, in the order in which it returns them.
  public let outputs: [Blob]
  /// All values that can be observed, inputs and outputs included.
  public let blobs: [Blob]
  /// The names of the compiled layers in the order in which they run.
  public let layers: [String]
  /// The largest number of items that one run takes.
  public let maxBatch: Int

  /// Opens the file at `path`.
  public init(path: String) throws(LoadError) {
    library = try Library(path: path)
    let entry = library.entryPoints
    guard let text = entry.describe() else {
      throw .notANetwork(path: path, reason: "it has no manifest")
    }
    manifest = String(cString: text)
    maxBatch = Int(entry.maxBatch())
    inputs = try Self.list(entry.inputCount(), "input", path) { entry.input($0).flatMap(Blob.init) }
    outputs = try Self.list(entry.outputCount(), "output", path) {
      entry.output($0).flatMap(Blob.init)
    }
    blobs = try Self.list(entry.blobCount(), "blob", path) { entry.blobAt($0).flatMap(Blob.init) }
    layers = try Self.list(entry.layerCount(), "layer", path) {
      entry.layerName($0).map { String(cString: $0) }
    }
  }

  /// Why this CPU cannot run the network, naming the instructions it lacks; nil if it can.
  public var unsupportedReason: String? {
    library.entryPoints.cpuSupported() == 1 ? nil : library.entryPoints.message
  }

  /// Makes a context for up to `batch` items a run (1 to `maxBatch`) on `threads` threads (1 to 1024,
  /// the caller's included).
  public func makeContext(threads: Int = 1, batch: Int = 1) throws(RunError) -> Context {
    try Context(model: self, threads: threads, batch: batch)
  }

  private static func list<Element>(
    _ count: CInt, _ what: String, _ path: String, _ element: (CInt) -> Element?
  ) throws(LoadError) -> [Element] {
    var elements: [Element] = []
    for index in 0..<max(count, 0) {
      guard let element = element(index) else {
        throw .notANetwork(path: path, reason: "it does not describe its \(what) \(index)")
      }
      elements.append(element)
    }
    return elements
  }
}

extension Blob {
  /// Copies a description; nil if it is none.
  fileprivate init?(_ place: UnsafePointer<sparsec_blob>) {
    let blob = place.pointee
    guard let name = blob.name, let layer = blob.layer, 0...32 ~= blob.axes, blob.count >= 0,
      blob.axes == 0 || blob.shape != nil
    else { return nil }
    self.name = String(cString: name)
    self.layer = String(cString: layer)
    self.shape = UnsafeBufferPointer(start: blob.shape, count: Int(blob.axes)).map { Int($0) }
    self.count = Int(blob.count)
  }
}
