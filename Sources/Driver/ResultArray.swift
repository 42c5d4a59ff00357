import IR
import NumPy
import SparsecRuntime

/// An array that a run produced, or several runs after each other.
public struct ResultArray: Hashable, Sendable {
  public var name: String
  public var shape: [Int]
  public var values: [Float]
  /// Whether it does not depend on the inputs, so that all items share it.
  public var isConstant: Bool

  public init(name: String, shape: [Int], values: [Float], isConstant: Bool = false) {
    self.name = name
    self.shape = shape
    self.values = values
    self.isConstant = isConstant
  }

  /// Adds the rows of a later run behind those of this one.
  mutating func append(_ later: ResultArray) {
    if isConstant { return }
    if shape.isEmpty { shape = [1] }
    shape[0] += later.shape.first ?? 1
    values += later.values
  }

  /// The elements of one row along axis 0.
  func row(_ index: Int) -> ArraySlice<Float> {
    let size = values.count / shape[0]
    return values[index * size..<(index + 1) * size]
  }
}

extension ResultArray {
  /// What `items` items left in a blob: items side by side along axis 0, without the rows that only
  /// filled up a fixed batch.
  init(
    _ blob: SparsecRuntime.Blob, _ values: [Float], of chunk: InputChunk, _ network: CompiledNetwork
  ) {
    let rowsPerItem = network.rowsPerItem
    name = blob.name
    shape = blob.shape
    isConstant = network.fixedBatchReason == nil && blob.shape.first != 1
    if isConstant {
      self.values = Array(values.prefix(blob.count))
    } else if blob.shape.first == rowsPerItem {
      shape[0] = chunk.rows
      self.values = Array(values.prefix(chunk.rows * (blob.count / rowsPerItem)))
    } else {
      self.values = values
      if chunk.items > 1 {
        if shape.isEmpty { shape = [1] }
        shape[0] *= chunk.items
      }
    }
  }
}

/// The inputs of one run.
struct InputChunk {
  /// Items as the runtime counts them: rows, or whole fixed batches.
  var items: Int
  /// Rows that are wanted; the last fixed batch may have more.
  var rows: Int
  /// For each input the elements of all items.
  var values: [[Float]]
}

/// Arrays of several runs, joined by name and order.
struct GatheredArrays {
  private(set) var arrays: [ResultArray] = []

  mutating func append(_ results: [ResultArray]) {
    guard !arrays.isEmpty else {
      arrays = results
      return
    }
    for index in arrays.indices { arrays[index].append(results[index]) }
  }

  /// The arrays as a file's content. Of several blobs of one name, as layers that work in place
  /// make them, the last is kept, as in Caffe.
  var archive: NumPyArchive {
    var archive = NumPyArchive()
    for array in arrays {
      archive[array.name] = NumPyArray(shape: array.shape, values: array.values)
    }
    return archive
  }
}
