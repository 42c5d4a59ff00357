import IR
import TestSupport
import Testing

@testable import Training

@Suite struct GroupLassoTests {
  static let tilings: [(rows: Int, columns: Int, height: Int, width: Int)] = [
    (4, 6, 1, 6), (4, 6, 4, 1), (4, 6, 2, 1), (4, 6, 2, 3), (4, 6, 1, 1), (4, 6, 4, 6),
    (6, 70, 3, 7), (1, 9, 1, 3),
  ]

  private func parameter(_ rows: Int, _ columns: Int, seed: UInt64 = 1) throws -> Parameter {
    let parameter = Parameter(
      layer: "l", index: 0,
      settings: TrainingParameter(
        slot: ParameterSlot("weights", try Shape([rows, columns])), filler: .constant(0)))
    var random = RandomSource(seed: seed)
    for i in parameter.values.indices { parameter.values[i] = Float(random.normal()) }
    return parameter
  }

  /// The elements of each tile, found one by one.
  private func elements(_ tiling: Tiling) -> [[Int]] {
    var result = [[Int]](repeating: [], count: tiling.count)
    for row in 0..<tiling.rows {
      for column in 0..<tiling.columns {
        let tile =
          row / tiling.height * (tiling.columns / tiling.width) + column / tiling.width
        result[tile].append(row * tiling.columns + column)
      }
    }
    return result
  }

