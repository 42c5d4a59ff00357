/// The constants of a network, packed as kernels stream them: the bytes of `weights.bin`.
public struct WeightStore {
  /// Every array begins at a multiple of a cache line.
  public static let alignment = 64

  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// Appends zeros up to the place where the next array begins, and returns it.
  private mutating func aligned() -> Int {
    let padding = (Self.alignment - bytes.count % Self.alignment) % Self.alignment
    bytes.append(contentsOf: repeatElement(0, count: padding))
    return bytes.count
  }

  /// Appends an array of four-byte or two-byte numbers and returns where it begins, in bytes.
  private mutating func append<Element: BitwiseCopyable>(_ elements: [Element]) -> Int {
    let start = aligned()
    elements.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return start
  }

  /// Appends floats; returns the C expression for their address.
  public mutating func append(floats: [Float]) -> String {
    "(const float *)(sparsec_weights + \(append(floats)))"
  }

  /// Appends `count` floats of zero and lets `fill` write them in place; returns the C expression for their
  /// address. The largest matrices have no room for a copy.
  public mutating func append(
    floats count: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void
  ) -> String {
    let start = aligned()
    bytes.append(contentsOf: repeatElement(0, count: 4 * count))
    bytes.withUnsafeMutableBytes { all in
      all[start...].withMemoryRebound(to: Float.self) { fill($0) }
    }
    return "(const float *)(sparsec_weights + \(start))"
  }

  /// Appends 32-bit integers; returns the C expression for their address.
  public mutating func append(offsets: [Int32]) -> String {
    "(const int32_t *)(sparsec_weights + \(append(offsets)))"
  }

  /// Appends unsigned 32-bit integers; returns the C expression for their address.
  public mutating func append(counts: [UInt32]) -> String {
    "(const uint32_t *)(sparsec_weights + \(append(counts)))"
  }

  /// Appends records of 32-bit numbers; returns the C expression for their address as `structure`.
  public mutating func append(words: [UInt32], as structure: String) -> String {
    "(const \(structure) *)(sparsec_weights + \(append(words)))"
  }

  /// Appends taps, each an offset and a value; returns the C expression for their address.
  public mutating func append(taps: [Tap]) -> String {
    "(const struct tap *)(sparsec_weights + \(append(taps)))"
  }
}

/// One nonzero weight of a table-driven convolution; `struct tap` of convolution_sparse.h.
public struct Tap: BitwiseCopyable, Hashable, Sendable {
  /// Floats from position 0 of the input.
  public var offset: Int32
  public var value: Float

  public init(offset: Int32, value: Float) {
    self.offset = offset
    self.value = value
  }
}
