import IR

/// A protobuf message read from text: its fields in the file's order, each with its place.
///
/// Accessors take field names of the message's type and follow protobuf: a singular field that is
/// not given has its default. Two messages are equal if their fields are; places do not count.
public struct TextMessage: Sendable {
  /// A line and a column in the message's file, both from 1; 0 if the text does not contain it.
  public struct Position: Hashable, Sendable {
    public var line: Int32
    public var column: Int32

    /// The place of what no file contains.
    public static let none = Position(line: 0, column: 0)
  }

  /// What a field holds; integers of all widths share a case.
  public enum Value: Sendable {
    case integer(Int64)
    case float(Float)
    case double(Double)
    case bool(Bool)
    case string(String)
    /// A name of an enum.
    case name(String)
    indirect case message(TextMessage)
  }

  /// One occurrence of a field.
  public struct Field: Sendable {
    public var name: String
    public var value: Value
    /// Where the field's name stands.
    public var position: Position
    /// Where its value starts.
    public var valuePosition: Position
  }

  /// The name of its type, such as `ConvolutionParameter`.
  public let type: String
  /// The file it was read from, as the user named it; empty if from none.
  public var file: String
  /// Where the message starts: the name of the field that holds it, or the start of the file.
  public var position: Position
  public private(set) var fields: [Field]

  /// A message without fields.
  ///
  /// - Precondition: the schema knows `type`.
  public init(type: String, file: String = "", position: Position = .none) {
    self.type = type
    self.file = file
    self.position = position
    self.fields = []
  }

  /// A message with the fields that a parser checked against the schema.
  init(type: String, file: String, position: Position, fields: [Field]) {
    self.type = type
    self.file = file
    self.position = position
    self.fields = fields
  }

  /// Where the message starts, or nil if no file contains it.
  public var location: SourceLocation? { sourceLocation(position) }

  /// Where the value of occurrence `index` of a field stands; the message's start if not given.
  public func location(of name: String, index: Int = 0) -> SourceLocation? {
    let occurrences = fields.lazy.filter { $0.name == name }
    guard let field = occurrences.dropFirst(index).first else { return location }
    return sourceLocation(field.valuePosition) ?? location
  }

  func sourceLocation(_ position: Position) -> SourceLocation? {
    guard position.line > 0 else { return nil }
    return SourceLocation(file: file, line: Int(position.line), column: Int(position.column))
  }
}

extension TextMessage {
  /// Whether the text gives the field.
  public func has(_ name: String) -> Bool { fields.contains { $0.name == name } }

  /// How often the text gives the field.
  public func count(_ name: String) -> Int { fields.count { $0.name == name } }

  /// All occurrences of a field, in order.
  public func values(_ name: String) -> [Value] {
    fields.filter { $0.name == name }.map(\.value)
  }

  /// The value of a singular field, or its default.
  ///
  /// - Precondition: the message's type has this singular field.
  public func value(_ name: String) -> Value {
    let field = Schema.caffe.field(name, of: type)
    precondition(!field.isRepeated, "\(name) of \(type) is repeated")
    return fields.first { $0.name == name }?.value ?? field.defaultValue
  }

  /// An integer field of any width.
  public func integer(_ name: String) -> Int {
    guard case .integer(let value) = value(name) else { mismatch(name) }
    return Int(value)
  }

  public func float(_ name: String) -> Float {
    guard case .float(let value) = value(name) else { mismatch(name) }
    return value
  }

  public func bool(_ name: String) -> Bool {
    guard case .bool(let value) = value(name) else { mismatch(name) }
    return value
  }

  public func string(_ name: String) -> String {
    guard case .string(let value) = value(name) else { mismatch(name) }
    return value
  }

  /// The name of an enum field's value.
  public func enumName(_ name: String) -> String {
    guard case .name(let value) = value(name) else { mismatch(name) }
    return value
  }

  /// A message field, or an empty message, all defaults, placed where this message is.
  public func message(_ name: String) -> TextMessage {
    guard case .message(var value) = value(name) else { mismatch(name) }
    if !has(name) {
      value.file = file
      value.position = position
    }
    return value
  }

  /// A repeated integer field of any width.
  public func integers(_ name: String) -> [Int] {
    values(name).map { if case .integer(let value) = $0 { Int(value) } else { mismatch(name) } }
  }

  /// A repeated float field.
  public func floats(_ name: String) -> [Float] {
    values(name).map { if case .float(let value) = $0 { value } else { mismatch(name) } }
  }

  /// A repeated double field.
  public func doubles(_ name: String) -> [Double] {
    values(name).map { if case .double(let value) = $0 { value } else { mismatch(name) } }
  }

  /// A repeated bool field.
  public func bools(_ name: String) -> [Bool] {
    values(name).map { if case .bool(let value) = $0 { value } else { mismatch(name) } }
  }

  /// A repeated string field.
  public func strings(_ name: String) -> [String] {
    values(name).map { if case .string(let value) = $0 { value } else { mismatch(name) } }
  }

  /// A repeated enum field, as names.
  public func enumNames(_ name: String) -> [String] {
    values(name).map { if case .name(let value) = $0 { value } else { mismatch(name) } }
  }

  /// A repeated message field.
  public func messages(_ name: String) -> [TextMessage] {
    values(name).map { if case .message(let value) = $0 { value } else { mismatch(name) } }
  }

  private func mismatch(_ name: String) -> Never {
    preconditionFailure("field \(name) of \(type) was read as another kind than the schema's")
  }
}

extension TextMessage {
  /// Adds an occurrence of a field at the end.
  ///
  /// - Precondition: the message's type has the field.
  public mutating func append(_ name: String, _ value: Value, at position: Position? = nil) {
    _ = Schema.caffe.field(name, of: type)
    let place = position ?? self.position
    fields.append(Field(name: name, value: value, position: place, valuePosition: place))
  }

  /// Adds a field as it stands in another message.
  ///
  /// - Precondition: the message's type has the field.
  public mutating func append(_ field: Field, as name: String? = nil) {
    var renamed = field
    renamed.name = name ?? field.name
    _ = Schema.caffe.field(renamed.name, of: type)
    fields.append(renamed)
  }

  /// Replaces a singular field, in place if it is given, else at the end.
  public mutating func set(_ name: String, _ value: Value, at position: Position? = nil) {
    if let index = fields.firstIndex(where: { $0.name == name }) {
      fields[index].value = value
    } else {
      append(name, value, at: position)
    }
  }

  /// Removes all occurrences of a field.
  public mutating func remove(_ name: String) { fields.removeAll { $0.name == name } }

  /// The same message with other fields.
  func replacingFields(_ fields: [Field]) -> TextMessage {
    TextMessage(type: type, file: file, position: position, fields: fields)
  }
}

extension TextMessage: Equatable {
  public static func == (a: TextMessage, b: TextMessage) -> Bool {
    a.type == b.type && a.fields == b.fields
  }
}

extension TextMessage.Field: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.name == b.name && a.value == b.value }
}

extension TextMessage.Value: Equatable {
  /// Numbers are equal if their bits are, so that a NaN equals itself.
  public static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a == b
    case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
    case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.name(let a), .name(let b)): a == b
    case (.message(let a), .message(let b)): a == b
    default: false
    }
  }
}
