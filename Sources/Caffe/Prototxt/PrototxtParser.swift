import IR

/// Reads protobuf text against the schema, field by field; stops at the first mistake.
struct PrototxtParser {
  /// The deepest nesting of messages.
  static let maximumDepth = 100
  /// The most fields a file may have, so that memory stays bounded.
  static let maximumFields = 2_000_000

  private var lexer: Lexer
  private var token: Token
  private let allowUnknownFields: Bool
  private var fieldCount = 0
  private var depth = 0
  /// What was skipped.
  private(set) var warnings: [Diagnostic] = []

  init(bytes: [UInt8], file: String, allowUnknownFields: Bool) throws(Diagnostic) {
    lexer = Lexer(bytes: bytes, file: file)
    token = try lexer.next()
    self.allowUnknownFields = allowUnknownFields
  }

  /// Reads the whole file as one message of `type`.
  mutating func parse(as type: String) throws(Diagnostic) -> TextMessage {
    let start = token.position
    let fields = try fields(of: type, until: nil, opened: nil)
    return TextMessage(type: type, file: lexer.file, position: start, fields: fields)
  }

  /// The names of the fields of the file itself, as far as it can be cut into tokens.
  static func topLevelNames(bytes: [UInt8], file: String) -> [String] {
    var lexer = Lexer(bytes: bytes, file: file)
    var names: [String] = []
    var depth = 0
    var candidate: Token?
    while let token = try? lexer.next(), token.kind != .end {
      switch token.kind {
      case .symbol("{"), .symbol("<"), .symbol(":"):
        if depth == 0, let name = candidate { names.append(lexer.text(name)) }
        if token.kind != .symbol(":") { depth += 1 }
      case .symbol("}"), .symbol(">"): depth = max(0, depth - 1)
      default: break
      }
      candidate = token.kind == .identifier ? token : nil
    }
    return names
  }

  // MARK: - Tokens

  private mutating func advance() throws(Diagnostic) { token = try lexer.next() }

  private mutating func accept(_ symbol: Character) throws(Diagnostic) -> Bool {
    guard token.kind == .symbol(symbol) else { return false }
    try advance()
    return true
  }

  private func error(_ message: String) -> Diagnostic {
    lexer.error(message, at: token.position)
  }

  private func expected(_ what: String) -> Diagnostic {
    error("expected \(what), found \(lexer.described(token))")
  }

  // MARK: - Messages

