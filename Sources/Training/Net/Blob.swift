import IR

/// One array that flows through a net while it is trained: its values and their gradient.
///
/// A layer that works in place makes a new blob of the old one's name, which may lie in the same memory.
final class Blob {
  let name: String
  let shape: Shape
  /// How many layers read it.
  let readers: Int
  /// Factor of the sum of its values in the objective.
  let lossWeight: Float
  /// Whether any layer passes a gradient to it.
  let receivesGradient: Bool
  /// How values and gradient lie in memory; the layer that makes the blob decides.
  var format = BlobFormat.plain
  /// Whether the layer that makes it looks at its values again when it passes gradients on: then no other layer may
  /// write over them.
  var isNeededByProducer = false

  private lazy var valueStorage = FloatStorage(shape.count)
  private var ownGradient: FloatStorage?
  private var gradientOwner: Blob?

  init(
    name: String, shape: Shape, readers: Int = 0, lossWeight: Float = 0,
    receivesGradient: Bool = false
  ) {
    self.name = name
    self.shape = shape
    self.readers = readers
    self.lossWeight = lossWeight
    self.receivesGradient = receivesGradient
  }

  var count: Int { shape.count }

  /// In `format`.
  var values: Floats { valueStorage.pointer }

  /// In `format`; memory is taken at first use.
  var gradient: Floats { gradientStorage.pointer }

  /// Lies in the memory of another blob of as many elements from now on.
  func share(_ other: Blob) {
    precondition(other.count == count, "blobs that share memory have as many elements")
    valueStorage = other.valueStorage
    shareGradient(other)
  }

  /// Only the gradient lies in the memory of the other's.
  func shareGradient(_ other: Blob) { gradientOwner = other }

  /// Sets the gradient to what the objective itself contributes, which those of the readers are added to.
  func startGradient() { gradient.update(repeating: lossWeight, count: count) }

  private var gradientStorage: FloatStorage {
    if let gradientOwner { return gradientOwner.gradientStorage }
    if let ownGradient { return ownGradient }
    let made = FloatStorage(count)
    ownGradient = made
    return made
  }
}
