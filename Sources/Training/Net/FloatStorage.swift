/// A pointer to float32 numbers.
typealias Floats = UnsafeMutablePointer<Float>

/// Memory for a number of floats, aligned to a cache line; zeros at first.
final class FloatStorage {
  let pointer: Floats
  let count: Int

  init(_ count: Int) {
    self.count = count
    pointer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 16) * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
    pointer.initialize(repeating: 0, count: count)
  }

  convenience init(_ values: [Float]) {
    self.init(values.count)
    pointer.update(from: values, count: values.count)
  }

  convenience init(copying values: UnsafeMutableBufferPointer<Float>) {
    self.init(values.count)
    if let base = values.baseAddress { pointer.update(from: base, count: values.count) }
  }

  deinit { pointer.deallocate() }
}
