import IR
import Reference

/// A graph beside what passes made of it, evaluated on the same inputs: blob by blob, channel by channel.
public struct GraphComparison {
  /// What is wrong, one line each.
  public private(set) var differences: [String] = []
  /// How many blobs of the rewritten graph were compared.
  public private(set) var compared = 0
  /// Whether neither evaluation rounded anything.
  public private(set) var isExact: Bool

  /// Compares the values of two evaluations.
  ///
  /// Every value that is not internal must hold, on the channels that it still has, what the value of the same
  /// name and layer held before, up to `tolerance` times the blob's largest element; inputs and outputs
  /// must be the same in number, name and shape. Blobs smaller than `residue` count as that large: they are
  /// what cancelled sums leave.
  public init(
    _ before: Graph, _ old: ExactEvaluation, _ after: Graph, _ new: ExactEvaluation,
    tolerance: Double, residue: Double = 0
  ) {
    isExact = old.isExact && new.isExact
    compareEnds(before.inputs, of: before, after.inputs, of: after, "input")
    compareEnds(before.outputs, of: before, after.outputs, of: after, "output")
    var originals: [String: Tensor] = [:]
    for (id, tensor) in old.values { originals[before[id].key] = tensor }
    for id in after.liveValues where !after[id].isInternal {
      let value = after[id]
      guard let original = originals[value.key] else {
        differences.append("\(value.key) came out of nowhere")
        continue
      }
      guard let result = new.values[id] else {
        differences.append("\(value.key) was not evaluated")
        continue
      }
      compare(value, result, original, tolerance, residue)
    }
  }

  /// Evaluates both graphs, then compares.
  public init(
    _ before: Graph, _ after: Graph, inputs: [ValueID: Tensor], tolerance: Double = 0
  ) throws {
    let old = try ExactEvaluation(before, inputs: inputs)
    let new = try ExactEvaluation(after, inputs: inputs)
    self.init(before, old, after, new, tolerance: tolerance)
  }

  private mutating func compareEnds(
    _ old: [ValueID], of before: Graph, _ new: [ValueID], of after: Graph, _ what: String
  ) {
    guard old.map({ before[$0].name }) == new.map({ after[$0].name }) else {
      differences.append(
        "\(what)s \(new.map { after[$0].name }) instead of \(old.map { before[$0].name })")
      return
    }
    for (old, new) in zip(old, new) {
      let value = after[new]
      if value.shape != before[old].shape || value.channels != nil || value.isInternal {
        differences.append("\(what) \(value.name) has shape \(value.shape), or lost channels")
      }
    }
  }

  private mutating func compare(
    _ value: Value, _ result: Tensor, _ original: Tensor, _ tolerance: Double,
    _ residue: Double
  ) {
    guard let (kept, expected) = value.counterparts(result, original) else {
      differences.append(
        "\(value.key) of shape \(result.shape) is no part of \(original.shape) by its channels "
          + "\(String(describing: value.channels))")
      return
    }
    guard let kept, let expected else { return }
    compared += 1
    let error = BlobError(of: kept, against: expected)
    // The magnitude is that of the whole blob: a channel may be small by chance.
    let scale = original.values.reduce(residue) { $1.isFinite ? max($0, Double(abs($1))) : $0 }
    if !(error.absolute <= tolerance * scale) { differences.append("\(value.key): \(error)") }
  }
}

extension Value {
  /// What tells it from all other values of its graph.
  public var key: String { "\(layer)::\(name)" }

  /// The elements of a result for this value that have a meaning in the user's file, and their counterparts
  /// in the blob there: a pair of nil if there is none, nil if the shapes do not fit the channels.
  public func counterparts(_ result: Tensor, _ original: Tensor) -> (Tensor?, Tensor?)? {
    guard let channels else { return result.shape == original.shape ? (result, original) : nil }
    guard result.shape.axes >= 2, result.shape.axes == original.shape.axes,
      result.shape[1] == channels.count,
      (0..<result.shape.axes).allSatisfy({ $0 == 1 || result.shape[$0] == original.shape[$0] })
    else { return nil }
    let places = channels.indices.filter { channels[$0] != nil }
    let sources = places.compactMap { channels[$0] }
    guard sources.allSatisfy((0..<original.shape[1]).contains) else { return nil }
    if places.isEmpty { return (nil, nil) }
    return (result.selecting(places, along: 1), original.selecting(sources, along: 1))
  }
}
