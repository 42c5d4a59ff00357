import Caffe
import Foundation
import Images
import Plotting
import Testing

@testable import Datasets

/// Ten thousand damaged inputs, the same in every run.
///
/// `SPARSEC_FUZZ_CASES`, `SPARSEC_FUZZ_SEED` and `SPARSEC_FUZZ_FIRST` (the number of the first
/// case) ask for others.
struct FuzzTests {
  @Test func `what is damaged is whole before`() throws {
    var options = NetReader.Options()
    options.weightsOptional = true
    for text in PrototxtCorpus.made {
      let prototxt = try Prototxt.parse(text: text, file: "f.prototxt")
      #expect(throws: Never.self) { try NetReader.read(prototxt, options: options) }
    }
    for file in PrototxtCorpus.files {
      #expect(throws: Never.self) { try Prototxt.parse(bytes: file, file: "f.prototxt") }
    }
    let models = CaffemodelCorpus.files.compactMap {
      try? Caffemodel(data: Data($0), file: "f.caffemodel")
    }
    // All but the mean and the snapshot.
    #expect(models.count == CaffemodelCorpus.files.count - 2)
    let net = try Prototxt.parse(text: PrototxtCorpus.weighted, file: "f.prototxt")
    for model in models {
      let weights = NetReader.Weights(model, file: "f.caffemodel")
      #expect(throws: Never.self) { try NetReader.read(net, weights: [weights], options: options) }
    }
    for record in DataCorpus.records {
      #expect(throws: Never.self) { try record.withUnsafeBytes { _ = try DatumView($0) } }
    }
    for log in DataCorpus.logs {
      #expect(throws: Never.self) { try TrainingLog(log, file: "f.log") }
    }
    #expect(ImageCorpus.files.count >= 20)
    for file in ImageCorpus.files {
      #expect(throws: Never.self) { try ImageDecoder.decode(file, name: "f.image") }
    }
  }

  private static func setting(_ name: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment["SPARSEC_FUZZ_" + name].flatMap(Int.init) ?? usual
  }

  /// Where the child process writes the number of its case, for when it crashes.
  private static func trace(_ process: pid_t) -> String {
    NSTemporaryDirectory() + "sparsec-fuzz-\(process)"
  }

  // A process of its own: a crash does not end the other tests, whose memory does not count here.
  @Test func `damaged inputs are read or refused with one line, in bounded time and memory`()
    async throws
  {
    let trace = Self.trace(getpid())
    defer { try? FileManager.default.removeItem(atPath: trace) }
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent]
    ) {
      try Self.runAll(trace: Self.trace(getppid()))
    }
    if let result {
      print(String(decoding: result.standardOutputContent, as: UTF8.self))
      return
    }
    let last = (try? String(contentsOfFile: trace, encoding: .utf8)) ?? "?"
    Issue.record("the last case was \(last)")
  }

  private static func runAll(trace: String) throws {
    ProcessUse.limitMemory(to: 16 << 30)
    let fuzzer = Fuzzer(seed: UInt64(setting("SEED", 1)))
    let first = setting("FIRST", 0)
    let count = setting("CASES", 10_000)
    try #require(FileManager.default.createFile(atPath: trace, contents: nil))
    let file = try #require(FileHandle(forWritingAtPath: trace))
    var accepted: [Fuzzer.Target: Int] = [:]
    var refused: [Fuzzer.Target: Int] = [:]
    var complaints = 0
    let start = ProcessUse.threadSeconds
    for number in first..<first + count {
      try file.seek(toOffset: 0)
      try file.write(contentsOf: Data("\(number) with seed \(fuzzer.seed)".utf8))
      let before = (time: ProcessUse.threadSeconds, memory: ProcessUse.peakMemory)
      let outcome = fuzzer.run(number)
      let seconds = ProcessUse.threadSeconds - before.time
      if outcome.isAccepted {
        accepted[outcome.target, default: 0] += 1
      } else {
        refused[outcome.target, default: 0] += 1
      }
      var all = outcome.complaints
      if seconds > secondsPerCase { all.append("takes \(seconds) s") }
      if let peak = ProcessUse.peakMemory, let old = before.memory, peak - old > memoryPerCase {
        all.append("takes \((peak - old) >> 20) MB")
      }
      complaints += all.count
      for complaint in all where complaints <= 50 {
        Issue.record("case \(number) with seed \(fuzzer.seed): \(outcome.target): \(complaint)")
      }
    }
    let seconds = ProcessUse.threadSeconds - start
    print("accepted \(accepted), refused \(refused), \(seconds) s, \(complaints) complaints")
    // Input that is all refused at its first byte, or all accepted, would test nothing.
    for target in Fuzzer.Target.allCases where count >= 10_000 {
      #expect(accepted[target, default: 0] > count / 100)
      #expect(refused[target, default: 0] > count / 100)
    }
    #if !DEBUG
      if count == 10_000 { #expect(seconds < 60) }
    #endif
  }

  #if DEBUG
    private static let secondsPerCase = 30.0
  #else
    private static let secondsPerCase = 2.0
  #endif
  private static let memoryPerCase = 512 << 20
}
