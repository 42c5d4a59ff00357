import Foundation
import IR

/// A function of one element, over any layout: activation.h.
struct Activation: Kernel {
  let name = "activation"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .elementwise = graph[node].operation else { return nil }
    return pointwiseCandidate(node, in: graph, target)
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    guard case .elementwise(let layer) = emitter.graph[node].operation else {
      preconditionFailure("the chooser gives this kernel element functions only")
    }
    let (input, output) = (emitter.graph[node].inputs[0], emitter.graph[node].outputs[0])
    let (kind, constants) = layer.function.constants
    let values = zip(["a", "b", "c"], constants).map { ".\($0) = \(CText.literal($1))" }
    let isFlat = emitter.isFlat([input, output])
    emitter.call(
      name,
      fields: [
        ".input = \(emitter.rows(input, isFlat: isFlat))",
        ".output = \(emitter.rows(output, isFlat: isFlat))",
        ([".kind = ACTIVATION_\(kind)"] + values).joined(separator: ", "),
      ], arguments: [emitter.pointer(input), emitter.pointer(output)])
  }
}

/// ReLU with learned slopes: activation.h.
struct LearnedReLU: Kernel {
  let name = "prelu"
  var worksInPlace: Bool { true }

  func candidate(for node: NodeID, in graph: Graph, target: Target) -> KernelCandidate? {
    guard case .preLU = graph[node].operation else { return nil }
    // A plane must have one slope, so channels may not be among the last two axes.
    return pointwiseCandidate(node, in: graph, target)
  }

  func emit(_ node: NodeID, into emitter: inout LayerEmitter) {
    let source = emitter.graph[node]
    let (input, output) = (source.inputs[0], source.outputs[0])
    let slopes = emitter.weights.append(floats: source.parameters[0].values)
    let shape = emitter.graph[input].shape
    let isFlat = emitter.isFlat([input, output])
    func planes(_ value: ValueID) -> String {
      isFlat
        ? emitter.densePlanes(planes: shape.count(upTo: 2), width: shape.count(from: 2))
        : emitter.planes(value)
    }
    let fields = [
      ".input = \(planes(input))", ".output = \(planes(output))",
      ".slope_count = \(source.parameters[0].count)",
    ]
    emitter.call(
      name, header: "activation.h", fields: fields,
      arguments: [emitter.pointer(input), slopes, emitter.pointer(output)])
  }
}

extension Kernel {
  /// The answer of kernels that read and write any planes at the speed of memory.
  func pointwiseCandidate(_ node: NodeID, in graph: Graph, _ target: Target) -> KernelCandidate {
    let values = graph[node].inputs
    let axes = graph[values[0]].shape.axes
    let count = graph[values[0]].shape.count * values.count
    // Without two axes behind the channels there are no planes to have a halo.
    let hasPlanes = axes == 4
    return fits(
      cycles: Double(count) / Double(target.lanes) * 2 + 200, target,
      inputs: values.map { _ in hasPlanes ? .planes(.none) : .dense },
      outputs: [hasPlanes ? .anyPlanes : .denseOnly])
  }
}

extension LayerEmitter {
  /// Whether none of the values has gaps, so that rows may be joined.
  func isFlat(_ values: [ValueID]) -> Bool {
    values.allSatisfy { (lowered.layouts[$0] ?? .dense) == .dense }
  }

  /// A value as planes, or, if all values of the layer are flat, as one long row, which kernels can cut anywhere.
  func rows(_ value: ValueID, isFlat: Bool) -> String {
    isFlat ? densePlanes(planes: 1, width: graph[value].shape.count) : planes(value)
  }

  /// A dense value as `planes` planes of one row.
  func densePlanes(planes: Int, width: Int) -> String {
    "{.planes = \(planes), .height = 1, .width = \(width), .row_pitch = \(width), "
      + ".plane_pitch = \(width)}"
  }
}

extension ElementwiseFunction {
  /// The kind and the constants a, b, c of `struct activation`.
  fileprivate var constants: (kind: String, values: [Float]) {
    switch self {
    case .relu(let slope): return ("RELU", [slope])
    case .elu(let alpha): return ("ELU", [alpha])
    case .sigmoid: return ("SIGMOID", [])
    case .tanh: return ("TANH", [])
    case .absoluteValue: return ("ABSVAL", [])
    case .softplus: return ("BNLL", [])
    case .power(let power, let scale, let shift): return ("POWER", [shift, scale, power])
    case .exponential(let base, let scale, let shift):
      let factor = base.map { log(Double($0)) } ?? 1
      return ("EXP", [Float(Double(scale) * factor), Float(Double(shift) * factor)])
    case .logarithm(let base, let scale, let shift):
      let factor = base.map { 1 / log(Double($0)) } ?? 1
      return ("LOG", [Float(factor), scale, shift])
    case .threshold(let threshold): return ("THRESHOLD", [threshold])
    case .clip(let low, let high): return ("CLIP", [low, high])
    case .swish(let beta): return ("SWISH", [beta])
    }
  }
}
