import Foundation
import IR

/// Logs of `sparsec train --log-style json`: one object a line.
enum JSONLog {
  /// One line. What is not known to be drawn is passed over.
  private struct Entry: Decodable {
    enum Kind: String, Decodable {
      case train, test, sparsity
    }

    var kind: Kind
    var iteration: Int
    var loss: Double?
    var outputs: [String: Double]?
    /// Shares of zeros, 0 to 1.
    var sparsity: [String: Double]?
    var columns: [String: Double]?
    var rows: [String: Double]?
    /// By layer, then by the size of blocks.
    var blocks: [String: [String: Double]]?
  }

  /// Lines of other kinds.
  private struct AnyEntry: Decodable {
    var kind: String
  }

  static func read(
    _ bytes: [UInt8], file: String, name: String
  ) throws(Diagnostic) -> TrainingLog {
    var log = TrainingLog(name: name)
    let decoder = JSONDecoder()
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where line.contains(where: { $0 > 32 }) {
      let data = Data(line)
      if let entry = try? decoder.decode(Entry.self, from: data) {
        add(entry, to: &log)
        continue
      }
      let kind = try? decoder.decode(AnyEntry.self, from: data).kind
      if let kind, Entry.Kind(rawValue: kind) == nil { continue }
      // A run that was killed may leave half a line at the end.
      if kind == nil, index == lines.count - 1 { continue }
      throw .error(
        "is no line of a training log in JSON",
        at: SourceLocation(file: file, line: index + 1, column: 1))
    }
    return log
  }

  private static func add(_ entry: Entry, to log: inout TrainingLog) {
    let isOfTests = entry.kind == .test
    let run = isOfTests ? "test" : "training"
    if let loss = entry.loss {
      log.add(loss, at: entry.iteration, to: "\(run) loss", .loss, isOfTests: isOfTests)
    }
    for (output, value) in (entry.outputs ?? [:]).sorted(by: { $0.key < $1.key }) {
      let quantity = TrainingLog.quantity(ofOutput: output, isInObjective: false)
      if quantity == .loss && entry.loss != nil { continue }
      log.add(
        value, at: entry.iteration, to: "\(run) \(output)", quantity, isOfTests: isOfTests)
    }
    for (shares, suffix) in [
      (entry.sparsity, ""), (entry.columns, " columns"), (entry.rows, " rows"),
    ] {
      for (layer, share) in (shares ?? [:]).sorted(by: { $0.key < $1.key }) {
        log.add(
          share * 100, at: entry.iteration, to: layer + suffix, .sparsity, isOfTests: false)
      }
    }
    for (layer, blocks) in (entry.blocks ?? [:]).sorted(by: { $0.key < $1.key }) {
      for (size, share) in blocks.sorted(by: { $0.key < $1.key }) {
        log.add(
          share * 100, at: entry.iteration, to: "\(layer) blocks \(size)", .sparsity,
          isOfTests: false)
      }
    }
  }
}
