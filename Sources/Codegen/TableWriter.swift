import IR

/// Writes the constant tables by which `net.c` describes itself to the fixed part.
struct TableWriter {
  let lowered: LoweredGraph
  let plan: MemoryPlan
  /// The values that callers can see, in order.
  let values: [ValueID]

  mutating func write(
    steps: [EmittedStep], stepsSoFar: [NodeID: Int], maximumBatch: Int, scratchFloats: Int,
    to file: inout CWriter
  ) {
    writeBlobs(stepsSoFar, to: &file)
    file.block("static const struct network_layer layers[] =", tail: ";") { file in
      for step in steps {
        let name = CText.literal(lowered.graph[step.node].name)
        file.line("{\(name), \(step.function)},")
      }
      // C has no empty arrays.
      if steps.isEmpty { file.line("{0, 0},") }
    }
    file.line()
    writeIndices("inputs", lowered.graph.inputs, to: &file)
    writeIndices("outputs", lowered.graph.outputs, to: &file)
    writeFeatures(to: &file)
    file.block("const struct network sparsec_network =", tail: ";") { file in
      file.line(".manifest = sparsec_manifest,")
      file.line(".features = FEATURES,")
      file.line(".max_batch = \(maximumBatch),")
      file.line(".arena_floats = \(plan.size),")
      if scratchFloats > 0 { file.line(".scratch_floats = \(scratchFloats),") }
      file.line(".input_count = \(lowered.graph.inputs.count), .inputs = inputs,")
      file.line(".output_count = \(lowered.graph.outputs.count), .outputs = outputs,")
      file.line(".blob_count = \(values.count), .blobs = blobs,")
      file.line(".layer_count = \(steps.count), .layers = layers,")
    }
  }

  private func writeBlobs(_ stepsSoFar: [NodeID: Int], to file: inout CWriter) {
    for (index, value) in values.enumerated() {
      let extents = lowered.graph[value].shape.extents.map(String.init)
      let text = extents.isEmpty ? "1" : extents.joined(separator: ", ")
      file.line("static const int64_t shape_\(index)[] = {\(text)};")
    }
    file.line()
    file.block("static const struct network_blob blobs[] =", tail: ";") { file in
      for (index, value) in values.enumerated() {
        let described = lowered.graph[value]
        let pitches = lowered.pitches(of: value)
        let step = lowered.graph.producer(of: value).flatMap { stepsSoFar[$0] }.map { $0 - 1 }
        let start = (plan.starts[value] ?? 0) + pitches.origin
        file.line(
          "{{\(CText.literal(described.name)), \(CText.literal(described.layer)), "
            + "\(described.shape.axes), shape_\(index), \(described.shape.count)},")
        file.line(
          " {.offset = \(start), .planes = \(pitches.planes), .height = \(pitches.height), "
            + ".width = \(pitches.width), .plane_pitch = \(pitches.planePitch), "
            + ".row_pitch = \(pitches.rowPitch)},")
        file.line(" \(step ?? -1)},")
      }
    }
    file.line()
  }

  private func writeIndices(_ name: String, _ list: [ValueID], to file: inout CWriter) {
    let indices = list.map { value -> String in
      guard let index = values.firstIndex(of: value) else {
        preconditionFailure("inputs and outputs are never internal")
      }
      return String(index)
    }
    let text = indices.isEmpty ? "0" : indices.joined(separator: ", ")
    file.line("static const int \(name)[] = {\(text)};")
  }

  /// The instructions that this file was compiled with, as bits for the fixed part to check.
  private func writeFeatures(to file: inout CWriter) {
    file.line()
    let features = [
      ("__SSE4_2__", "CPU_SSE42"), ("__AVX__", "CPU_AVX"), ("__AVX2__", "CPU_AVX2"),
      ("__FMA__", "CPU_FMA"), ("__F16C__", "CPU_F16C"), ("__BMI2__", "CPU_BMI2"),
      ("__AVX512F__", "CPU_AVX512F"), ("__AVX512BW__", "CPU_AVX512BW"),
      ("__AVX512CD__", "CPU_AVX512CD"), ("__AVX512DQ__", "CPU_AVX512DQ"),
      ("__AVX512VL__", "CPU_AVX512VL"), ("__AVX512VNNI__", "CPU_AVX512VNNI"),
      ("__AVX512BF16__", "CPU_AVX512BF16"), ("__AVX512VBMI__", "CPU_AVX512VBMI"),
      ("__AVX512FP16__", "CPU_AVX512FP16"), ("__AVXVNNI__", "CPU_AVXVNNI"),
      ("__POPCNT__", "CPU_POPCNT"), ("__MOVBE__", "CPU_MOVBE"), ("__BMI__", "CPU_BMI"),
      ("__LZCNT__", "CPU_LZCNT"), ("__GFNI__", "CPU_GFNI"),
      ("__AVX512IFMA__", "CPU_AVX512IFMA"), ("__AVX512VBMI2__", "CPU_AVX512VBMI2"),
      ("__AVX512BITALG__", "CPU_AVX512BITALG"),
      ("__AVX512VPOPCNTDQ__", "CPU_AVX512VPOPCNTDQ"),
    ]
    for (macro, bit) in features {
      file.line("#ifdef \(macro)")
      file.line("#define HAS\(macro) \(bit)")
      file.line("#else")
      file.line("#define HAS\(macro) 0")
      file.line("#endif")
    }
    let sum = features.map { "HAS\($0.0)" }
    file.line("#define FEATURES \\")
    file.line("  (\(sum.joined(separator: " | \\\n   ")))")
    file.line()
  }
}
