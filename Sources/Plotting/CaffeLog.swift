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
  /// The kind of sparsity whose values are expected on the next line, which has no head.
  private var awaited: String?

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
      let line = String(decoding: bytes, as: UTF8.self)
      if let kind = awaited { readSparsity(kind: kind, values: line[...]) }
      awaited = nil
      names.read(line)
      return
    }
    awaited = nil
    names.begin(message)
    if message.hasPrefix("Iteration ") {
      readIteration(message)
    } else if message.hasPrefix("Test net output #") {
      readOutput(message, prefix: "Test net output #", isOfTests: true)
    } else if message.hasPrefix("Train net output #") {
      readOutput(message, prefix: "Train net output #", isOfTests: false)
    } else if let range = message.range(of: "Sparsity %:") {
      let kind = message[..<range.lowerBound].trimmingCharacters(in: .whitespaces)
      let values = message[range.upperBound...]
      // Newer versions of the forks break the line behind the colon.
      if values.isEmpty { awaited = kind } else { readSparsity(kind: kind, values: values) }
    } else if let range = message.range(of: " Sparsity: ") {
      readShare(kind: message[..<range.lowerBound], value: message[range.upperBound...])
    }
  }

  /// What follows the head of a line ("I0314 11:32:07.457612 30884 solver.cpp:230] "), trimmed, but for tabs at its
  /// end: there are empty values between them.
  private static func message(of line: ArraySlice<UInt8>) -> String? {
    guard let level = line.first, "IWEF".utf8.contains(level),
      let digit = line.dropFirst().first, (0x30...0x39).contains(digit),
      let end = line.prefix(200).firstIndex(of: UInt8(ascii: "]"))
    else { return nil }
    return String(decoding: line[(end + 1)...], as: UTF8.self)
      .trimmingCharacters(in: CharacterSet(charactersIn: " \r"))
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

  /// What curves are called behind the layer's name, by what logs call them. SkimCaffe's are those of arrays of four
  /// axes: lines and slices of [outputs, inputs, kernel].
  private static let suffixes = [
    "": "", "Element": "", "Column": " columns", "Row": " rows",
    "OC-fiber": " lines of outputs", "IC-fiber": " lines of inputs", "kernel-fiber": " kernels",
    "OC-slice": " outputs", "IC-slice": " inputs", "kernel-slice": " places of the kernel",
  ]

  /// One value for each learned array, in percent; -1 where there is none.
  private mutating func readSparsity(kind: String, values: Substring) {
    guard kind != "Block" else {
      readBlocks(values)
      return
    }
    guard let suffix = Self.suffixes[kind] else { return }
    let words = values.split(whereSeparator: \.isWhitespace)
    let arrays = names.arrays(
      count: words.count, areKernels: kind.hasSuffix("-fiber") || kind.hasSuffix("-slice"))
    for (word, array) in zip(words, arrays) where array.isWeight && word != "-1" {
      add(word, to: array.name + suffix, .sparsity, isOfTests: false)
    }
  }

  /// `(75,1):50;(3,2):12.5;` for each array, followed by a tab; nothing before the tab where an array has no blocks.
  private mutating func readBlocks(_ values: Substring) {
    var fields = values.drop { $0 == " " }
      .split(separator: "\t", omittingEmptySubsequences: false)
    if fields.last?.isEmpty == true { fields.removeLast() }
    for (field, array) in zip(fields, names.arrays(count: fields.count, areKernels: false)) {
      for block in field.split(separator: ";") {
        let parts = block.split(separator: ":")
        guard parts.count == 2 else { continue }
        add(
          parts[1], to: "\(array.name) blocks \(parts[0])", .sparsity, isOfTests: false)
      }
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
