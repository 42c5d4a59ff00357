import IR

/// Which layers may write over what they read, as Caffe executes them.
struct Overwriting {
  private let graph: Graph
  private let consumers: [ValueID: [NodeID]]
  private var places: [NodeID: Int] = [:]
  /// For every value the first one of those that lie in the same memory: Caffe's layers that only rearrange
  /// hand on the memory that they read.
  private var memories: [ValueID: ValueID] = [:]
  private var sharers: [ValueID: [ValueID]] = [:]

  init(_ graph: Graph, consumers: [ValueID: [NodeID]]) {
    self.graph = graph
    self.consumers = consumers
    for (place, id) in graph.order.enumerated() { places[id] = place }
    for value in graph.liveValues {
      let shared = graph.producer(of: value).flatMap { id in
        LayerForms.sharesMemory(graph[id]) ? graph[id].inputs.first : nil
      }
      let memory = shared.flatMap { memories[$0] } ?? value
      memories[value] = memory
      sharers[memory, default: []].append(value)
    }
  }

  /// The value in whose blob the maker of `value` writes; nil if that needs one of its own.
  ///
  /// That is the maker's first input, if it has the same name, and if nobody reads it, or what else lies in
  /// its memory, behind the maker.
  func value(overwrittenBy value: ValueID) -> ValueID? {
    guard let id = graph.producer(of: value), LayerForms.worksInPlace(graph[id].operation),
      let place = places[id]
    else { return nil }
    let input = graph[id].inputs[0]
    guard graph[input].name == graph[value].name, !graph[id].inputs.dropFirst().contains(input),
      let memory = memories[input], let values = sharers[memory]
    else { return nil }
    for other in values {
      // A learned blob must stay what it is.
      if case .parameter? = graph.producer(of: other).map({ graph[$0].operation }) { return nil }
      if graph.isOutput(other) { return nil }
      for reader in consumers[other] ?? [] where reader != id {
        guard let reading = places[reader], reading < place else { return nil }
      }
      // The other inputs are read while the first one changes.
      if other != input, graph[id].inputs.contains(other) { return nil }
    }
    return input
  }
}
