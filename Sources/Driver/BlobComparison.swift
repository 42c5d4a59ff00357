import IR
import Reference
import SparsecRuntime

/// Collects the errors of blobs that occur in a compiled network and in its definition.
struct BlobComparison {
  private let graph: Graph
  private let blobs: [SparsecRuntime.Blob]
  /// The compiled network's blobs by what they are, by place.
  private var places: [BlobKey: Int] = [:]
  /// What is left of blobs that have lost channels.
  private var reduced: [BlobKey: Manifest.ReducedBlob] = [:]
  private var worst: [Int: VerificationResult.Blob] = [:]
  private var survivors: Set<ValueID> = []

  init(_ network: CompiledNetwork, _ graph: Graph) {
    self.init(network.model.blobs, reduced: network.manifest.reduced, graph)
  }

  init(_ blobs: [SparsecRuntime.Blob], reduced: [Manifest.ReducedBlob], _ graph: Graph) {
    self.graph = graph
    self.blobs = blobs
    for (index, blob) in blobs.enumerated() { places[BlobKey(blob)] = index }
    for blob in reduced { self.reduced[BlobKey(blob)] = blob }
  }

  /// Compares a value of the definition, as the evaluator has it, with what a run of the compiled network left.
  mutating func add(_ value: ValueID, _ expected: Tensor, compiled: [ResultArray]) {
    let described = graph[value]
    let key = BlobKey(described)
    // What lies between the parts of one layer of the file bears its names, but is no blob of it.
    guard !described.isInternal, let place = places[key] else { return }
    var blob = VerificationResult.Blob(
      name: described.name, layer: described.layer, error: .infinity)
    let result = compiled[place]
    if let left = reduced[key] {
      let channels = left.channels.compactMap(\.self)
      // Only places are left of it, and no content.
      guard !channels.isEmpty else { return }
      blob.channels = VerificationResult.Channels(compared: channels.count, of: left.of)
      if let (there, wanted) = Self.remaining(left, result, expected) {
        blob.note(BlobError(of: there, against: wanted)) { index in
          index.enumerated().map { $0.offset == 1 ? channels[$0.element] : $0.element }
        }
      }
    } else if result.values.count == expected.count {
      blob.note(
        BlobError(of: Tensor(shape: expected.shape, values: result.values), against: expected))
    }
    survivors.insert(value)
    if let known = worst[place], known.error >= blob.error { return }
    worst[place] = blob
  }

  /// The channels that both have, of what is there and of what should be; nil if the network's list of channels
  /// does not fit.
  private static func remaining(
    _ left: Manifest.ReducedBlob, _ result: ResultArray, _ expected: Tensor
  ) -> (there: Tensor, wanted: Tensor)? {
    let channels = left.channels.compactMap(\.self)
    guard expected.shape.axes > 1, left.of == expected.shape[1],
      channels.allSatisfy({ (0..<left.of).contains($0) }),
      let shape = try? expected.shape.replacing(axis: 1, with: left.channels.count),
      shape.count == result.values.count
    else { return nil }
    let kept = left.channels.indices.filter { left.channels[$0] != nil }
    return (
      Tensor(shape: shape, values: result.values).selecting(kept, along: 1),
      expected.selecting(channels, along: 1)
    )
  }

  /// What was found.
  func result(tolerance: Double) -> VerificationResult {
    let compared = worst.sorted { $0.key < $1.key }.map(\.value)
    return VerificationResult(
      blobs: compared, tolerance: tolerance,
      withoutCounterpart: blobs.count - compared.count,
      vanished: graph.liveValues.count { !survivors.contains($0) && !graph[$0].isInternal },
      outputsAreThere: graph.outputs.allSatisfy(survivors.contains))
  }
}

extension VerificationResult.Blob {
  /// Takes over an error; `place` turns its index into that in the blob of the definition.
  fileprivate mutating func note(
    _ error: BlobError, at place: ([Int]) -> [Int] = { $0 }
  ) {
    self.error = error.relative
    index = error.index.map(place) ?? []
    values = error.values.map { [$0.result, $0.expected] }
  }
}
