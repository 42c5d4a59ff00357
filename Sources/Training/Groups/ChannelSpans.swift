import IR

/// Which learned arrays make the same channels: a channel can be taken out of a net only when everything that writes to
/// it is zero.
///
/// The filters of a convolution, its bias, the scale and shift of the normalisation behind it, and, where an Eltwise
/// adds blobs, all that write to any of them belong together. Layers that rearrange channels (Concat, Slice, …) begin
/// anew; what they make cannot be taken out as a whole.
struct ChannelSpans {
  private let parameters: [Parameter]
  /// Members by span, in the net's order.
  private var spans: [[WeightGroups.Member]] = []
  /// Whether a span's channels also come from somewhere without learned filters, by span.
  private var isOpen: [Bool] = []

  init(_ parameters: [Parameter], in net: TrainingNet) {
    self.parameters = parameters
    var walk = Walk(parameters)
    for layer in net.layers { walk.visit(layer) }
    for root in walk.roots {
      let members = walk.members(of: root)
      let isEven = Set(members.map(\.tiling.count)).count <= 1
      spans.append(members)
      isOpen.append(walk.isOpen(root) || !isEven)
    }
  }

  /// The members of the span whose first filters are those of a parameter; nil if an earlier one leads its span. Filters
  /// whose channels also come from elsewhere stand alone.
  func members(startingAt index: Int) -> [WeightGroups.Member]? {
    let alone = WeightGroups.Member(
      parameter: index, tiling: Tiling(of: parameters[index].shape, height: 1))
    guard let span = spans.firstIndex(where: { $0.contains { $0.parameter == index } }),
      !isOpen[span]
    else { return [alone] }
    return spans[span].first?.parameter == index ? spans[span] : nil
  }
}

/// Follows channels through a net; blobs whose channels are the same share a root.
private struct Walk {
  private let places: [String: [Int: Int]]
  private let parameters: [Parameter]
  private var parent: [Int] = []
  private var found: [[WeightGroups.Member]] = []
  private var open: [Bool] = []
  private var blobs: [String: Int] = [:]

  init(_ parameters: [Parameter]) {
    self.parameters = parameters
    var places: [String: [Int: Int]] = [:]
    for (place, parameter) in parameters.enumerated() {
      places[parameter.layer, default: [:]][parameter.index] = place
    }
    self.places = places
  }

  var roots: [Int] { parent.indices.filter { root(of: $0) == $0 } }

  func members(of root: Int) -> [WeightGroups.Member] {
    var members = parent.indices.filter { self.root(of: $0) == root }.flatMap { found[$0] }
    members.sort { $0.parameter < $1.parameter }
    // A shared array stands once.
    var seen: Set<Int> = []
    return members.filter { seen.insert($0.parameter).inserted }
  }

  func isOpen(_ root: Int) -> Bool {
    parent.indices.contains { self.root(of: $0) == root && open[$0] }
  }

  mutating func visit(_ layer: TrainingLayer) {
    switch layer.operation {
    case .operation(.convolution): begin(layer, isOpen: false)
    case .operation(.innerProduct(let product)) where !product.isTransposed:
      begin(layer, isOpen: false)
    case .operation(.eltwise(let eltwise)):
      if case .sum = eltwise.combination { join(layer) } else { begin(layer, isOpen: true) }
    case .operation(.scale), .operation(.bias):
      layer.bottoms.count == 1 ? follow(layer, addsParameters: true) : begin(layer, isOpen: true)
    case .batchNorm, .dropout, .stochasticPooling, .operation(.batchNorm),
      .operation(.elementwise), .operation(.pooling), .operation(.lrn), .operation(.preLU),
      .operation(.split), .operation(.identity):
      follow(layer, addsParameters: false)
    default: begin(layer, isOpen: true)
    }
  }

  private mutating func begin(_ layer: TrainingLayer, isOpen: Bool) {
    for top in layer.tops {
      parent.append(parent.count)
      found.append(isOpen ? [] : learned(layer))
      open.append(isOpen)
      blobs[top] = parent.count - 1
    }
  }

  private mutating func follow(_ layer: TrainingLayer, addsParameters: Bool) {
    guard let bottom = layer.bottoms.first, let blob = blobs[bottom] else {
      return begin(layer, isOpen: true)
    }
    if addsParameters { found[blob] += learned(layer) }
    for top in layer.tops { blobs[top] = blob }
  }

  private mutating func join(_ layer: TrainingLayer) {
    let made = layer.bottoms.compactMap { blobs[$0] }
    guard made.count == layer.bottoms.count, let first = made.first else {
      return begin(layer, isOpen: true)
    }
    for other in made.dropFirst() { parent[root(of: other)] = root(of: first) }
    for top in layer.tops { blobs[top] = first }
  }

  private func root(of blob: Int) -> Int {
    var blob = blob
    while parent[blob] != blob { blob = parent[blob] }
    return blob
  }

  /// The layer's arrays, a tile for each channel.
  private func learned(_ layer: TrainingLayer) -> [WeightGroups.Member] {
    guard let indices = places[layer.name] else { return [] }
    return indices.values.sorted().map {
      WeightGroups.Member(parameter: $0, tiling: Tiling(of: parameters[$0].shape, height: 1))
    }
  }
}
