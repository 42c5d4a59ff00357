import IR
import Reference
import TestSupport

/// The outputs of a graph of one layer.
func evaluate(_ operation: Operation, _ inputs: [Tensor], _ parameters: [Tensor] = []) throws
  -> [Tensor]
{
  var graph = Graph(name: "one layer")
  let values = inputs.enumerated().map { index, tensor in
    graph.addInput(name: "in\(index)", shape: tensor.shape)
  }
  let count = try operation.layer.outputShapes(for: inputs.map(\.shape)).count
  let node = try graph.append(
    operation, name: "the layer", inputs: values, parameters: parameters,
    outputNames: (0..<count).map { "out\($0)" })
  graph.setOutputs(graph[node].outputs)
  try graph.verify()
  let results = try Evaluator(graph).run(
    inputs: Dictionary(zip(values, inputs), uniquingKeysWith: { first, _ in first }))
  return graph[node].outputs.compactMap { results[$0] }
}

/// The only output of a graph of one layer.
func evaluateOne(_ operation: Operation, _ inputs: [Tensor], _ parameters: [Tensor] = []) throws
  -> Tensor
{
  try evaluate(operation, inputs, parameters)[0]
}

func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
  Tensor(shape: try Shape(extents), values: values)
}

/// An image of one channel, from its rows.
func image(_ rows: [[Float]]) throws -> Tensor {
  try tensor([1, 1, rows.count, rows[0].count], rows.flatMap { $0 })
}

extension Tensor {
  /// The element at an index of as many numbers as there are axes; 0 outside.
  func padded(_ index: [Int]) -> Float {
    var position = 0
    for (axis, place) in index.enumerated() {
      guard (0..<shape[axis]).contains(place) else { return 0 }
      position = position * shape[axis] + place
    }
    return values[position]
  }
}

/// All indices of a shape, in row-major order.
func indices(of shape: Shape) -> [[Int]] {
  shape.extents.reduce([[]]) { places, extent in
    places.flatMap { place in (0..<extent).map { place + [$0] } }
  }
}
