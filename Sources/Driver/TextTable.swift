import Foundation

/// Rows of text in aligned columns, as the command line prints them.
struct TextTable {
  /// Where the cells of a column stand.
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// A table with a headline; the title of a column of numbers is aligned like its numbers.
  init(_ columns: (title: String, alignment: Alignment)...) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.title)]
  }

  /// - Precondition: one cell for each column.
  mutating func add(_ cells: String...) {
    precondition(cells.count == alignments.count, "a row has a cell for each column")
    rows.append(cells.map(\.onOneLine))
  }

  /// The lines, each ending in a line break; without rows not even a headline.
  var text: String {
    guard rows.count > 1 else { return "" }
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var text = ""
    for row in rows {
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .left ? row[column] + padding : padding + row[column]
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}

/// Numbers as people read them.
enum Quantity {
  /// `12 B`, `3.4 kB`, `-5.6 MB`: powers of 1000.
  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["B", "kB", "MB", "GB"] {
      if abs(value) < 1000 || unit == "GB" {
        return unit == "B" ? "\(count) B" : "\(decimal(value, 1)) \(unit)"
      }
      value /= 1000
    }
    return "\(count) B"
  }

  /// `12`, `3.4 k`, `-5.6 M`, `7.8 G`: powers of 1000.
  static func count(_ count: Int) -> String {
    var value = Double(count)
    for unit in ["", " k", " M"] {
      if abs(value) < 1000 { return unit.isEmpty ? "\(count)" : decimal(value, 1) + unit }
      value /= 1000
    }
    return decimal(value, 1) + " G"
  }

  /// A share from 0 to 1 as `12.3 %`.
  static func percent(_ share: Double) -> String { decimal(share * 100, 1) + " %" }

  /// Part of a whole as `12.3 %`, of nothing as `-`.
  static func percent(_ part: Int, of whole: Int) -> String {
    whole == 0 ? "-" : percent(Double(part) / Double(whole))
  }

  static func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// `1.2e-05`.
  static func exponent(_ value: Double) -> String { String(format: "%.1e", value) }

  /// Extents as Caffe users write them: `1x3x227x227`; `1` for a single value without axes.
  static func shape(_ extents: [Int]) -> String {
    extents.isEmpty ? "1" : extents.map(String.init).joined(separator: "x")
  }

  /// A thing with its name, if it has one.
  static func title(_ kind: String, _ name: String) -> String {
    name.isEmpty ? kind : "\(kind) \(name.onOneLine)"
  }

  /// `1 layer`, `2 layers`.
  static func plural(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