  @Test(arguments: tilings.indices)
  func `the gradient is that of the sum of norms`(_ number: Int) throws {
    let (rows, columns, height, width) = Self.tilings[number]
    let parameter = try parameter(rows, columns)
    let tiling = Tiling(rows: rows, columns: columns, height: height, width: width)
    let groups = elements(tiling)
    // One group is zero: its gradient is too.
    for i in groups[groups.count / 2] { parameter.values[i] = 0 }
    for i in 0..<parameter.count { #expect(groups[tiling.tile(of: i)].contains(i)) }
    let lasso = GroupLasso(
      [WeightGroups([.init(parameter: 0, tiling: tiling)], strength: 0.3)], parameters: 1)
    lasso.prepare([parameter])
    var term = 0.0
    // In pieces that respect neither rows nor tiles.
    for start in stride(from: 0, to: parameter.count, by: 5) {
      term += lasso.add(
        to: parameter, index: 0, range: start..<min(start + 5, parameter.count),
        reportsTerm: true)
    }
    var expected = 0.0
    for group in groups {
      let norm = group.reduce(0) {
        $0 + Double(parameter.values[$1]) * Double(parameter.values[$1])
      }
      .squareRoot()
      expected += 0.3 * norm
      for i in group {
        let gradient = norm == 0 ? 0 : 0.3 * Double(parameter.values[i]) / norm
        #expect(abs(Double(parameter.gradient[i]) - gradient) < 1e-6)
      }
    }
    #expect(abs(term - expected) < 1e-6 * max(1, expected))
  }

  @Test(arguments: tilings.indices)
  func `the proximal step shortens every norm by its amount`(_ number: Int) throws {
    let (rows, columns, height, width) = Self.tilings[number]
    let parameter = try parameter(rows, columns)
    let tiling = Tiling(rows: rows, columns: columns, height: height, width: width)
    let set = WeightGroups([.init(parameter: 0, tiling: tiling)], strength: 2)
    let before = set.squares(in: [parameter]).map { $0.squareRoot() }
    let old = Array(parameter.values)
    let lasso = ProximalGroupLasso([set], of: [parameter], momentum: 0.5)
    let progress = TrainingProgress(
      iteration: 0, maximumIterations: 1, rate: 0.2, clipsGradients: false)
    lasso.endIteration(progress)
    // 0.2 / (1 - 0.5) * 2
    let after = set.squares(in: [parameter]).map { $0.squareRoot() }
    for (old, new) in zip(before, after) { #expect(abs(new - max(old - 0.8, 0)) < 1e-5) }
    for (tile, group) in elements(tiling).enumerated() where before[tile] > 0.8 {
      let factor = Float(after[tile] / before[tile])
      for i in group { #expect(abs(parameter.values[i] - factor * old[i]) < 1e-5) }
    }
    #expect(before.contains { $0 < 0.8 } == after.contains(0))
  }

  // MARK: - What belongs together

  /// conv1 -> BatchNorm -> Scale -> (+ conv2 of it) -> ReLU -> ip
  private func residual() throws -> (net: TrainingNet, parameters: [Parameter]) {
    let image = try Shape([2, 4, 5, 5])
    func layer(
      _ name: String, _ operation: TrainingOperation, _ bottoms: [String], _ top: String,
      _ slots: [(String, [Int])] = []
    ) throws -> TrainingLayer {
      TrainingLayer(
        name: name, typeName: name, operation: operation, bottoms: bottoms, tops: [top],
        inputShapes: bottoms.map { _ in image }, outputShapes: [image],
        parameters: try slots.map {
          TrainingParameter(slot: ParameterSlot($0.0, try Shape($0.1)), filler: .constant(0))
        })
    }
    let convolution = Operation.convolution(
      Convolution(
        filters: 4,
        window: Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1]), groups: 2))
    let slots: [(String, [Int])] = [("weights", [4, 2, 3, 3]), ("bias", [4])]
    let net = TrainingNet(
      name: "n", phase: .train,
      layers: [
        try layer("data", .data(.input(shapes: [image])), [], "x"),
        try layer("conv1", .operation(convolution), ["x"], "a", slots),
        try layer(
          "scale", .operation(.scale(Scale())), ["a"], "a", [("weights", [4]), ("bias", [4])]),
        try layer("conv2", .operation(convolution), ["a"], "b", slots),
        try layer(
          "sum", .operation(.eltwise(Eltwise(.sum(coefficients: [1, 1])))), ["a", "b"], "c"),
        try layer(
          "ip", .operation(.innerProduct(InnerProduct(outputs: 3))), ["c"], "z",
          [("weights", [3, 100]), ("bias", [3])]),
        try layer("loss", .loss(.euclidean), ["z", "x"], "loss"),
      ])
    let parameters = net.layers.flatMap { layer in
      layer.parameters.enumerated().map { Parameter(layer: layer.name, index: $0, settings: $1) }
    }
    return (net, parameters)
  }

  @Test func `filters span all that write to a channel`() throws {
    let (net, parameters) = try residual()
    let sets = GroupFinder(parameters, in: net).sets(.filter)
    #expect(sets.count == 1)
    #expect(sets[0].members.map(\.parameter) == [0, 1, 2, 3, 4, 5])
    #expect(sets[0].count == 4)
  }

  @Test func `other structures stand alone`() throws {
    let (net, parameters) = try residual()
    let finder = GroupFinder(parameters, in: net)
    func tiles(_ structure: ZeroStructure) -> [[Int]] {
      finder.sets(structure).map {
        [$0.members[0].parameter, $0.members[0].tiling.height, $0.members[0].tiling.width]
      }
    }
    #expect(tiles(.element) == [[0, 1, 1], [4, 1, 1], [6, 1, 1]])
    // Groups of a convolution have columns and channels of their own.
    #expect(tiles(.shape) == [[0, 2, 1], [4, 2, 1], [6, 3, 1]])
    #expect(tiles(.channel) == [[0, 2, 9], [4, 2, 9], [6, 3, 25]])
    #expect(tiles(.kernel) == [[0, 1, 9], [4, 1, 9]])
    // Only conv2 has a way around it.
    #expect(tiles(.depth) == [[4, 4, 18]])
  }

  @Test func `fields make the groups that scnn makes`() throws {
    var (net, parameters) = try residual()
    net.layers[1].parameters[0].sparsity.rowFactor = 2
    net.layers[1].parameters[0].sparsity.columnFactor = 3
    net.layers[3].parameters[0].sparsity.blocks = [.init(width: 9, height: 1, factor: 0.5)]
    parameters = net.layers.flatMap { layer in
      layer.parameters.enumerated().map { Parameter(layer: layer.name, index: $0, settings: $1) }
    }
    var fields = ForkFields()
    #expect(FieldGroups(parameters, in: net).groups(fields).isEmpty)
    fields.breadthDecay = 0.1
    fields.kernelShapeDecay = 0.01
    fields.blockGroupDecay = 10
    let groups = FieldGroups(parameters, in: net).groups(fields)
    #expect(groups.map(\.count) == [4, 36, 8])
    for (group, strength) in zip(groups, [Float(0.2), 0.03, 5]) {
      #expect(abs(group.strength - strength) < 1e-6)
    }
    fields.spansGroups = true
    #expect(FieldGroups(parameters, in: net).groups(fields)[0].members.count == 6)
  }
}
