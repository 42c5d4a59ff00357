import Foundation
import SparsecRuntime
import Testing

struct ModelTests {
  @Test func `describes the network`() throws {
    let model = try Model(path: TinyNetwork.path())
    #expect(model.manifest == #"{"network": "tiny"}"#)
    #expect(model.inputs.map(\.name) == ["data", "shift"])
    #expect(model.inputs[0].shape == [1, 2, 3, 5])
    #expect(model.inputs[0].count == 30)
    #expect(model.outputs.map(\.name) == ["scores", "features"])
    #expect(model.outputs.map(\.layer) == ["total", "blur"])
    #expect(model.blobs.map(\.name) == ["data", "shift", "scaled", "features", "scores"])
    #expect(model.layers == ["scale", "blur", "total"])
    #expect(model.maxBatch == 7)
    #expect(model.unsupportedReason == nil)
  }

  @Test(arguments: [1, 2, 3, 4, 9], 1...7)
  func `gives the same answer for every mix of threads and items`(
    threads: Int, batch: Int
  ) throws {
    var context = try Model(path: TinyNetwork.path()).makeContext(threads: threads, batch: batch)
    for items in 1...batch {
      for seed in 0..<5 {
        let inputs = TinyNetwork.inputs(items: items, seed: seed)
        let outputs = try context.run(items: items, inputs: inputs)
        for item in 0..<items {
          let expected = TinyNetwork.expected(inputs, item: item)
          #expect(Array(outputs[0][item * 3..<item * 3 + 3]) == expected.scores)
          #expect(Array(outputs[1][item * 60..<item * 60 + 60]) == expected.features)
        }
      }
    }
  }

