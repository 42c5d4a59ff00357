import IR

/// The blobs of a file that hold the values of a graph.
///
/// Several values of one name share a blob if each is written over the one before (`Overwriting`). Of the
/// others all but one get a new name; network inputs and outputs keep theirs before all.
struct BlobNames {
  private var names: UniqueNames
  /// For every value the first one in its blob.
  private var owners: [ValueID: ValueID] = [:]
  private var blobs: [ValueID: String] = [:]
  private var copies: [ValueID: String] = [:]

  init(_ graph: Graph, consumers: [ValueID: [NodeID]], ends: NetEnds) {
    names = UniqueNames(reserving: graph.liveValues.map { graph[$0].name })
    let overwriting = Overwriting(graph, consumers: consumers)
    var last: [ValueID: ValueID] = [:]
    for value in graph.liveValues {
      let owner = overwriting.value(overwrittenBy: value).flatMap { owners[$0] } ?? value
      owners[value] = owner
      last[owner] = value
    }
    let all = graph.liveValues.filter { owners[$0] == $0 }
    func isOutput(_ owner: ValueID) -> Bool {
      last[owner].map { graph.isOutput($0) && !ends.copied.contains($0) } ?? false
    }
    let inputs = all.filter { graph.producer(of: $0) == nil }
    for owner in inputs { blobs[owner] = names.claim(graph[owner].name) }
    for output in graph.outputs {
      if ends.copied.contains(output) {
        guard copies[output] == nil else { continue }
        copies[output] = names.claim(graph[output].name)
      } else if let owner = owners[output], blobs[owner] == nil {
        blobs[owner] = names.claim(graph[owner].name)
      }
    }
    for owner in all where blobs[owner] == nil {
      blobs[owner] = names.claim(graph[owner].name)
    }
  }

  /// The blob that holds a value.
  subscript(value: ValueID) -> String {
    guard let name = owners[value].flatMap({ blobs[$0] }) else {
      preconditionFailure("every value of the graph has a blob")
    }
    return name
  }

  /// The blob that hands a value out although it is read.
  func copy(of value: ValueID) -> String? { copies[value] }

  /// A blob between the parts of one operation.
  mutating func invent(_ name: String) -> String { names.invent(name) }
}
