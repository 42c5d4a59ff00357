import Foundation
import IR

/// A source whose batches are made ahead of time, on a thread of its own.
///
/// The batches, their order and the positions are those of the source behind it.
final class Prefetching: BatchSource {
  let shapes: [Shape]
  private let work: PrefetchWork
  private let capacity: Int
  private var isRunning = false
  private(set) var position: [UInt8]

  /// - Parameters:
  ///   - source: whose batches these are; nobody else may use it from now on.
  ///   - batches: how many may lie ready, at least 1.
  init(_ source: any BatchSource, batches: Int) {
    shapes = source.shapes
    position = source.position
    capacity = max(1, batches)
    work = PrefetchWork(source)
  }

  deinit { work.close() }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    if !isRunning {
      work.start(batches: capacity)
      isRunning = true
    }
    position = try work.take(into: tops)
  }

  func move(to position: [UInt8]) throws(Diagnostic) {
    work.stop()
    isRunning = false
    try work.move(to: position)
    self.position = position
  }
}

/// What the thread and its owner share.
///
/// While the thread runs, the source belongs to it, and everything else is guarded by `condition`.
private final class PrefetchWork: @unchecked Sendable {
  private struct Batch {
    var arrays: [[Float]]
    /// Where the source stood behind it.
    var position: [UInt8] = []
  }

  /// nil when it is not needed any more.
  private var source: (any BatchSource)?
  private let shapes: [Shape]
  private let condition = NSCondition()
  private var ready: [Batch] = []
  /// Handed out already: their memory is used again.
  private var free: [Batch] = []
  private var failure: Diagnostic?
  private var isStopping = false
  private var isRunning = false

  init(_ source: any BatchSource) {
    self.source = source
    shapes = source.shapes
  }

  func start(batches: Int) {
    isStopping = false
    isRunning = true
    failure = nil
    ready = []
    free = (0..<batches).map { _ in
      Batch(arrays: shapes.map { [Float](repeating: 0, count: $0.count) })
    }
    let thread = Thread { [self] in run() }
    thread.name = "prefetch"
    thread.start()
  }

  /// Ends the thread and waits for it.
  func stop() {
    condition.withLock {
      isStopping = true
      condition.broadcast()
      while isRunning { condition.wait() }
    }
    (ready, free) = ([], [])
  }

  /// Ends the thread and lets the source go at once: the thread holds on to this a moment longer, and a
  /// database may only be open once.
  func close() {
    stop()
    source = nil
  }

  /// Moves the source, while the thread does not run.
  func move(to position: [UInt8]) throws(Diagnostic) { try source?.move(to: position) }

  private func run() {
    if let source { makeBatches(of: source) }
    condition.withLock {
      isRunning = false
      condition.broadcast()
    }
  }

  private func makeBatches(of source: any BatchSource) {
    while var batch = nextFree() {
      do throws(Diagnostic) {
        try fill(&batch, from: source)
        batch.position = source.position
        condition.withLock {
          ready.append(batch)
          condition.broadcast()
        }
      } catch {
        condition.withLock {
          failure = error
          condition.broadcast()
        }
        return
      }
    }
  }

  /// Waits for room; nil if the thread shall end.
  private func nextFree() -> Batch? {
    condition.withLock {
      while free.isEmpty && !isStopping { condition.wait() }
      return isStopping ? nil : free.removeLast()
    }
  }

  private func fill(
    _ batch: inout Batch, from source: any BatchSource
  ) throws(Diagnostic) {
    // The buffers stay where they are as long as nobody touches the arrays.
    var failure: Diagnostic?
    func fill(from index: Int, _ tops: [UnsafeMutableBufferPointer<Float>]) {
      guard index < batch.arrays.count else {
        do throws(Diagnostic) { try source.next(into: tops) } catch { failure = error }
        return
      }
      var array: [Float] = []
      swap(&array, &batch.arrays[index])
      array.withUnsafeMutableBufferPointer { fill(from: index + 1, tops + [$0]) }
      swap(&array, &batch.arrays[index])
    }
    fill(from: 0, [])
    if let failure { throw failure }
  }

  /// Copies the next batch out; the first tops are enough if fewer are wanted.
  ///
  /// - Returns: where the source stood behind it.
  /// - Throws: what kept the thread from making it, once all batches before are taken.
  func take(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) -> [UInt8] {
    condition.lock()
    while ready.isEmpty && failure == nil { condition.wait() }
    guard !ready.isEmpty else {
      let failure = failure
      condition.unlock()
      guard let failure else { preconditionFailure("no batch without a reason") }
      throw failure
    }
    let batch = ready.removeFirst()
    condition.unlock()
    for (top, array) in zip(tops, batch.arrays) { _ = top.update(fromContentsOf: array) }
    let position = batch.position
    // The last use, so that the thread need not copy what it writes into.
    condition.withLock {
      free.append(batch)
      condition.broadcast()
    }
    return position
  }
}
