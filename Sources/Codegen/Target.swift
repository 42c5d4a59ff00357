/// The machine that a network is compiled for, as far as kernels need to know it.
public struct Target: Hashable, Sendable {
  /// The `-march` name, as the C compiler resolved it.
  public var architecture: String
  /// Floats per vector: 16 with AVX-512, 8 with AVX, else 4.
  public var lanes: Int
  /// Fused multiply-adds of full vectors per cycle of one core.
  public var multiplyAddsPerCycle: Double
  /// Bytes of first-level data cache and second-level cache of one core.
  public var level1Bytes: Int
  public var level2Bytes: Int
  /// Cycles per second that predicted times are given for.
  public var frequency: Double

  public init(
    architecture: String, lanes: Int, multiplyAddsPerCycle: Double = 2,
    level1Bytes: Int = 32 << 10, level2Bytes: Int = 512 << 10, frequency: Double = 3.0e9
  ) {
    precondition([4, 8, 16].contains(lanes), "vectors have 4, 8 or 16 floats")
    self.architecture = architecture
    self.lanes = lanes
    self.multiplyAddsPerCycle = multiplyAddsPerCycle
    self.level1Bytes = level1Bytes
    self.level2Bytes = level2Bytes
    self.frequency = frequency
  }

  /// Vectors that a convolution tile may keep in registers: 28 of 32 with AVX-512, else 12 of 16.
  public var accumulators: Int { lanes == 16 ? 28 : 12 }

  /// The number of vectors that hold `floats` floats.
  public func vectors(_ floats: Int) -> Int { (floats + lanes - 1) / lanes }

  /// Seconds of `cycles` cycles.
  public func seconds(_ cycles: Double) -> Double { cycles / frequency }
}
