import Foundation
import IR
import TestSupport
import Testing
import Training

struct LossGradientTests {
  private static let normalizations: [Loss.Normalization] = [.full, .valid, .batchSize, .none]

  private func check(
    _ loss: IR.Loss, _ shape: [Int], labels: [Float]?, labelShape: [Int],
    others: [(String, [Int], [Float])] = [], weight: Float = 0.7,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    var builder = NetBuilder(seed: 1)
    try builder.input("x", shape, .real(limit: 2))
    try builder.input("label", labelShape, values: labels)
    for (name, extents, values) in others { try builder.input(name, extents, values: values) }
    try builder.add(
      .loss(loss), "loss", ["x", "label"] + others.map(\.0), ["loss"], [.scalar],
      lossWeights: [weight])
    let fixed = Set(["label"] + others.map(\.0))
    try GradientCheck(step: 1 / 256, fixedInputs: fixed).run(
      builder, sourceLocation: sourceLocation)
  }

  @Test func softmax() throws {
    for normalization in Self.normalizations {
      try check(
        .softmax(axis: 1, normalization, ignoredLabel: nil), [4, 5], labels: [0, 4, 2, 2],
        labelShape: [4])
      let labels: [Float] = [0, 1, 2, 2, 1, 0, 0, 2, 1, 1, 2, 0]
      try check(
        .softmax(axis: 1, normalization, ignoredLabel: 2), [2, 3, 3, 2], labels: labels,
        labelShape: [2, 1, 3, 2])
      try check(
        .softmax(axis: 2, normalization, ignoredLabel: 0), [2, 3, 3, 2], labels: labels,
        labelShape: [2, 3, 2])
    }
  }

  @Test func infogain() throws {
    let matrix = (0..<16).map { Float($0 % 5) / 3 }
    for normalization in Self.normalizations {
      try check(
        .infogain(matrix: matrix, axis: 1, normalization, ignoredLabel: 3), [4, 4],
        labels: [0, 3, 2, 2], labelShape: [4])
      try check(
        .infogain(matrix: nil, axis: 1, normalization, ignoredLabel: nil), [2, 4, 3],
        labels: [0, 3, 2, 2, 1, 0], labelShape: [2, 3], others: [("H", [1, 1, 4, 4], matrix)])
    }
  }

  @Test func hinge() throws {
    for squared in [false, true] {
      try check(.hinge(squared: squared), [5, 4], labels: [0, 1, 2, 3, 1], labelShape: [5])
    }
  }

  @Test func `sigmoid cross entropy`() throws {
    for normalization in Self.normalizations {
      let targets: [Float] = [0, 1, 0.3, 0.8, 1, 0, -1, 1]
      try check(
        .sigmoidCrossEntropy(normalization, ignoredLabel: -1), [2, 4], labels: targets,
        labelShape: [2, 4])
    }
  }

  @Test func `multinomial logistic`() throws {
    var builder = NetBuilder(seed: 2)
    try builder.input("x", [3, 4], values: (0..<12).map { Float($0 % 4 + 1) / 10 })
    try builder.input("label", [3], values: [3, 0, 1])
    try builder.add(
      .loss(.multinomialLogistic), "loss", ["x", "label"], ["loss"], [.scalar], lossWeights: [2])
    try GradientCheck(step: 1 / 1024, fixedInputs: ["label"]).run(builder)
  }

  @Test func euclidean() throws {
    var builder = NetBuilder(seed: 3)
    try builder.input("x", [3, 2, 2])
    try builder.input("y", [3, 2, 2])
    try builder.add(.loss(.euclidean), "loss", ["x", "y"], ["loss"], [.scalar], lossWeights: [1.5])
    try GradientCheck().run(builder)
  }

  @Test func contrastive() throws {
    for legacy in [false, true] {
      var builder = NetBuilder(seed: 4)
      try builder.input("x", [6, 3])
      try builder.input("y", [6, 3])
      try builder.input("same", [6], values: [1, 0, 0, 1, 0, 0])
      try builder.add(
        .loss(.contrastive(margin: 1.5, legacy: legacy)), "loss", ["x", "y", "same"], ["loss"],
        [.scalar], lossWeights: [1])
      try GradientCheck(step: 1 / 512, fixedInputs: ["same"]).run(builder)
    }
  }

  @Test func `probabilities as a second top`() throws {
    var builder = NetBuilder(seed: 5)
    try builder.input("x", [3, 4])
    try builder.input("label", [3], values: [0, 1, 2])
    try builder.add(
      .loss(.softmax(axis: 1, .valid, ignoredLabel: nil)), "loss", ["x", "label"], ["loss", "p"],
      [.scalar, try Shape([3, 4])], lossWeights: [1, 0])
    try builder.add(.softmax(Softmax()), "q", ["x"])
    builder.forcesBackward = false
    let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
    _ = try net.forward()
    #expect(net.blob("p") == net.blob("q"))
  }

  @Test func `a label that is no class`() throws {
    for loss in [
      Loss.softmax(axis: 1, .valid, ignoredLabel: nil), .hinge(squared: false),
      .multinomialLogistic,
    ] {
      var builder = NetBuilder(seed: 6)
      try builder.input("x", [3, 4])
      try builder.input("label", [3], values: [0, 4, 2])
      try builder.add(
        .loss(loss), "loss", ["x", "label"], ["loss"], [.scalar], lossWeights: [1])
      let net = try ExecutedNet(builder.net(), inputs: builder.inputs)
      let error = #expect(throws: Diagnostic.self) { try net.forward() }
      #expect(error?.message.contains("label 4.0 of item 1 is not one of the 4 classes") == true)
    }
  }

  @Test func accuracy() throws {
    func run(_ accuracy: Accuracy, _ scores: [Float], _ labels: [Float]) throws -> [[Float]?] {
      var builder = NetBuilder(seed: 7)
      builder.forcesBackward = false
      try builder.input("x", [labels.count, 3], values: scores)
      try builder.input("label", [labels.count], values: labels)
      try builder.add(
        .accuracy(accuracy), "accuracy", ["x", "label"], ["all", "each"], [.scalar, .vector(3)])
      let net = try ExecutedNet(builder.net(.test), inputs: builder.inputs)
      _ = try net.forward()
      return [net.blob("all"), net.blob("each")]
    }
    let scores: [Float] = [1, 2, 3, 5, 4, 3, 1, 1, 1, 0, 1, 1]
    // Ties count against the label.
    #expect(try run(Accuracy(), scores, [2, 0, 1, 1]) == [[0.5], [1, 0, 1]])
    #expect(try run(Accuracy(top: 2), scores, [1, 2, 1, 1]) == [[0.5], [0, 2 / 3, 0]])
    // Ties go to the larger index.
    #expect(
      try run(Accuracy(tiesGoToLarger: true), scores, [2, 0, 2, 1]) == [[0.75], [1, 0, 1]])
    #expect(
      try run(Accuracy(ignoredLabel: 1), scores, [2, 0, 1, 1]) == [[1], [1, 0, 1]])
  }
}
