import COneDNN

/// Work on all elements of an array in pieces that fit into the first cache, by several threads.
///
/// Whatever treats elements one by one gives the same values with any number of threads.
struct ElementLoop {
  /// Four arrays of so many floats are 32 kB.
  static let piece = 2048
  /// Arrays up to this size are not worth a second thread.
  static let leastForThreads = 1 << 16

  var threads: Int

  /// Calls `body` for pieces that cover 0..<count, and adds up what it returns, in the order of the pieces.
  func sum(_ count: Int, _ body: (Range<Int>) -> Double) -> Double {
    let pieces = (count + Self.piece - 1) / Self.piece
    guard threads > 1, count >= Self.leastForThreads else {
      return (0..<pieces).reduce(0) { $0 + body(Self.range(of: $1, count)) }
    }
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: pieces) { sums in
      withoutActuallyEscaping(body) { body in
        var work = SharedPieces(sums: sums, count: count, threads: threads, body: body)
        withUnsafeMutablePointer(to: &work) { state in
          dnn_parallel(
            Int32(threads), Int32(threads),
            { thread, state in
              state?.assumingMemoryBound(to: SharedPieces.self).pointee.run(Int(thread))
            }, state)
        }
      }
      return sums.reduce(0, +)
    }
  }

  fileprivate static func range(of piece: Int, _ count: Int) -> Range<Int> {
    piece * Self.piece..<min(count, (piece + 1) * Self.piece)
  }
}

/// The pieces of an array, of which each thread has some of its own and writes their sums.
private struct SharedPieces {
  var sums: UnsafeMutableBufferPointer<Double>
  var count: Int
  var threads: Int
  var body: (Range<Int>) -> Double

  func run(_ thread: Int) {
    let share = (sums.count + threads - 1) / threads
    let first = min(sums.count, thread * share)
    for piece in first..<min(sums.count, first + share) {
      sums[piece] = body(ElementLoop.range(of: piece, count))
    }
  }
}
