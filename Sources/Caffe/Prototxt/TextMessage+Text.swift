extension TextMessage {
  /// The message as protobuf text that reads back as an equal message.
  ///
  /// One field a line, groups indented by two spaces, in the message's order.
  public var text: String {
    var output = ""
    write(to: &output, indent: "")
    return output
  }

  private func write(to output: inout String, indent: String) {
    for field in fields {
      switch field.value {
      case .message(let inner):
        output += "\(indent)\(field.name) {\n"
        inner.write(to: &output, indent: indent + "  ")
        output += "\(indent)}\n"
      case .integer(let value): output += "\(indent)\(field.name): \(value)\n"
      case .float(let value): output += "\(indent)\(field.name): \(Self.text("\(value)"))\n"
      case .double(let value): output += "\(indent)\(field.name): \(Self.text("\(value)"))\n"
      case .bool(let value): output += "\(indent)\(field.name): \(value)\n"
      case .name(let value): output += "\(indent)\(field.name): \(value)\n"
      case .string(let value): output += "\(indent)\(field.name): \(Self.quoted(value))\n"
      }
    }
  }

  /// Swift's shortest exact text, without the `.0` of whole numbers.
  static func text(_ number: String) -> String {
    number.hasSuffix(".0") ? String(number.dropLast(2)) : number
  }

  private static func quoted(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          let octal = String(scalar.value, radix: 8)
          result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
