import IR

/// When each value is in use, in steps of the order in which nodes run.
struct Liveness {
  /// First and last step of each value; inputs begin at -1, outputs end behind the last step.
  private(set) var spans: [ValueID: ClosedRange<Int>] = [:]

  init(_ graph: Graph) {
    var first: [ValueID: Int] = [:]
    var last: [ValueID: Int] = [:]
    for input in graph.inputs {
      first[input] = -1
      last[input] = -1
    }
    for (step, id) in graph.order.enumerated() {
      for input in graph[id].inputs { last[input] = step }
      for output in graph[id].outputs {
        first[output] = step
        last[output] = step
      }
    }
    for output in graph.outputs { last[output] = graph.order.count }
    for (value, begin) in first { spans[value] = begin...max(begin, last[value] ?? begin) }
  }

  subscript(value: ValueID) -> ClosedRange<Int> {
    guard let span = spans[value] else { preconditionFailure("every value is made somewhere") }
    return span
  }
}
