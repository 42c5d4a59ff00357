import CSparsec

/// What one caller needs to run a model: scratch memory and threads.
///
/// Contexts of one model or of many may run at once; one context runs one call at a time, which
/// ownership enforces. Its threads sleep between runs.
public struct Context: ~Copyable, @unchecked Sendable {
  /// The model that this context runs.
  public let model: Model
  /// The number of threads, the caller's included.
  public let threads: Int
  /// The largest number of items of a run.
  public let batch: Int
  // Mutating functions are its only users, so it has one at a time.
  private let handle: OpaquePointer

  private var entryPoints: EntryPoints { model.library.entryPoints }

  init(model: Model, threads: Int, batch: Int) throws(RunError) {
    let entry = model.library.entryPoints
    var handle: OpaquePointer?
    let status = entry.create(CInt(clamping: threads), CInt(clamping: batch), &handle)
    guard status == 0, let handle else {
      throw RunError(status: status, message: entry.message)
    }
    self.model = model
    self.threads = threads
    self.batch = batch
    self.handle = handle
  }

  deinit { model.library.entryPoints.destroy(handle) }

  /// Runs `items` items without copying: `inputs[i]` holds items x count floats of input i, item by
  /// item, and `outputs[o]` receives as much of output o. No alignment is needed.
  public mutating func run(
    items: Int = 1, inputs: [UnsafeBufferPointer<Float>],
    outputs: [UnsafeMutableBufferPointer<Float>]
  ) throws(RunError) {
    try check("input", inputs.map(\.count), model.inputs, items)
    try check("output", outputs.map(\.count), model.outputs, items)
    try succeed(
      entryPoints.run(
        handle, CInt(items), inputs.map(\.baseAddress), outputs.map(\.baseAddress)))
  }

  /// Runs `items` items: `inputs[i]` holds items x count floats of input i, item by item. Returns as
  /// much of every output.
  public mutating func run(items: Int = 1, inputs: [[Float]]) throws(RunError) -> [[Float]] {
    try check("input", inputs.map(\.count), model.inputs, items)
    let outputs = model.outputs.map {
      UnsafeMutableBufferPointer<Float>.allocate(capacity: items * $0.count)
    }
    defer { for output in outputs { output.deallocate() } }
    for output in outputs { output.initialize(repeating: 0) }
    try withBuffers(of: inputs) { (buffers) throws(RunError) in
      try run(items: items, inputs: buffers, outputs: outputs)
    }
    return outputs.map { Array($0) }
  }

  /// Runs `items` items on one thread and shows every blob as soon as it is complete: `observer` gets
  /// the item's number, the blob's index in `model.blobs`, and its elements.
  public mutating func run(
    items: Int = 1, inputs: [[Float]],
    observer: (_ item: Int, _ blob: Int, _ elements: Span<Float>) -> Void
  ) throws(RunError) -> [[Float]] {
    let result = try withoutActuallyEscaping(observer) { (observer) throws(RunError) in
      let watch = Watch(counts: model.blobs.map(\.count), observer: observer)
      return try withExtendedLifetime(watch) { () throws(RunError) in
        let user = Unmanaged.passUnretained(watch).toOpaque()
        try succeed(entryPoints.observe(handle, Watch.callback, user))
        defer { _ = entryPoints.observe(handle, nil, nil) }
        return try run(items: items, inputs: inputs)
      }
    }
    return result
  }

  /// Starts measuring the layers of the following runs from zero, or stops.
  public mutating func profile(_ on: Bool) throws(RunError) {
    try succeed(entryPoints.profile(handle, on ? 1 : 0))
  }

  /// The seconds spent in each of `model.layers` since `profile(true)`, summed over items and runs.
  public mutating func layerTimes() throws(RunError) -> [Double] {
    var seconds = [Double](repeating: 0, count: model.layers.count)
    // An empty array has no address; the function refuses NULL.
    if !seconds.isEmpty { try succeed(entryPoints.layerTimes(handle, &seconds)) }
    return seconds
  }

  private func succeed(_ status: CInt) throws(RunError) {
    if status != 0 { throw RunError(status: status, message: entryPoints.message) }
  }

  /// Whether the numbers of elements are what `items` items of `blobs` have.
  private func check(
    _ what: String, _ counts: [Int], _ blobs: [Blob], _ items: Int
  ) throws(RunError) {
    guard 1...batch ~= items else {
      throw .badArgument("\(items) items: this context takes 1 to \(batch)")
    }
    guard counts.count == blobs.count else {
      throw .badArgument("\(counts.count) \(what)s: the network has \(blobs.count)")
    }
    for (count, blob) in zip(counts, blobs) {
      let (needed, overflow) = items.multipliedReportingOverflow(by: blob.count)
      guard !overflow, count == needed else {
        throw .badArgument(
          "\(what) \(blob.name): \(count) elements, but \(items) items of \(blob.count) were expected"
        )
      }
    }
  }
}

/// A Swift observer behind the C callback.
private final class Watch {
  let counts: [Int]
  let observer: (Int, Int, Span<Float>) -> Void

  init(counts: [Int], observer: @escaping (Int, Int, Span<Float>) -> Void) {
    self.counts = counts
    self.observer = observer
  }

  static let callback: EntryPoints.Observer = { user, item, blob, elements in
    guard let user else { return }
    let watch = Unmanaged<Watch>.fromOpaque(user).takeUnretainedValue()
    let buffer = UnsafeBufferPointer(start: elements, count: watch.counts[Int(blob)])
    watch.observer(Int(item), Int(blob), buffer.span)
  }
}

/// Calls `body` with the storage of every array, in order.
private func withBuffers(
  of arrays: [[Float]], _ found: [UnsafeBufferPointer<Float>] = [],
  _ body: ([UnsafeBufferPointer<Float>]) throws(RunError) -> Void
) throws(RunError) {
  guard found.count < arrays.count else { return try body(found) }
  try arrays[found.count].withUnsafeBufferPointer { (buffer) throws(RunError) in
    try withBuffers(of: arrays, found + [buffer], body)
  }
}
