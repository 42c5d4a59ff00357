import IR

/// A layer as a prototxt says it, but for its names, bottoms and tops.
struct LayerForm {
  /// The layer type of Caffe.
  var type: String
  /// What its name adds to that of the operation it is a part of; empty if it bears that name itself.
  var suffix = ""
  /// The field of the layer that holds its parameters, and these; nil if it has none to say.
  var parameters: (field: String, message: TextMessage)?
  /// Its learned arrays.
  var blobs: [Tensor] = []
  /// Whether it writes over what it reads.
  var isInPlace = false

  /// A layer without parameters in the prototxt.
  init(_ type: String, blobs: [Tensor] = []) {
    self.type = type
    self.blobs = blobs
  }

  /// A layer whose parameters stand in `field`.
  ///
  /// - Precondition: layers have the field, and it is a message.
  init(
    _ type: String, _ field: String, blobs: [Tensor] = [], _ fill: (inout TextMessage) -> Void
  ) {
    guard case .message(let name) = Schema.caffe.field(field, of: "LayerParameter").kind else {
      preconditionFailure("\(field) of a layer is a message")
    }
    var message = TextMessage(type: name)
    fill(&message)
    self.type = type
    self.blobs = blobs
    if !message.fields.isEmpty { parameters = (field, message) }
  }

  /// The same as a part of an operation that takes several layers.
  func asPart(_ suffix: String, isInPlace: Bool = false) -> LayerForm {
    var part = self
    part.suffix = suffix
    part.isInPlace = isInPlace
    return part
  }
}

/// Fields of layers that are left out at their usual value.
extension TextMessage {
  mutating func add(_ name: String, _ value: Int) { addUnusual(name, .integer(Int64(value))) }
  mutating func add(_ name: String, _ value: Float) { addUnusual(name, .float(value)) }
  mutating func add(_ name: String, _ value: Bool) { addUnusual(name, .bool(value)) }
  mutating func add(_ name: String, word: String) { addUnusual(name, .name(word)) }

  /// One occurrence for each value.
  mutating func add(_ name: String, each values: [Int]) {
    for value in values { append(name, .integer(Int64(value))) }
  }

  /// A `BlobShape`.
  mutating func add(_ name: String, shape extents: [Int]) {
    var shape = TextMessage(type: "BlobShape")
    shape.add("dim", each: extents)
    append(name, .message(shape))
  }

  private mutating func addUnusual(_ name: String, _ value: Value) {
    let field = Schema.caffe.field(name, of: type)
    if field.defaultValue != value { append(name, value) }
  }
}
