import Caffe
import Driver
import Foundation
import IR
import TestSupport
import Testing

/// Networks of published shapes with random weights: every blob that survives compilation is the
/// reference evaluator's.
@Suite(.serialized, .enabled(if: Workplace.isOptimized, "needs an optimised build"))
struct LargeNetTests {
  struct Case: CustomTestStringConvertible {
    var definition: String
    /// Fewer would mean that blobs are not found any more, and so not compared.
    var fewestBlobs: Int
    var testDescription: String { definition }
  }

  static let cases = [
    Case(
      definition: "models/prototxt/bvlc/models/bvlc_googlenet/deploy.prototxt", fewestBlobs: 80),
    Case(
      definition: "models/prototxt/skimcaffe/models/resnet/ResNet-50-train-val-gesl.prototxt",
      fewestBlobs: 55),
  ]

  @Test(
    .enabled(if: Workplace.has(cases.map(\.definition)), "needs ../shared/models"), arguments: cases
  )
  func `it computes what the reference evaluator does`(net: Case) throws {
    let place = try Workplace()
    let definition = try Workplace.shared(net.definition)
    let weights = place.path("random.caffemodel")
    let graph = try NetworkSource.read(definition: definition, weights: nil).graph
    let patterns = ZeroPattern.allCases.filter { $0 != .everything }
    try RandomWeights(seed: 1, patterns: patterns).model(for: graph).write(to: weights)
    var options = VerificationOptions(
      network: try place.compile(definition, weights).file, definition: definition, weights: weights
    )
    options.threads = 2
    let result = try NetVerification(options).run()
    print(
      "\(net.definition): \(result.blobs.count) blobs compared, \(result.vanished) vanished, "
        + "worst \(result.worst.map { "\($0.name) \($0.error)" } ?? "none")")
    #expect(result.isOK, "\(result.text)")
    #expect(result.blobs.count >= net.fewestBlobs)
    #expect(result.blobs.allSatisfy { blob in blob.values?.allSatisfy(\.isFinite) != false })
  }
}