  private mutating func fields(of type: String, until closing: Character?, opened: Token?)
    throws(Diagnostic) -> [TextMessage.Field]
  {
    var fields: [TextMessage.Field] = []
    var firstLines: [String: Int32] = [:]
    while true {
      if let closing, token.kind == .symbol(closing) { return fields }
      if token.kind == .end {
        guard let opened else { return fields }
        throw error(
          "the file ends inside the group opened in line \(opened.position.line); "
            + "a \"\(closing ?? "}")\" is missing")
      }
      try field(of: type, into: &fields, firstLines: &firstLines)
      if try !accept(";") { _ = try accept(",") }
    }
  }

  private mutating func field(
    of type: String, into fields: inout [TextMessage.Field], firstLines: inout [String: Int32]
  ) throws(Diagnostic) {
    if token.kind == .symbol("[") {
      throw error("extension fields in brackets are unknown to Caffe; remove this one")
    }
    guard token.kind == .identifier else {
      throw expected("the name of a field of \(type)")
    }
    let name = lexer.text(token)
    let position = token.position
    guard let field = Schema.caffe.messages[type]?[name] else {
      let message = unknownField(name, in: type)
      guard allowUnknownFields else { throw error(message) }
      let place = lexer.error(message, at: position).location
      warnings.append(.warning("\(message); skipped", at: place))
      try advance()
      try skipValue()
      return
    }
    if !field.isRepeated, let line = firstLines.updateValue(position.line, forKey: name) {
      throw error(
        "\"\(name)\" is given twice, in line \(line) and in line \(position.line); keep one")
    }
    try advance()
    try value(of: field, in: type, at: position, into: &fields)
  }

  private mutating func value(
    of field: Schema.Field, in type: String, at position: TextMessage.Position,
    into fields: inout [TextMessage.Field]
  ) throws(Diagnostic) {
    let hasColon = try accept(":")
    if case .message = field.kind {
    } else if !hasColon {
      throw expected("\":\" behind \"\(field.name)\"")
    }
    guard token.kind == .symbol("[") else {
      try oneValue(of: field, in: type, at: position, into: &fields)
      return
    }
    guard field.isRepeated else {
      throw error("\"\(field.name)\" takes one value, not a list")
    }
    try advance()
    if try accept("]") { return }
    repeat {
      try oneValue(of: field, in: type, at: position, into: &fields)
    } while try accept(",")
    guard try accept("]") else { throw expected("\",\" or \"]\"") }
  }

  private mutating func oneValue(
    of field: Schema.Field, in type: String, at position: TextMessage.Position,
    into fields: inout [TextMessage.Field]
  ) throws(Diagnostic) {
    fieldCount += 1
    guard fieldCount <= Self.maximumFields else {
      throw error("more than \(Self.maximumFields) fields in one file; weights belong elsewhere")
    }
    let place = token.position
    let value: TextMessage.Value
    if case .message(let inner) = field.kind {
      value = .message(try group(field.name, type: inner, at: position))
    } else {
      value = try scalar(of: field, in: type)
    }
    fields.append(
      TextMessage.Field(name: field.name, value: value, position: position, valuePosition: place))
  }

  private mutating func group(_ name: String, type: String, at position: TextMessage.Position)
    throws(Diagnostic) -> TextMessage
  {
    let opened = token
    let closing: Character
    switch token.kind {
    case .symbol("{"): closing = "}"
    case .symbol("<"): closing = ">"
    default: throw expected("\"{\" behind \"\(name)\", which is a group of fields")
    }
    try enter()
    try advance()
    let fields = try fields(of: type, until: closing, opened: opened)
    try advance()
    depth -= 1
    return TextMessage(type: type, file: lexer.file, position: position, fields: fields)
  }

  private mutating func enter() throws(Diagnostic) {
    depth += 1
    guard depth <= Self.maximumDepth else {
      throw error("groups nested deeper than \(Self.maximumDepth)")
    }
  }

  // MARK: - Scalars

  private mutating func scalar(of field: Schema.Field, in type: String) throws(Diagnostic)
    -> TextMessage.Value
  {
    let value: TextMessage.Value
    switch field.kind {
    case .int32:
      value = .integer(try integer(in: Int64(Int32.min)...Int64(Int32.max), field))
    case .uint32: value = .integer(try integer(in: 0...Int64(UInt32.max), field))
    case .int64: value = .integer(try integer(in: Int64.min...Int64.max, field))
    case .float: value = .float(try float(field))
    case .double: value = .double(try double(field))
    case .bool: value = .bool(try bool(field))
    case .string: return .string(try string(field))
    case .enumeration(let name): value = .name(try enumName(name, field, in: type))
    case .message: preconditionFailure("a message is no scalar")
    }
    try advance()
    return value
  }

  private mutating func integer(in range: ClosedRange<Int64>, _ field: Schema.Field)
    throws(Diagnostic) -> Int64
  {
    let isNegative = try accept("-")
    guard token.kind == .integer else { throw expected("an integer for \"\(field.name)\"") }
    if let magnitude = try lexer.magnitude(of: token) {
      let value =
        isNegative
        ? (magnitude == UInt64(Int64.max) + 1 ? Int64.min : Int64(exactly: magnitude).map { -$0 })
        : Int64(exactly: magnitude)
      if let value, range.contains(value) { return value }
    }
    throw error(
      "\(isNegative ? "-" : "")\(lexer.text(token).prefix(64)) does not fit \"\(field.name)\", "
        + "which takes \(range.lowerBound) to \(range.upperBound)")
  }

  private mutating func double(_ field: Schema.Field) throws(Diagnostic) -> Double {
    let isNegative = try accept("-")
    let value: Double
    switch token.kind {
    case .integer, .decimal:
      value = try lexer.decimal(of: token)
      guard value.isFinite else {
        throw error("\(lexer.text(token).prefix(64)) is too large for \"\(field.name)\"")
      }
    case .identifier:
      switch lexer.text(token).lowercased() {
      case "inf", "infinity": value = .infinity
      case "nan": value = .nan
      default: throw expected("a number for \"\(field.name)\"")
      }
    default: throw expected("a number for \"\(field.name)\"")
    }
    return isNegative ? -value : value
  }

  private mutating func float(_ field: Schema.Field) throws(Diagnostic) -> Float {
    let value = try double(field)
    guard value.isFinite else { return Float(value) }
    let rounded = Float(value)
    guard rounded.isFinite else {
      throw error("\(lexer.text(token).prefix(64)) is too large for \"\(field.name)\", a float")
    }
    return rounded
  }

  private mutating func bool(_ field: Schema.Field) throws(Diagnostic) -> Bool {
    switch lexer.text(token) {
    case "true", "True", "t", "1": return true
    case "false", "False", "f", "0": return false
    default: throw expected("true or false for \"\(field.name)\"")
    }
  }

  /// One or several string literals, which are joined.
  private mutating func string(_ field: Schema.Field) throws(Diagnostic) -> String {
    guard token.kind == .string else {
      throw expected("a string in quotes for \"\(field.name)\"")
    }
    let place = token.position
    var bytes: [UInt8] = []
    while token.kind == .string {
      bytes += try lexer.contents(of: token)
      try advance()
    }
    guard let string = String(validating: bytes, as: UTF8.self) else {
      throw lexer.error("the string for \"\(field.name)\" is not valid UTF-8", at: place)
    }
    return string
  }

  private mutating func enumName(_ enumeration: String, _ field: Schema.Field, in type: String)
    throws(Diagnostic) -> String
  {
    guard let known = Schema.caffe.enumerations[enumeration] else {
      preconditionFailure("the schema lacks \(enumeration)")
    }
    let names = known.cases.map(\.name)
    if token.kind == .identifier {
      let name = lexer.text(token)
      if known.contains(name) { return name }
      let hint = Spelling.hint(for: name, among: names)
      throw error(
        "\(Spelling.quoted(name)) is no \(field.name) of \(type)"
          + (hint.isEmpty ? Self.choice(names) : hint))
    }
    if token.kind == .string {
      throw error("\"\(field.name)\" of \(type) takes a name without quotes\(Self.choice(names))")
    }
    guard token.kind == .integer || token.kind == .symbol("-") else {
      throw expected("the name of a \(field.name)")
    }
    guard known.acceptsNumbers else {
      throw error(
        "the forks of Caffe number \(field.name) differently; write its name\(Self.choice(names))")
    }
    let number = try integer(in: Int64(Int32.min)...Int64(Int32.max), field)
    guard let name = known.name(of: number) else {
      throw error("\(number) is no \(field.name) of \(type)\(Self.choice(names))")
    }
    return name
  }

  private static func choice(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return " (\(shown)\(names.count > 8 ? ", ..." : ""))"
  }
}

