import Foundation
import IR
import NumPy
import TestSupport
import Testing
import Training

/// Gradients that Caffe computed, at the weights it had.
struct GoldenGradientTests {
  static let folder = SharedFiles.find("golden/training")
  static let cases: [String] = {
    guard let folder else { return [] }
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: "bvlc").path)
    return (names ?? []).sorted().map { "bvlc/\($0)" }
  }()

  /// The net of nearly all cases, tinyA.
  private func tiny() throws -> NetBuilder {
    var builder = NetBuilder(seed: 1)
    builder.forcesBackward = false
    func window(_ kernel: Int, pad: Int, stride: Int = 1) -> Window {
      Window(
        kernel: [kernel, kernel], stride: [stride, stride], pad: [pad, pad], dilation: [1, 1])
    }
    let relu = Operation.elementwise(Elementwise(.relu(slope: 0)))
    try builder.input("data", [16, 1, 14, 14])
    try builder.input("label", [16])
    try builder.add(
      .convolution(Convolution(filters: 8, window: window(5, pad: 2))), "conv1", ["data"])
    try builder.add(
      .pooling(Pooling(reduction: .max, window: window(3, pad: 0, stride: 2))), "pool1", ["conv1"])
    try builder.add(relu, "relu1", ["pool1"], ["pool1"])
    try builder.add(
      .convolution(Convolution(filters: 12, window: window(3, pad: 1), groups: 2)), "conv2",
      ["pool1"])
    try builder.add(relu, "relu2", ["conv2"], ["conv2"])
    try builder.add(
      .pooling(Pooling(reduction: .average, window: window(3, pad: 0, stride: 2))), "pool2",
      ["conv2"])
    try builder.add(.innerProduct(InnerProduct(outputs: 20)), "ip1", ["pool2"])
    try builder.add(relu, "relu3", ["ip1"], ["ip1"])
    try builder.add(.innerProduct(InnerProduct(outputs: 10)), "ip2", ["ip1"])
    try builder.add(
      .loss(.softmax(axis: 1, .valid, ignoredLabel: nil)), "loss", ["ip2", "label"], ["loss"],
      [.scalar], lossWeights: [1])
    return builder
  }

  @Test(.enabled(if: folder != nil), arguments: cases)
  func `gradients of the golden traces`(name: String) throws {
    let folder = try #require(Self.folder)
    let text = try String(
      contentsOf: folder.appending(path: "\(name)/net.prototxt"), encoding: .utf8)
    try #require(text.contains("\"tinyA\""), "another net")
    let data = try NumPyArray.read(contentsOf: folder.appending(path: "data.npy").path)
    let labels = try NumPyArray.read(contentsOf: folder.appending(path: "label.npy").path)
    func archive(_ file: String) throws -> NumPyArchive {
      try NumPyArchive.read(contentsOf: folder.appending(path: "\(name)/\(file)").path)
    }
    let (weights, gradients) = (try archive("weights_all.npz"), try archive("grads_all.npz"))
    let losses = try NumPyArray.read(
      contentsOf: folder.appending(path: "\(name)/loss.npy").path)
    let settings = try String(
      contentsOf: folder.appending(path: "\(name)/solver.prototxt"), encoding: .utf8)
    let passes = settings.contains("iter_size: 2") ? 2 : 1
    let iterations = try #require(gradients["ip1|0"]).shape[0]
    try #require(iterations >= 10)

    let builder = try tiny()
    let source = BatchesOf16(data.values, labels.values)
    let net = try ExecutedNet(
      builder.net(),
      sources: { layer throws(Diagnostic) in
        FixedShapeSource(layer.outputShapes) { top in source.fill(layer.tops[0], top) }
      }, random: RandomSource(seed: 1), threads: 2)
    for iteration in 0..<iterations {
      for parameter in net.parameters {
        let stored = try #require(weights["\(parameter.layer)|\(parameter.index)"])
        for i in 0..<parameter.count {
          parameter.values[i] = stored.values[iteration * parameter.count + i]
          parameter.gradient[i] = 0
        }
      }
      var loss: Float = 0
      source.batch = iteration % 8
      for _ in 0..<passes {
        loss += try net.forward() / Float(passes)
        try net.backward()
      }
      #expect(abs(loss - losses.values[iteration]) < 1e-5, "iteration \(iteration)")
      for parameter in net.parameters {
        let stored = try #require(gradients["\(parameter.layer)|\(parameter.index)"])
        var worst: Float = 0
        for i in 0..<parameter.count {
          let mine = parameter.gradient[i] / Float(passes)
          worst = max(worst, abs(mine - stored.values[iteration * parameter.count + i]))
        }
        #expect(worst < 1e-5, "\(parameter.layer) \(parameter.index) in iteration \(iteration)")
      }
    }
  }
}

/// Sixteen images and labels at a time.
private final class BatchesOf16 {
  var batch = 0
  private let data: [Float]
  private let labels: [Float]

  init(_ data: [Float], _ labels: [Float]) {
    self.data = data
    self.labels = labels
  }

  func fill(_ top: String, _ values: UnsafeMutableBufferPointer<Float>) {
    let all = top == "data" ? data : labels
    for i in values.indices { values[i] = all[batch * values.count + i] }
  }
}

/// Whatever a closure writes.
private final class FixedShapeSource: BatchSource {
  let shapes: [Shape]
  private let fill: (UnsafeMutableBufferPointer<Float>) -> Void

  init(_ shapes: [Shape], fill: @escaping (UnsafeMutableBufferPointer<Float>) -> Void) {
    self.shapes = shapes
    self.fill = fill
  }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    for top in tops { fill(top) }
  }

  var position: [UInt8] { [0] }
  func move(to position: [UInt8]) throws(Diagnostic) {}
}
