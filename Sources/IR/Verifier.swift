/// Why a graph is not well formed. Users never see one: it is a bug in a pass or a front end.
public struct VerificationFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public var description: String
}

extension Graph {
  /// Checks what must hold between any two passes:
  /// nodes read only what was made before them; every value has one producer, which knows it; shapes are
  /// those that the layers infer; parameters fit; outputs exist.
  public func verify() throws(VerificationFailure) {
    var made = Set(inputs)
    guard made.count == inputs.count else { throw failure("an input is there twice") }
    for input in inputs where producer(of: input) != nil {
      throw failure("input \(self[input].name) has a producer")
    }
    guard Set(order).count == order.count else { throw failure("a node is there twice") }
    for id in order {
      let node = self[id]
      for input in node.inputs where !made.contains(input) {
        throw failure("\(node.name) reads \(self[input].name) (%\(input.index)) before it is made")
      }
      try verifyShapes(of: id)
      for output in node.outputs {
        guard producer(of: output) == id else {
          throw failure("\(node.name) makes %\(output.index), which names another producer")
        }
        guard made.insert(output).inserted else {
          throw failure("%\(output.index) is made twice")
        }
      }
    }
    for output in outputs where !made.contains(output) {
      throw failure("output \(self[output].name) (%\(output.index)) is never made")
    }
  }

  private func verifyShapes(of id: NodeID) throws(VerificationFailure) {
    let node = self[id]
    let layer = node.operation.layer
    let inputs = inputShapes(of: id)
    guard layer.inputCounts.contains(inputs.count) else {
      throw failure("\(node.name) has \(inputs.count) inputs")
    }
    do {
      let shapes = try layer.outputShapes(for: inputs)
      guard shapes == outputShapes(of: id) else {
        throw failure("\(node.name) has outputs \(outputShapes(of: id)) instead of \(shapes)")
      }
      let slots = try layer.parameters(for: inputs).map(\.shape)
      guard slots == node.parameters.map(\.shape) else {
        throw failure(
          "\(node.name) has parameters \(node.parameters.map(\.shape)) instead of \(slots)")
      }
    } catch let error as VerificationFailure {
      throw error
    } catch {
      throw failure("\(node.name): \(error)")
    }
  }

  private func failure(_ text: String) -> VerificationFailure {
    VerificationFailure(description: "graph \(name): \(text)")
  }
}