// MARK: - Unknown fields

extension PrototxtParser {
  /// Names of old logs and scripts, and what became of them.
  private static let oldNames = [
    "SolverParameter.group_weight_decay":
      "an older name; use kernel_shape_decay (columns) or breadth_decay (rows)",
    "ParamSpec.group_decay_mult":
      "an older name; use kernel_shape_decay_mult (columns) or breadth_decay_mult (rows)",
  ]

  private func unknownField(_ name: String, in type: String) -> String {
    let message = "unknown field \(Spelling.quoted(name)) in \(type)"
    if let hint = Self.oldNames["\(type).\(name)"] { return "\(message): \(hint)" }
    let names = Schema.caffe.fieldNames[type] ?? []
    let owners = names.filter { owner in
      guard case .message(let inner) = Schema.caffe.field(owner, of: type).kind else {
        return false
      }
      return owner.hasSuffix("_param") && Schema.caffe.messages[inner]?[name] != nil
    }
    if !owners.isEmpty, owners.count <= 4 {
      return "\(message); it belongs inside \(owners.joined(separator: " or "))"
    }
    return message + Spelling.hint(for: name, among: names)
  }

  /// Skips whatever value follows the name of an unknown field.
  private mutating func skipValue() throws(Diagnostic) {
    let hasColon = try accept(":")
    switch token.kind {
    case .symbol("{"), .symbol("<"): try skipGroup()
    case .symbol("["):
      try advance()
      if try accept("]") { return }
      repeat { try skipListed() } while try accept(",")
      guard try accept("]") else { throw expected("\",\" or \"]\"") }
    default:
      guard hasColon else { throw expected("\":\" or \"{\" behind the name of a field") }
      try skipScalar()
    }
  }

  private mutating func skipListed() throws(Diagnostic) {
    switch token.kind {
    case .symbol("{"), .symbol("<"): try skipGroup()
    default: try skipScalar()
    }
  }

  private mutating func skipScalar() throws(Diagnostic) {
    if try accept("-") {
      guard token.kind != .string else { throw expected("a number") }
    }
    switch token.kind {
    case .string: while token.kind == .string { try advance() }
    case .identifier, .integer, .decimal: try advance()
    case .symbol, .end: throw expected("a value")
    }
  }

  private mutating func skipGroup() throws(Diagnostic) {
    let closing: Character = token.kind == .symbol("{") ? "}" : ">"
    let line = token.position.line
    try enter()
    try advance()
    while token.kind != .symbol(closing) {
      if token.kind == .end {
        throw error("the file ends inside the group opened in line \(line)")
      }
      guard token.kind == .identifier else { throw expected("the name of a field") }
      try advance()
      try skipValue()
      if try !accept(";") { _ = try accept(",") }
    }
    try advance()
    depth -= 1
  }
}
