import IR

/// A learned array while a net is trained: its values and the gradient that adds up for them.
///
/// Layers that share an array share one object; the train net and its test nets share all of them.
public final class Parameter {
  /// The first layer that has it, and which of that layer's arrays it is.
  public let layer: String
  public let index: Int
  /// What training does with it; the owner's word where several layers share it.
  public let settings: TrainingParameter
  /// Row-major values in `settings.slot.shape`.
  public let values: UnsafeMutableBufferPointer<Float>
  /// Row-major, as long as `values`. Backward adds to it; the solver clears it.
  public let gradient: UnsafeMutableBufferPointer<Float>

  public var shape: Shape { settings.slot.shape }
  public var count: Int { values.count }

  /// An array of zeros.
  public init(layer: String, index: Int, settings: TrainingParameter) {
    self.layer = layer
    self.index = index
    self.settings = settings
    values = Self.zeros(settings.slot.shape.count)
    gradient = Self.zeros(settings.slot.shape.count)
  }

  deinit {
    values.deallocate()
    gradient.deallocate()
  }

  /// Aligned to a cache line, as the kernels like it.
  private static func zeros(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
    memory.initialize(repeating: 0, count: count)
    return UnsafeMutableBufferPointer(start: memory, count: count)
  }
}
