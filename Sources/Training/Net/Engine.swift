import COneDNN
import IR

/// Where a net computes: its threads, and memory that layers borrow while they run.
final class Engine {
  let threads: Int
  let context: OpaquePointer
  private var sizes: [Int] = []
  private var scratches: [FloatStorage?] = []

  /// - Parameter threads: at least 1.
  init(threads: Int) throws(Diagnostic) {
    guard let context = dnn_context_make(Int32(threads)) else {
      throw .error("oneDNN cannot be used: it made no engine")
    }
    self.threads = threads
    self.context = context
  }

  deinit { dnn_context_free(context) }

  /// Makes sure that scratch memory `slot` will have room for `count` numbers.
  func reserve(slot: Int, count: Int) {
    while sizes.count <= slot {
      sizes.append(0)
      scratches.append(nil)
    }
    if count > sizes[slot] {
      sizes[slot] = count
      scratches[slot] = nil
    }
  }

  /// Scratch memory that was reserved; what it holds is lost when the layer is done.
  func scratch(slot: Int) -> Floats {
    if let ready = scratches[slot] { return ready.pointer }
    let made = FloatStorage(sizes[slot])
    scratches[slot] = made
    return made.pointer
  }

  /// Calls `body` with disjoint ranges that cover `0..<count`, shared by the threads if there is work enough.
  ///
  /// - Parameter work: about how many numbers one step of the count touches.
  func parallel(_ count: Int, work: Int = 1, _ body: (Range<Int>) -> Void) {
    let parts = min(threads, count, max(count * work / 16384, 1))
    if parts <= 1 { return body(0..<count) }
    withoutActuallyEscaping(body) { body in
      var split = SplitWork(count: count, parts: parts, body: body)
      withUnsafeMutablePointer(to: &split) { state in
        dnn_parallel(
          Int32(threads), Int32(parts),
          { part, state in
            guard let split = state?.assumingMemoryBound(to: SplitWork.self).pointee else { return }
            split.run(Int(part))
          }, state)
      }
    }
  }

  /// destination += source
  func add(_ source: Floats, to destination: Floats, count: Int) {
    parallel(count) { range in
      for i in range { destination[i] += source[i] }
    }
  }

  /// destination = source
  func copy(_ source: Floats, to destination: Floats, count: Int) {
    parallel(count) { range in
      (destination + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
    }
  }

  /// c = a * b + beta * c, row-major; a is rows x inner, b inner x columns.
  func product(
    rows: Int, columns: Int, inner: Int, _ a: Factor, _ b: Factor, into c: Floats, beta: Float = 0
  ) {
    dnn_product(
      context, a.isTransposed, b.isTransposed, Int64(rows), Int64(columns), Int64(inner), 1,
      a.values, b.values, beta, c)
  }
}

/// A matrix in a product, as it lies in memory or transposed.
enum Factor {
  case plain(Floats)
  case transposed(Floats)

  var values: Floats {
    switch self {
    case .plain(let values), .transposed(let values): values
    }
  }

  var isTransposed: Bool {
    switch self {
    case .plain: false
    case .transposed: true
    }
  }
}

/// Work that threads share.
private struct SplitWork {
  var count: Int
  var parts: Int
  var body: (Range<Int>) -> Void

  func run(_ part: Int) { body(count * part / parts..<count * (part + 1) / parts) }
}
