import Codegen
import Foundation
import GoldenSupport
import IR
import Passes
import TestSupport
import Testing

@testable import Driver

/// Emitted networks under AddressSanitizer and UBSan, which see everything but straight-line code.
struct SanitizedNetworkTests {
  private static let flags = [
    "-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
  ]

  /// Small networks: of few layers much lies at the ends of the arena, where overruns are seen.
  private static let seeds = Array(0..<16)

  @Test func `every kernel stays within its memory, and what it computes is right`() async throws {
    let samples = try Sample.make(seeds: Self.seeds)
    let used = Set(samples.flatMap(\.kernels))
    let fitting = Set(samples.flatMap(\.fitting))
    #expect(fitting.subtracting(used).isEmpty)
    // The others want layers that are rarer.
    #expect(fitting.count * 3 > KernelCatalog.kernels.count * 2, "only \(fitting.sorted())")
    let fixed = try FixedPart(flags: Self.flags)
    defer { fixed.remove() }
    try await withThrowingTaskGroup { group in
      for sample in samples {
        group.addTask { try fixed.check(sample) }
      }
      try await group.waitForAll()
    }
  }
}

/// A random network with its kernels, and a wish to try all of them.
private struct Sample: Sendable {
  let seed: Int
  let network: RandomNetwork
  let lowered: LoweredGraph
  let target: Target
  let kernels: [String]
  /// All that could do one of its layers.
  let fitting: [String]

  var items: Int { network.graph.batch == .perItem ? 1 + seed % 3 : 1 }

  /// Networks each of whose layers has the kernel that was used least so far.
  static func make(seeds: [Int]) throws -> [Sample] {
    let clang = try Clang.find()
    var uses: [String: Int] = [:]
    return try seeds.map { seed in
      // The last ones have images that are large enough for tiles of code.
      var options =
        seed % 4 == 3
        ? RandomNetwork.Options.sparse(seed: seed, isExact: false) : RandomNetwork.Options()
      options.blocks = 1...3
      options.image = seed % 3 == 2 ? 16...25 : 4...13
      options.mixesItems = seed % 5 == 4
      let network = try RandomNetwork(seed: UInt64(seed), options: options)
      let target = try clang.target(named: seed % 4 == 1 ? "x86-64" : "native")
      return try Sample(seed: seed, network, target, &uses)
    }
  }

  private init(
    seed: Int, _ network: RandomNetwork, _ target: Target, _ uses: inout [String: Int]
  ) throws {
    let catalog = KernelCatalog(target: target)
    let graph = try PassManager().run(network.graph).graph
    var wishes: [String: String] = [:]
    var fitting: [String] = []
    for id in graph.order {
      let able = catalog.candidates(for: id, in: graph).filter { $0.cost != nil }.map(\.kernel)
      fitting += able
      guard let rarest = able.min(by: { uses[$0, default: 0] < uses[$1, default: 0] }) else {
        continue
      }
      uses[rarest, default: 0] += 1
      wishes[graph[id].name] = rarest
    }
    let lowered = try ChooseKernels(
      source: CatalogSource(catalog: catalog), forced: wishes
    ).run(graph)
    self.seed = seed
    self.network = network
    self.lowered = lowered
    self.target = target
    kernels = lowered.kernels.values.map(\.kernel)
    self.fitting = fitting
  }
}

/// What all networks have in common, compiled once.
private struct FixedPart: Sendable {
  private let clang: Clang
  private let flags: [String]
  private let folder: String
  private let objects: [String]

  init(flags: [String]) throws {
    self.flags = flags
    clang = try Clang.find()
    folder = try Self.makeFolder()
    let program = SharedFiles.packageRoot.appending(
      path: "Tests/EndToEndTests/Programs/run_once.c")
    try FileManager.default.copyItem(atPath: program.path, toPath: "\(folder)/run_once.c")
    for file in Prelude.files { try Self.write(file, to: folder) }
    let sources = Prelude.fixedSources.map(\.name) + ["run_once.c"]
    let folder = self.folder
    objects = sources.map { "\(folder)/\($0).o" }
    for (source, object) in zip(sources, objects) {
      try call(CompileJob.common + flags + ["-c", source, "-o", object], in: folder)
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Compiles a network, runs it, and compares its outputs with the evaluator's.
  func check(_ sample: Sample) throws {
    let folder = try Self.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var emitter = ModelEmitter(
      lowered: sample.lowered, target: sample.target, maximumBatch: sample.items)
    emitter.sharedItemSeconds = 0
    let model = emitter.emit()
    for file in BuildFolder.files(of: model, manifest: Array("{}".utf8)) {
      try Self.write(file, to: folder)
    }
    try Assembler.assemble(
      BuildFolder.assembly(code: model.code, folder: folder), to: "\(folder)/kernels.o")
    let march = "-march=\(sample.target.architecture)"
    try call(
      CompileJob.common + flags + [march, "net.c", "kernels.o"] + objects
        + ["-fuse-ld=lld", "-o", "net"] + CompileJob.libraries, in: folder)
    let graph = sample.network.graph
    let values = try sample.network.inputs(seed: UInt64(sample.seed), items: sample.items)
    let numbers = graph.inputs.flatMap { values[$0]?.values ?? [] }
    try numbers.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: "\(folder)/input"))
    let run = try ProcessRunner.run(
      Job(
        program: "\(folder)/net",
        arguments: ["\(sample.items)", "\(1 + sample.seed % 3)", "input", "output"],
        folder: folder))
    #expect(run.status == 0, "seed \(sample.seed), \(Set(sample.kernels).sorted()): \(run.errors)")
    guard run.status == 0 else { return }
    let output = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/output"))
    let results = output.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    try compare(results, sample, values)
  }

  private func compare(_ results: [Float], _ sample: Sample, _ inputs: [ValueID: Tensor]) throws {
    let graph = sample.network.graph
    let named = Dictionary(
      uniqueKeysWithValues: inputs.map { (graph[$0.key].name, $0.value) })
    let expected = try referenceEngine(graph, named)
    var rest = results[...]
    for output in graph.outputs {
      let wanted = try #require(expected.final[graph[output].name])
      // What does not depend on an input is the same for all items.
      let copies = wanted.count == graph[output].shape.count ? sample.items : 1
      for _ in 0..<copies {
        let got = rest.prefix(wanted.count)
        rest = rest.dropFirst(wanted.count)
        // Batch statistics leave rounding errors of the numbers that they cancel: those count as if it were this.
        let scale = max(wanted.values.lazy.map(abs).max() ?? 0, 1e-2)
        let error = zip(got, wanted.values).map { abs($0 - $1) }.max() ?? 0
        #expect(
          got.count == wanted.count && error <= 1e-4 * scale,
          "seed \(sample.seed), \(graph[output].name): off by \(error)\n\(graph)")
      }
    }
    #expect(rest.isEmpty)
  }

  private func call(_ arguments: [String], in folder: String) throws {
    let job = Job(program: clang.path, arguments: arguments, folder: folder)
    let result = try ProcessRunner.run(job)
    guard result.status == 0 else { throw Diagnostic.error("\(job.commandLine): \(result.errors)") }
  }

  private static func makeFolder() throws -> String {
    let folder = NSTemporaryDirectory() + "sparsec-sanitized-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  private static func write(_ file: SourceFile, to folder: String) throws {
    try Data(file.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"))
  }
}
