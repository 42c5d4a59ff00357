import IR

/// Writes the constant tables by which `net.c` describes itself to the fixed part.
struct TableWriter {
  let lowered: LoweredGraph
  let plan: NetworkPlan
  /// The values that callers can see, in order.
  let values: [ValueID]

  func write(
    steps: [EmittedStep], stepsSoFar: [NodeID: Int], maximumBatch: Int, sharesItems: Bool,
    scratchFloats: Int, to file: inout CWriter
  ) {
    writeBlobs(stepsSoFar, to: &file)
    file.block("static const struct network_layer layers[] =", tail: ";") { file in
      for step in steps {
        let name = CText.literal(lowered.graph[step.node].name)
        file.line("{\(name), \(step.takesItems ? "0" : step.function)},")
      }
      // C has no empty arrays.
      if steps.isEmpty { file.line("{0, 0},") }
    }
    file.line()
    writeIndices("inputs", lowered.graph.inputs, to: &file)
    writeIndices("outputs", lowered.graph.outputs, to: &file)
    let tailSteps = steps.filter { isInTail($0.node) }
    writeTail(tailSteps, to: &file)
    writeFeatures(to: &file)
    file.block("const struct network sparsec_network =", tail: ";") { file in
      file.line(".manifest = sparsec_manifest,")
      file.line(".features = FEATURES,")
      file.line(".max_batch = \(maximumBatch),")
      file.line(".arena_floats = \(plan.head.plan.size),")
      if sharesItems { file.line(".shares_items = true,") }
      if scratchFloats > 0 { file.line(".scratch_floats = \(scratchFloats),") }
      file.line(".input_count = \(lowered.graph.inputs.count), .inputs = inputs,")
      file.line(".output_count = \(lowered.graph.outputs.count), .outputs = outputs,")
      file.line(".blob_count = \(values.count), .blobs = blobs,")
      file.line(".layer_count = \(steps.count), .layers = layers,")
      if let pitch = plan.tail?.itemPitch {
        file.line(".tail_count = \(tailSteps.count), .tail = tail, .tail_floats = \(pitch),")
        file.line(".handover_count = \(plan.handovers.count), .handovers = handovers,")
      }
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
        let step = lowered.graph.producer(of: value).flatMap { stepsSoFar[$0] }.map { $0 - 1 }
        file.line(
          "{{\(CText.literal(described.name)), \(CText.literal(described.layer)), "
            + "\(described.shape.axes), shape_\(index), \(described.shape.count)},")
        file.line(" \(view(of: value)),")
        file.line(" \(step ?? -1)},")
      }
    }
    file.line()
  }

  /// A value's place as a C `struct view`.
  private func view(of value: ValueID) -> String {
    let pitches = lowered.pitches(of: value)
    return "{.offset = \(plan.place(of: value)), .planes = \(pitches.planes), "
      + ".height = \(pitches.height), .width = \(pitches.width), "
      + ".plane_pitch = \(pitches.planePitch), .row_pitch = \(pitches.rowPitch)}"
  }

  private func isInTail(_ node: NodeID) -> Bool {
    plan.tail?.lowered.graph.order.contains(node) ?? false
  }

  /// What the tail runs, and what it is given.
  private func writeTail(_ steps: [EmittedStep], to file: inout CWriter) {
    guard plan.tail != nil else { return }
    file.block("static batch_function *const tail[] =", tail: ";") { file in
      for step in steps { file.line(step.takesItems ? "\(step.function)," : "0,") }
    }
    file.block("static const struct network_handover handovers[] =", tail: ";") { file in
      for value in plan.handovers {
        file.line("{\(view(of: value)), \(plan.handoverPlace(of: value))},")
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
