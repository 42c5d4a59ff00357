import Foundation

/// Logs as `caffe train` prints them, with the additions of the forks that make nets sparse.
///
/// Lines are known by their words alone: files and line numbers in them differ from version to version.
struct CaffeLog {
  private var log: TrainingLog
  private var names = ParameterNames()
  private var iteration: Int?
  /// Which test net's outputs come, and the names of those that came.
  private var testNet = 0
  private var outputs: [String: Int] = [:]

  static func read(_ bytes: [UInt8], name: String) -> TrainingLog {
    var reader = CaffeLog(log: TrainingLog(name: name))
    for line in bytes.split(separator: 10) { reader.read(line) }
    return reader.log
  }

  private init(log: TrainingLog) { self.log = log }

  private mutating func read(_ bytes: ArraySlice<UInt8>) {
    // Long lines are no measurements, but parts of nets.
    guard bytes.count < 1 << 16 else { return }
    guard let message = Self.message(of: bytes) else {
      names.read(String(decoding: bytes, as: UTF8.self))
      return
    }
    names.begin(message)
    if message.hasPrefix("Iteration ") {
      readIteration(message)
    } else if message.hasPrefix("Test net output #") {
      readOutput(message, prefix: "Test net output #", isOfTests: true)
    } else if message.hasPrefix("Train net output #") {
      readOutput(message, prefix: "Train net output #", isOfTests: false)
    } else if let range = message.range(of: "Sparsity %:") {
      readSparsity(kind: message[..<range.lowerBound], values: message[range.upperBound...])
    } else if let range = message.range(of: " Sparsity: ") {
      readShare(kind: message[..<range.lowerBound], value: message[range.upperBound...])
    }
  }

  /// What follows the head of a line ("I0314 11:32:07.457612 30884 solver.cpp:230] "), trimmed.
  private static func message(of line: ArraySlice<UInt8>) -> String? {
    guard let level = line.first, "IWEF".utf8.contains(level),
      let digit = line.dropFirst().first, (0x30...0x39).contains(digit),
      let end = line.prefix(200).firstIndex(of: UInt8(ascii: "]"))
    else { return nil }
    return String(decoding: line[(end + 1)...], as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// `Iteration 100, loss = 0.2`, `Iteration 100 (12 iter/s, 8 s/100 iters), loss = 0.2`,
  /// `Iteration 100, Testing net (#0)`, `Iteration 100, lr = 0.01`.
  private mutating func readIteration(_ message: String) {
    let rest = message.dropFirst("Iteration ".count)
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return }
    iteration = number
    outputs = [:]
    if let range = rest.range(of: "Testing net (#") {
      testNet = Int(rest[range.upperBound...].prefix { $0.isNumber }) ?? 0
    } else if let range = rest.range(of: ", loss = ") {
      add(rest[range.upperBound...], to: "training loss", .loss, isOfTests: false)
    }
  }

  private mutating func add(
    _ text: Substring, to name: String, _ quantity: TrainingLog.Quantity, isOfTests: Bool
  ) {
    guard let iteration, let word = text.split(whereSeparator: \.isWhitespace).first,
      let value = Double(word)
    else { return }
    log.add(value, at: iteration, to: name, quantity, isOfTests: isOfTests)
  }

  /// `Test net output #1: loss = 0.7 (* 1 = 0.7 loss)`.
  private mutating func readOutput(_ message: String, prefix: String, isOfTests: Bool) {
    let rest = message.dropFirst(prefix.count)
    guard let colon = rest.range(of: ": "), let equals = rest.range(of: " = "),
      colon.upperBound <= equals.lowerBound
    else { return }
    let output = String(rest[colon.upperBound..<equals.lowerBound])
    let isInObjective = rest.hasSuffix(" loss)")
    let quantity = TrainingLog.quantity(ofOutput: output, isInObjective: isInObjective)
    // The whole objective is known from the line before.
    if !isOfTests && quantity == .loss { return }
    // An output of several values comes under one name several times.
    let count = (outputs[output] ?? 0) + 1
    outputs[output] = count
    let net = !isOfTests ? "training" : testNet == 0 ? "test" : "test #\(testNet)"
    let name = count == 1 ? "\(net) \(output)" : "\(net) \(output) [\(count - 1)]"
    add(rest[equals.upperBound...], to: name, quantity, isOfTests: isOfTests)
  }

  /// One value for each learned array, in percent; -1 where there is none.
  private mutating func readSparsity(kind: Substring, values: Substring) {
    let words = values.split(whereSeparator: \.isWhitespace)
    // Block sparsity is a list of its own for each array.
    let suffix: String
    switch kind.trimmingCharacters(in: .whitespaces) {
    case "", "Element": suffix = ""
    case "Column": suffix = " columns"
    case "Row": suffix = " rows"
    default: return
    }
    for (index, word) in words.enumerated() where names.isWeight(index, of: words.count) {
      guard word != "-1" else { continue }
      add(
        word, to: names.name(index, of: words.count) + suffix, .sparsity, isOfTests: false)
    }
  }

  /// `ConV Sparsity: 0.53`, `IP Sparsity: 0.9`: shares of one kind of layer.
  private mutating func readShare(kind: Substring, value: Substring) {
    guard let iteration, let share = Double(value.prefix { !$0.isWhitespace }),
      let word = kind.split(separator: " ").last
    else { return }
    log.add(share * 100, at: iteration, to: "all \(word)", .sparsity, isOfTests: false)
  }
}
