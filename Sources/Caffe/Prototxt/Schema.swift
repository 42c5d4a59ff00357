/// Which fields a message may have: Caffe's own and those of all its forks that this compiler reads.
///
/// The forks never give one (message, field) two types, so their union is one table; it is written
/// down in `Schema+Net.swift`, `Schema+Layers.swift` and `Schema+Solver.swift` in a short notation:
///
///     message FillerParameter
///       type string = constant
///       value float = 0
///     message BlobShape
///       dim int64*
///     enum ReductionOp SUM=1 ASUM SUMSQ MEAN
///
/// A star marks a repeated field, `= x` its default; a capitalised type is a message or an enum.
struct Schema: Sendable {
  /// What a field holds.
  enum Kind: Hashable, Sendable {
    case int32, uint32, int64, float, double, bool, string
    case enumeration(String)
    case message(String)
  }

  /// One field of a message.
  struct Field: Sendable {
    var name: String
    var kind: Kind
    var isRepeated: Bool
    /// What a singular field that is not given counts as, as a value of its kind.
    var defaultValue: TextMessage.Value
  }

  /// The names of an enum, in order, and their numbers.
  struct Enumeration: Sendable {
    var name: String
    var cases: [(name: String, number: Int64)]
    /// Whether a number may stand for a name; false where forks number the names differently.
    var acceptsNumbers: Bool

    func name(of number: Int64) -> String? { cases.first { $0.number == number }?.name }
    func contains(_ name: String) -> Bool { cases.contains { $0.name == name } }
  }

  private(set) var messages: [String: [String: Field]] = [:]
  private(set) var enumerations: [String: Enumeration] = [:]
  /// Field names in the table's order, for stable suggestions.
  private(set) var fieldNames: [String: [String]] = [:]

  /// The union of all dialects.
  static let caffe = Schema(tables: [netTable, layerTable, solverTable])

  /// - Precondition: the message exists, and has the field.
  func field(_ name: String, of message: String) -> Field {
    guard let field = messages[message]?[name] else {
      preconditionFailure("the schema has no field \(name) in \(message)")
    }
    return field
  }

  /// Reads the tables.
  ///
  /// - Precondition: they follow the notation.
  init(tables: [String]) {
    let lines = tables.flatMap { $0.split(separator: "\n") }
    let rows = lines.map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
    for row in rows where row[0] == "enum" { define(enumeration: row) }
    for row in rows where row[0] == "message" {
      precondition(messages[row[1]] == nil, "message \(row[1]) stands twice in the schema")
      messages[row[1]] = [:]
      fieldNames[row[1]] = []
    }
    var current = ""
    for row in rows {
      switch row[0] {
      case "enum": break
      case "message": current = row[1]
      default: define(field: row, of: current)
      }
    }
  }

  private mutating func define(enumeration row: [String]) {
    var cases: [(name: String, number: Int64)] = []
    var next: Int64 = 0
    for word in row.dropFirst(2) where word != "unnumbered" {
      let parts = word.split(separator: "=")
      if parts.count == 2, let number = Int64(parts[1]) { next = number }
      cases.append((String(parts[0]), next))
      next += 1
    }
    enumerations[row[1]] = Enumeration(
      name: row[1], cases: cases, acceptsNumbers: !row.contains("unnumbered"))
  }

  private mutating func define(field row: [String], of message: String) {
    precondition(row.count == 2 || (row.count == 4 && row[2] == "="), "schema row \(row)")
    let isRepeated = row[1].hasSuffix("*")
    let kind = kind(named: isRepeated ? String(row[1].dropLast()) : row[1])
    let text = row.count == 4 ? row[3] : nil
    let field = Field(
      name: row[0], kind: kind, isRepeated: isRepeated,
      defaultValue: defaultValue(of: kind, text: text))
    let previous = messages[message]?.updateValue(field, forKey: row[0])
    precondition(previous == nil, "field \(row[0]) stands twice in \(message)")
    fieldNames[message]?.append(row[0])
  }

  private func kind(named name: String) -> Kind {
    switch name {
    case "int32": return .int32
    case "uint32": return .uint32
    case "int64": return .int64
    case "float": return .float
    case "double": return .double
    case "bool": return .bool
    case "string": return .string
    default:
      if enumerations[name] != nil { return .enumeration(name) }
      precondition(messages[name] != nil, "the schema does not define \(name)")
      return .message(name)
    }
  }

  /// As protobuf has it: the stated default, else zero, false, the empty string or the first name.
  private func defaultValue(of kind: Kind, text: String?) -> TextMessage.Value {
    switch kind {
    case .int32, .uint32, .int64: .integer(text.flatMap { Int64($0) } ?? 0)
    case .float: .float(text.flatMap { Float($0) } ?? 0)
    case .double: .double(text.flatMap { Double($0) } ?? 0)
    case .bool: .bool(text == "true")
    case .string: .string(text ?? "")
    case .enumeration(let name): .name(text ?? enumerations[name]?.cases.first?.name ?? "")
    case .message(let name): .message(TextMessage(type: name))
    }
  }
}
