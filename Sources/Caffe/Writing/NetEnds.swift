import IR

/// What Caffe must be told about the results of a network: it takes exactly the blobs that nobody reads for
/// its outputs.
struct NetEnds {
  /// Values that nobody reads although they are no outputs; Silence swallows them.
  let silenced: Set<ValueID>
  /// Outputs that somebody reads; a copy of theirs is the output.
  let copied: Set<ValueID>

  init(_ graph: Graph, consumers: [ValueID: [NodeID]]) {
    let unread = graph.liveValues.filter { consumers[$0] == nil }
    let silenced = Set(unread.filter { !graph.isOutput($0) })
    self.silenced = silenced
    // A network all of whose results are swallowed is read as one that has what is swallowed for outputs.
    let swallowed = graph.order.filter { graph[$0].operation == .silence(Silence()) }
      .flatMap { graph[$0].inputs }
    let isSwallowed =
      unread.isEmpty && graph.outputs.allSatisfy { graph.producer(of: $0) != nil }
      && Set(graph.outputs) == Set(swallowed.filter { graph.producer(of: $0) != nil })
    copied = isSwallowed ? [] : Set(graph.outputs.filter { consumers[$0] != nil })
  }
}
