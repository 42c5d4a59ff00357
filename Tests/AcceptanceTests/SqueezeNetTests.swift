import Caffe
import Driver
import Foundation
import IR
import Images
import Reference
import Testing

/// SqueezeNet with the weights of Deep Compression, and a thousand pictures: one of each class.
///
/// Needs ../shared and an optimised build. `SPARSEC_ACCEPTANCE_STRIDE=1` compares all pictures with
/// the reference evaluator, which takes ten minutes.
@Suite(.enabled(if: Workplace.has(SqueezeNetFiles.all), "needs ../shared, an optimised build"))
struct SqueezeNetTests {
  @Test func `it classifies a thousand pictures as the reference evaluator does`() throws {
    let place = try Workplace()
    let definition = try Workplace.shared(SqueezeNetFiles.definition)
    let weights = try place.fetch(SqueezeNetFiles.weights)
    let pictures = try place.unpack(SqueezeNetFiles.pictures, into: "pictures")
    let network = try place.compile(definition, weights, batch: 8).file
    let classes = try Self.classes()
    let predictions = try predict(network, pictures)
    try #require(predictions.count == 1000 && classes.count == 1000)

    var firsts = 0
    var fives = 0
    for prediction in predictions {
      let name = URL(fileURLWithPath: prediction.image).lastPathComponent
      let right = try #require(classes[name])
      if prediction.top.first?.index == right { firsts += 1 }
      if prediction.top.contains(where: { $0.index == right }) { fives += 1 }
    }
    print("SqueezeNet: top-1 \(firsts), top-5 \(fives) of \(predictions.count)")
    // Rounding could turn a tie of another machine's kernels; more than one would be a bug.
    #expect(abs(firsts - 625) <= 1)
    #expect(abs(fives - 834) <= 1)

    let wish = ProcessInfo.processInfo.environment["SPARSEC_ACCEPTANCE_STRIDE"]
    let graph = try NetworkSource.read(definition: definition, weights: weights).graph
    try compare(predictions, stride: wish.flatMap(Int.init) ?? 50, with: graph)
  }

  private static func classes() throws -> [String: Int] {
    let text = try String(contentsOfFile: Workplace.shared(SqueezeNetFiles.truth), encoding: .utf8)
    var classes: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      classes[String(words[0])] = Int(words[1])
    }
    return classes
  }

  private func predict(_ network: String, _ pictures: String) throws -> [Prediction] {
    var options = PredictionOptions(network: network)
    options.images = [pictures]
    options.batch = 8
    options.threads = 2
    options.preprocessing.mean = "104,117,123"
    var run = PredictionRun(options)
    var predictions: [Prediction] = []
    run.onPrediction = { predictions.append($0) }
    run.onProblem = { Issue.record("\($0)") }
    _ = try run.run()
    return predictions
  }

  /// The same five classes in the same order, with the same scores but for rounding.
  private func compare(_ predictions: [Prediction], stride: Int, with graph: Graph) throws {
    let evaluator = Evaluator(graph, threads: 2)
    let input = try #require(graph.inputs.first)
    let output = try #require(graph.outputs.first)
    let preprocessing = try Preprocessing(
      channels: 3, height: 227, width: 227, mean: .channels([104, 117, 123]))
    var compared = 0
    var worst: Float = 0
    for place in Swift.stride(from: 0, to: predictions.count, by: stride) {
      let prediction = predictions[place]
      let planes = try preprocessing.planes(
        of: ImageDecoder.decode(contentsOf: prediction.image))
      let outputs = try evaluator.run(
        inputs: [input: Tensor(shape: graph[input].shape, values: planes)])
      let scores = try #require(outputs[output]).values
      let expected = Prediction(image: prediction.image, scores: scores, count: 5, labels: nil)
      #expect(
        prediction.top.map(\.index) == expected.top.map(\.index), "\(prediction.image)")
      for (a, b) in zip(prediction.top, expected.top) {
        let error = abs(a.score - b.score) / (scores.max() ?? 1)
        worst = max(worst, error)
        #expect(error < 1e-5, "\(prediction.image): \(a) for \(b)")
      }
      compared += 1
    }
    print("SqueezeNet: \(compared) predictions compared, largest error of a score \(worst)")
  }
}

/// What the test needs beside the checkout.
enum SqueezeNetFiles {
  static let definition = "models/squeezenet_dc/deploy.prototxt"
  static let weights = "models/squeezenet_dc/squeezenet_dc.caffemodel.gz"
  static let pictures = "data/imagenet-sample/images.tar"
  static let truth = "data/imagenet-sample/val.txt"
  static let all = [definition, weights, pictures, truth]
}
