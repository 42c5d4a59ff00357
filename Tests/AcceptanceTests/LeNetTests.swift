import Driver
import Foundation
import IR
import Reference
import SparsecRuntime
import TestSupport
import Testing

/// The LeNets of dynamic network surgery, dense and pruned, on the ten thousand digits of MNIST's
/// test set.
@Suite(.enabled(if: Workplace.has(Digits.files), "needs ../shared/data and an optimised build"))
struct LeNetTests {
  struct Case: CustomTestStringConvertible {
    var folder: String
    var definition: String
    var weights: String
    /// The blob with a score for each digit.
    var scores: String
    /// The mistakes that the README beside the weights counts.
    var mistakes: Int

    var testDescription: String { weights }
  }

  // The published definition of LeNet-300-100 applies Softmax to ip2; ip3 has the digits.
  static let cases = [
    Case(
      folder: "models/lenet5", definition: "lenet5.prototxt",
      weights: "caffe_lenet5_sparse.caffemodel", scores: "prob", mistakes: 91),
    Case(
      folder: "models/lenet5", definition: "lenet5.prototxt",
      weights: "caffe_lenet5_original.caffemodel", scores: "prob", mistakes: 91),
    Case(
      folder: "models/lenet300100", definition: "lenet300100.prototxt",
      weights: "caffe_lenet300100_sparse.caffemodel", scores: "ip3", mistakes: 199),
    Case(
      folder: "models/lenet300100", definition: "lenet300100.prototxt",
      weights: "caffe_lenet300100_original.caffemodel", scores: "ip3", mistakes: 228),
  ].filter { SharedFiles.find("\($0.folder)/\($0.weights)") != nil }

  @Test(arguments: cases)
  func `it takes every digit for what the reference evaluator does`(net: Case) throws {
    let place = try Workplace()
    let definition = try Workplace.shared("\(net.folder)/\(net.definition)")
    let weights = try Workplace.shared("\(net.folder)/\(net.weights)")
    let digits = try Digits(place)
    try #require(digits.labels.count == 10_000)
    let graph = try NetworkSource.read(definition: definition, weights: weights).graph
    let network = try Model(path: place.compile(definition, weights, batch: Self.batch).file)
    let output = try #require(network.outputs.firstIndex { $0.name == net.scores })
    let input = try #require(graph.inputs.first)
    let score = try #require(graph.outputs.first { graph[$0].name == net.scores })
    let evaluator = try Evaluator(graph, items: Self.batch, threads: 2)
    var context = try network.makeContext(threads: 2, batch: Self.batch)

    var compiledMistakes = 0
    var referenceMistakes = 0
    var differences = 0
    for start in stride(from: 0, to: digits.labels.count, by: Self.batch) {
      let pixels = digits.pixels(start..<start + Self.batch)
      let results = try context.run(items: Self.batch, inputs: [pixels])[output]
      let shape = try Shape([Self.batch] + graph[input].shape.extents.dropFirst())
      let reference = try evaluator.run(
        inputs: [input: Tensor(shape: shape, values: pixels)])
      let expected = try #require(reference[score]).values
      for item in 0..<Self.batch {
        let ours = Self.digit(results[item * 10..<item * 10 + 10])
        let theirs = Self.digit(expected[item * 10..<item * 10 + 10])
        let truth = digits.labels[start + item]
        if ours != theirs { differences += 1 }
        if ours != truth { compiledMistakes += 1 }
        if theirs != truth { referenceMistakes += 1 }
      }
    }
    print(
      "\(net.weights): \(compiledMistakes) mistakes, reference \(referenceMistakes), "
        + "\(differences) of \(digits.labels.count) predictions differ")
    #expect(differences == 0)
    #expect(compiledMistakes == net.mistakes)
    #expect(referenceMistakes == net.mistakes)
  }

  private static let batch = 100

  private static func digit(_ scores: ArraySlice<Float>) -> Int {
    var best = scores.startIndex
    for index in scores.indices where scores[index] > scores[best] { best = index }
    return best - scores.startIndex
  }
}

/// MNIST's test set, from its IDX files.
struct Digits {
  static let files = [
    "data/mnist/t10k-images-idx3-ubyte.gz", "data/mnist/t10k-labels-idx1-ubyte.gz",
  ]

  private let images: [UInt8]
  let labels: [Int]

  init(_ place: borrowing Workplace) throws {
    // Headers of four numbers and of two, each of four bytes.
    images = Array(
      try Data(contentsOf: URL(fileURLWithPath: place.fetch(Self.files[0]))).dropFirst(16))
    labels = try Data(contentsOf: URL(fileURLWithPath: place.fetch(Self.files[1]))).dropFirst(8)
      .map { Int($0) }
    try #require(images.count == labels.count * 784)
  }

  /// The pixels of some digits, times 1/256.
  func pixels(_ range: Range<Int>) -> [Float] {
    images[range.lowerBound * 784..<range.upperBound * 784].map { Float($0) / 256 }
  }
}
