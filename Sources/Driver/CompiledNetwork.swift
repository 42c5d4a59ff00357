import IR
import SparsecRuntime

/// A compiled network, opened, together with what it says about itself.
public struct CompiledNetwork: Sendable {
  /// The file's name as the user gave it.
  public let path: String
  public let model: Model
  public let manifest: Manifest

  /// Opens a compiled network that this machine's CPU can run.
  public init(path: String) throws(Diagnostic) {
    try self.init(inspecting: path)
    if let reason = model.unsupportedReason { throw .error(reason.onOneLine, file: path) }
  }

  /// Opens a compiled network to look at, whether or not this CPU can run it.
  public init(inspecting path: String) throws(Diagnostic) {
    do {
      model = try Model(path: path)
    } catch {
      throw .error("\(error)")
    }
    manifest = try Manifest.read(json: model.manifest, file: path)
    self.path = path
  }

  /// Why one run always takes the whole batch of the prototxt; nil if items are independent.
  public var fixedBatchReason: String? { manifest.batch.fixedBecause }

  /// Rows of the first input that one item of a run holds: 1, or the prototxt's batch if that is
  /// fixed.
  public var rowsPerItem: Int {
    guard fixedBatchReason != nil, let shape = model.inputs.first?.shape else { return 1 }
    return shape.first ?? 1
  }

  /// Whether axis 0 of every input counts the same rows, so that any number of them can be run.
  public var takesRows: Bool {
    model.inputs.allSatisfy { $0.shape.first == rowsPerItem }
  }

  /// How many items a run takes if the user asked for `batch` rows at once.
  func items(forBatch batch: Int) throws(Diagnostic) -> Int {
    if let reason = fixedBatchReason {
      guard batch == 1 || batch == rowsPerItem else {
        throw .error(
          "--batch \(batch): its batch is fixed at \(rowsPerItem), because \(reason)", file: path)
      }
      return 1
    }
    guard (1...model.maxBatch).contains(batch) else {
      throw .error(
        "--batch \(batch): it was compiled for batches of 1 to \(model.maxBatch); compile it with "
          + "--batch \(batch)", file: path)
    }
    return batch
  }

  /// Memory and threads to run up to `items` items at once.
  func context(threads: Int, items: Int) throws(Diagnostic) -> Context {
    guard (1...1024).contains(threads) else {
      throw .error("--threads \(threads): 1 to 1024 are possible")
    }
    do {
      return try model.makeContext(threads: threads, batch: items)
    } catch {
      throw .error("\(error)".onOneLine, file: path)
    }
  }
}
