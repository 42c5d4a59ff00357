import Foundation
import IR
import Images

/// Decodes and prepares images for a network's only input.
struct ImageInputs: Sendable {
  let preprocessing: Preprocessing
  let rowsPerItem: Int

  /// - Throws: if the network's inputs are not one picture each row.
  init(for network: CompiledNetwork, _ options: PreprocessingOptions) throws(Diagnostic) {
    guard let input = network.model.inputs.first, network.model.inputs.count == 1 else {
      let names = network.model.inputs.map(\.name).joined(separator: ", ")
      throw .error(
        "it has \(network.model.inputs.count) inputs (\(names)) and images fill only one; give "
          + "arrays with --input NAME=FILE.npy", file: network.path)
    }
    preprocessing = try PreprocessingPlan.plan(
      for: input.shape, baked: network.manifest.preprocessing, options)
    rowsPerItem = network.rowsPerItem
  }

  /// An image's row of the input, or why there is none.
  func load(_ file: String) -> Result<[Float], Diagnostic> {
    do {
      let image = try ImageDecoder.decode(contentsOf: file)
      return .success(try preprocessing.planes(of: image))
    } catch let error as ImageError {
      return .failure(.error("\(error)".onOneLine))
    } catch {
      return .failure(.error("\(error)", file: file))
    }
  }

  /// Loads files on several threads; the results are in the files' order.
  func load(_ files: ArraySlice<String>, threads: Int) -> [Result<[Float], Diagnostic>] {
    guard threads > 1, files.count > 1 else { return files.map(load) }
    let results = Slots<Result<[Float], Diagnostic>>(count: files.count)
    let strands = min(threads, files.count)
    DispatchQueue.concurrentPerform(iterations: strands) { strand in
      for index in stride(from: strand, to: files.count, by: strands) {
        results.put(load(files[files.startIndex + index]), at: index)
      }
    }
    return results.all()
  }

  /// Rows as one run's input; a fixed batch is filled up with the last row.
  ///
  /// - Precondition: there is a row.
  func chunk(_ rows: [[Float]]) -> InputChunk {
    let items = (rows.count + rowsPerItem - 1) / rowsPerItem
    var values: [Float] = []
    values.reserveCapacity(items * rowsPerItem * preprocessing.count)
    for row in rows { values += row }
    for _ in rows.count..<items * rowsPerItem { values += rows[rows.count - 1] }
    return InputChunk(items: items, rows: rows.count, values: [values])
  }
}

/// Places that threads fill one by one.
private final class Slots<Element: Sendable>: @unchecked Sendable {
  // Guarded by the lock.
  private var elements: [Element?]
  private let lock = NSLock()

  init(count: Int) { elements = Array(repeating: nil, count: count) }

  func put(_ element: Element, at index: Int) {
    lock.withLock { elements[index] = element }
  }

  func all() -> [Element] { lock.withLock { elements.compactMap(\.self) } }
}

/// A value that is made on another thread while the caller does something else.
final class Background<Value: Sendable>: @unchecked Sendable {
  // Written before the signal, read behind the wait.
  private var value: Value?
  private let made = DispatchSemaphore(value: 0)

  init(_ make: @escaping @Sendable () -> Value) {
    DispatchQueue.global().async { [self] in
      value = make()
      made.signal()
    }
  }

  /// The value, as soon as it is there.
  ///
  /// - Precondition: called once.
  func wait() -> Value {
    made.wait()
    guard let value else { preconditionFailure("a background value is waited for once") }
    return value
  }
}