  @Test func `runs unaligned buffers in place`() throws {
    var context = try Model(path: TinyNetwork.path()).makeContext(batch: 2)
    let inputs = TinyNetwork.inputs(items: 2)
    let buffers = [60, 6, 6, 120].map {
      UnsafeMutableRawPointer.allocate(byteCount: $0 * 4 + 1, alignment: 64)
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let places = zip(buffers, [60, 6, 6, 120]).map { buffer, count in
      UnsafeMutableBufferPointer(
        start: (buffer + 1).assumingMemoryBound(to: Float.self), count: count)
    }
    for (place, values) in zip(places, inputs) {
      values.withUnsafeBytes {
        UnsafeMutableRawPointer(place.baseAddress!).copyMemory(
          from: $0.baseAddress!, byteCount: $0.count)
      }
    }
    try context.run(
      items: 2, inputs: places[0..<2].map { UnsafeBufferPointer($0) }, outputs: Array(places[2...]))
    let scores = (0..<3).map {
      UnsafeRawPointer(buffers[2] + 1).loadUnaligned(fromByteOffset: 12 + $0 * 4, as: Float.self)
    }
    #expect(scores == TinyNetwork.expected(inputs, item: 1).scores)
  }

  @Test func `runs many contexts at once`() async throws {
    let model = try Model(path: TinyNetwork.path())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<8 {
        group.addTask {
          var context = try model.makeContext(threads: 1 + caller % 3, batch: 4)
          for seed in 0..<200 {
            let inputs = TinyNetwork.inputs(items: 4, seed: 1000 * caller + seed)
            let outputs = try context.run(items: 4, inputs: inputs)
            #expect(Array(outputs[0][9...]) == TinyNetwork.expected(inputs, item: 3).scores)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `keeps the file open while a context lives`() throws {
    var context = try Model(path: TinyNetwork.path("-DARENA_FLOATS=300")).makeContext(threads: 2)
    let inputs = TinyNetwork.inputs(items: 1)
    #expect(try context.run(inputs: inputs)[0] == TinyNetwork.expected(inputs, item: 0).scores)
  }

  @Test func `shows every blob as it was when its layer was done`() throws {
    var context = try Model(path: TinyNetwork.path()).makeContext(threads: 4, batch: 2)
    let inputs = TinyNetwork.inputs(items: 2)
    var seen: [(item: Int, blob: Int, elements: [Float])] = []
    let outputs = try context.run(items: 2, inputs: inputs) { item, blob, elements in
      seen.append((item, blob, elements.withUnsafeBufferPointer { Array($0) }))
    }
    #expect(seen.map(\.item) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    #expect(seen.map(\.blob) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    for item in 0..<2 {
      let expected = TinyNetwork.expected(inputs, item: item)
      let blobs = seen.filter { $0.item == item }.map(\.elements)
      #expect(blobs[0] == Array(inputs[0][item * 30..<item * 30 + 30]))
      #expect(blobs[1] == Array(inputs[1][item * 3..<item * 3 + 3]))
      #expect(blobs[2] == expected.scaled)
      #expect(blobs[3] == expected.features)
      #expect(blobs[4] == expected.scores)
    }
    #expect(try context.run(items: 2, inputs: inputs) == outputs)
    #expect(seen.count == 10, "the observer must be gone")
  }

  @Test(arguments: [1, 2, 4])
  func `measures layers from zero and only when asked`(threads: Int) throws {
    var context = try Model(path: TinyNetwork.path()).makeContext(threads: threads, batch: 3)
    let inputs = TinyNetwork.inputs(items: 3)
    _ = try context.run(items: 3, inputs: inputs)
    #expect(try context.layerTimes() == [0, 0, 0])
    try context.profile(true)
    let start = ContinuousClock.now
    for _ in 0..<10 { _ = try context.run(items: 3, inputs: inputs) }
    let took = ContinuousClock.now - start
    let times = try context.layerTimes()
    #expect(times.allSatisfy { $0 > 0 })
    // Three items may be under way at once, so the sum may exceed the time that passed.
    #expect(.seconds(times.reduce(0, +)) <= took * 3)
    try context.profile(false)
    _ = try context.run(items: 3, inputs: inputs)
    #expect(try context.layerTimes() == [0, 0, 0])
  }
}

/// What a caller may get wrong.
struct RunErrorTests {
  @Test(arguments: [
    (0, 1, "0 threads: 1 to 1024 are possible"),
    (1025, 1, "1025 threads: 1 to 1024 are possible"),
    (1, 0, "batch 0: this network was compiled for 1 to 7"),
    (1, 8, "batch 8: this network was compiled for 1 to 7"),
    (-1, 1, "-1 threads: 1 to 1024 are possible"),
  ])
  func `refuses impossible contexts`(threads: Int, batch: Int, message: String) throws {
    let model = try Model(path: TinyNetwork.path())
    #expect(throws: RunError.badArgument(message)) {
      _ = try model.makeContext(threads: threads, batch: batch)
    }
  }

  @Test func `refuses arrays that do not suit the network`() throws {
    var context = try Model(path: TinyNetwork.path()).makeContext(batch: 2)
    let inputs = TinyNetwork.inputs(items: 1)
    let cases: [(Int, [[Float]], String)] = [
      (3, inputs, "3 items: this context takes 1 to 2"),
      (0, inputs, "0 items: this context takes 1 to 2"),
      (.min, inputs, "\(Int.min) items: this context takes 1 to 2"),
      (1, [inputs[0]], "1 inputs: the network has 2"),
      (2, inputs, "input data: 30 elements, but 2 items of 30 were expected"),
      (1, [inputs[1], inputs[0]], "input data: 3 elements, but 1 items of 30 were expected"),
    ]
    for (items, arrays, message) in cases {
      var found: RunError?
      do throws(RunError) { _ = try context.run(items: items, inputs: arrays) } catch {
        found = error
      }
      #expect(found == .badArgument(message))
    }
    #expect(try context.run(inputs: inputs)[0] == TinyNetwork.expected(inputs, item: 0).scores)
  }

  @Test func `reports an arena that is too large for the machine`() throws {
    for floats in ["(1LL << 45)", "(1LL << 62)", "INT64_MAX"] {
      let model = try Model(path: TinyNetwork.path("-DARENA_FLOATS=\(floats)"))
      let error = #expect(throws: RunError.self) {
        _ = try model.makeContext(threads: 2, batch: 2)
      }
      guard case .outOfMemory(let message) = error else {
        Issue.record("\(floats): \(String(describing: error))")
        continue
      }
      #expect(message.contains("2 items in flight"))
    }
  }

  @Test func `names the instructions that this CPU lacks`() throws {
    // Bits that no CPU has, since nobody has named them.
    let model = try Model(path: TinyNetwork.path("-DFEATURES=0xc0000000u"))
    let message =
      "this CPU or its operating system lacks feature 30, feature 31, which the network was "
      + "compiled for; compile it with --target for this machine"
    #expect(model.unsupportedReason == message)
    #expect(throws: RunError.unsupportedCPU(message)) { _ = try model.makeContext() }
    #expect(model.layers.count == 3, "a network can be inspected where it cannot run")
  }

  @Test(arguments: features)
  func `agrees with the kernel on what this CPU has`(bit: Int, name: String, flag: String) throws {
    let model = try Model(path: TinyNetwork.path("-DFEATURES=\(1 << bit)"))
    let has = Self.flags.contains(Substring(flag))
    #expect((model.unsupportedReason == nil) == has)
    if !has { #expect(model.unsupportedReason?.contains("lacks \(name), which") == true) }
  }

  static let features = [
    (0, "SSE4.2", "sse4_2"), (1, "AVX", "avx"), (2, "AVX2", "avx2"), (3, "FMA", "fma"),
    (4, "F16C", "f16c"), (5, "BMI2", "bmi2"), (6, "AVX-512F", "avx512f"),
    (7, "AVX-512BW", "avx512bw"), (8, "AVX-512CD", "avx512cd"), (9, "AVX-512DQ", "avx512dq"),
    (10, "AVX-512VL", "avx512vl"), (11, "AVX-512VNNI", "avx512_vnni"),
    (12, "AVX-512BF16", "avx512_bf16"), (13, "AVX-512VBMI", "avx512vbmi"),
    (14, "AVX-512FP16", "avx512_fp16"), (15, "AVX-VNNI", "avx_vnni"),
    (16, "POPCNT", "popcnt"), (17, "MOVBE", "movbe"), (18, "BMI1", "bmi1"), (19, "LZCNT", "abm"),
    (20, "GFNI", "gfni"), (21, "AVX-512IFMA", "avx512ifma"),
    (22, "AVX-512VBMI2", "avx512_vbmi2"), (23, "AVX-512BITALG", "avx512_bitalg"),
    (24, "AVX-512VPOPCNTDQ", "avx512_vpopcntdq"),
  ]

  /// The CPU's features in the kernel's words.
  static let flags: Set<Substring> = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
    return Set(line.split(separator: " "))
  }()
}
