import Codegen
import Foundation
import GoldenSupport
import IR
import Passes
import SparsecRuntime

@testable import Driver

/// What a compiled graph shows.
struct CompiledBlobs {
  var blobs = ObservedBlobs()
  /// The values of the rewritten graph by `layer::blob`: they tell which channels of a blob are left.
  var values: [String: Value] = [:]
}

/// Compiles graphs and runs what comes out, observing every blob: the counterpart of `referenceEngine`.
struct CompiledEngine {
  /// A `-march` name.
  var architecture = "native"
  /// Compiles without any pass.
  var disablesPasses = false
  /// Layer to kernel; layers that have no such kernel are left alone.
  var preferredKernels: [String] = []
  var threads = 1

  /// Objects of the fixed part, the same for all networks.
  private static let fixedObjects = Result { () throws(Diagnostic) -> String in
    let folder = try temporaryFolder()
    for file in Prelude.files { try write(file, to: folder) }
    let job = CompileJob(clang: try Clang.find(), architecture: "x86-64", folder: folder)
    for step in job.compileFixed { try require(step) }
    return folder
  }

  /// Runs a graph, and shows the blobs that have all their channels; `inputs` are by name, of as many items
  /// as they have.
  func callAsFunction(_ graph: Graph, _ inputs: [String: Tensor]) throws -> ObservedBlobs {
    let compiled = try observe(graph, inputs)
    var blobs = compiled.blobs
    for (key, value) in compiled.values where value.channels != nil {
      blobs.layers[key] = nil
      blobs.final[value.name] = nil
    }
    return blobs
  }

  /// As `callAsFunction`, with blobs that lost channels.
  func observe(_ graph: Graph, _ inputs: [String: Tensor]) throws -> CompiledBlobs {
    let items = try self.items(of: graph, inputs)
    let folder = try Self.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let passed = try pass(graph)
    let model = try Model(path: try build(passed, items: items, in: folder))
    var context = try model.makeContext(threads: threads, batch: items)
    var shown: [[[Float]]] = model.blobs.map { _ in [[Float]](repeating: [], count: items) }
    let values = try model.inputs.map { blob in
      guard let tensor = inputs[blob.name] else { throw Diagnostic.error("no \(blob.name)") }
      return tensor.values
    }
    let observed = try context.run(items: items, inputs: values) { item, blob, elements in
      shown[blob][item] = elements.indices.map { elements[$0] }
    }
    try compareThreaded(model, values, items, observed)
    var result = CompiledBlobs(
      blobs: try collect(model, shown, items, batched: Self.batchedValues(of: passed)))
    for value in passed.liveValues.map({ passed[$0] }) where !value.isInternal {
      result.values[value.key] = value
    }
    return result
  }

  private func pass(_ graph: Graph) throws -> Graph {
    let optional = Set(Pipeline.names).subtracting(["expand-pyramid-pooling"])
    return try PassManager(disabled: disablesPasses ? optional : []).run(graph).graph
  }

  /// Without an observer the same outputs must come from the same inputs, bit by bit, with the threads at work.
  private func compareThreaded(
    _ model: Model, _ inputs: [[Float]], _ items: Int, _ expected: [[Float]]
  ) throws {
    var context = try model.makeContext(threads: threads, batch: items)
    let outputs = try context.run(items: items, inputs: inputs)
    for (output, (a, b)) in zip(model.outputs, zip(outputs, expected))
    where a.map(\.bitPattern) != b.map(\.bitPattern) {
      throw Diagnostic.error("output \(output.name) differs when nobody observes")
    }
  }

  private func items(of graph: Graph, _ inputs: [String: Tensor]) throws -> Int {
    guard case .perItem = graph.batch, let first = graph.inputs.first else { return 1 }
    return inputs[graph[first].name]?.shape[0] ?? 1
  }

  private func build(_ passed: Graph, items: Int, in folder: String) throws -> String {
    let clang = try Clang.find()
    let target = try clang.target(named: architecture)
    let catalog = KernelCatalog(target: target)
    let lowered = try ChooseKernels(
      source: CatalogSource(catalog: catalog), forced: wishes(passed, catalog)
    ).run(passed)
    var emitter = ModelEmitter(lowered: lowered, target: target, maximumBatch: items)
    // However little there is to do, threads share it.
    emitter.sharedItemSeconds = 0
    let model = emitter.emit()
    let manifest = Array("{}".utf8)
    for file in BuildFolder.files(of: model, manifest: manifest) {
      try Self.write(file, to: folder)
    }
    let fixed = try Self.fixedObjects.get()
    for object in CompileJob.objects where object != "net.o" && object != "kernels.o" {
      try FileManager.default.copyItem(
        atPath: "\(fixed)/\(object)", toPath: "\(folder)/\(object)")
    }
    let job = CompileJob(clang: clang, architecture: architecture, folder: folder)
    try Assembler.assemble(
      BuildFolder.assembly(code: model.code, folder: folder), to: "\(folder)/kernels.o")
    try Self.require(job.compileNetwork)
    try Self.require(job.link(to: "\(folder)/net.so"))
    return "\(folder)/net.so"
  }

  /// The first preferred kernel that can do each layer.
  private func wishes(_ graph: Graph, _ catalog: KernelCatalog) -> [String: String] {
    var result: [String: String] = [:]
    for id in graph.order {
      let fitting = catalog.candidates(for: id, in: graph).filter { $0.cost != nil }
      for kernel in preferredKernels where fitting.contains(where: { $0.kernel == kernel }) {
        result[graph[id].name] = kernel
        break
      }
    }
    return result
  }

  /// The values that depend on an input, by `layer::blob`; the others are the same for every item.
  private static func batchedValues(of graph: Graph) -> Set<String> {
    var batched = Set(graph.inputs)
    for node in graph.order.map({ graph[$0] }) where node.inputs.contains(where: batched.contains) {
      batched.formUnion(node.outputs)
    }
    return Set(batched.map { graph[$0].key })
  }

  private func collect(
    _ model: Model, _ shown: [[[Float]]], _ items: Int, batched: Set<String>
  ) throws -> ObservedBlobs {
    var blobs = ObservedBlobs()
    for (blob, rows) in zip(model.blobs, shown) {
      let isBatched = items > 1 && batched.contains("\(blob.layer)::\(blob.name)")
      let tensor = Tensor(
        shape: try Shape(isBatched ? [items] + blob.shape.dropFirst() : blob.shape),
        values: isBatched ? Array(rows.joined()) : rows[0])
      blobs.final[blob.name] = tensor
      if !blob.layer.isEmpty { blobs.layers["\(blob.layer)::\(blob.name)"] = tensor }
    }
    return blobs
  }

  private static func temporaryFolder() throws(Diagnostic) -> String {
    let folder = NSTemporaryDirectory() + "sparsec-test-" + UUID().uuidString
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .error("\(error)")
    }
    return folder
  }

  private static func write(_ file: SourceFile, to folder: String) throws(Diagnostic) {
    do {
      try Data(file.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"))
    } catch {
      throw .error("\(error)")
    }
  }

  private static func require(_ job: Job) throws(Diagnostic) {
    let result = try ProcessRunner.run(job)
    guard result.status == 0 else { throw .error("\(job.commandLine): \(result.errors)") }
  }
}
