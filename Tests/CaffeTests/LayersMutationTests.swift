import Foundation
import IR
import Testing

@testable import Caffe

/// Needs the golden nets beside the checkout, as the texts to damage.
@Suite(.enabled(if: SharedFiles.areThere, "../shared/golden is missing"))
struct LayersMutationTests {
  /// Numbers and words that layers do not expect where they find them.
  private static let spice = [
    "0", "1", "2", "3", "-1", "7", "99", "4294967295", "2147483647", "-2147483648", "nan", "inf",
    "\"x\"", "\"data\"", "\"out\"", "\"a\"", "true", "MAX",
  ]

  @Test(.timeLimit(.minutes(3)))
  func `damaged nets lower to sound graphs or are refused with one line`() throws {
    var random = SeededGenerator(seed: 3)
    let folder = "golden/inference/tiny"
    let texts = try SharedFiles.prototxts(in: folder).map {
      try String(contentsOfFile: SharedFiles.path(folder, $0), encoding: .utf8)
    }
    var options = NetReader.Options()
    options.weightsOptional = true
    var accepted = 0
    var refused = 0
    for round in 0..<6000 {
      var words = texts[round % texts.count].split(separator: " ").map(String.init)
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let place = Int.random(in: 0..<words.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: words.remove(at: place)
        case 1: words.insert(words[place], at: Int.random(in: 0...words.count, using: &random))
        case 2: words.swapAt(place, Int.random(in: 0..<words.count, using: &random))
        default:
          let isNumber = Double(words[place]) != nil || words[place].hasPrefix("\"")
          if isNumber { words[place] = Self.spice.randomElement(using: &random) ?? "0" }
        }
        if words.isEmpty { words = ["x"] }
      }
      do {
        let prototxt = try Prototxt.parse(
          text: words.joined(separator: " "), file: "f", as: .net, allowUnknownFields: true)
        let net = try NetReader.read(prototxt, options: options)
        try net.graph.verify()
        accepted += 1
      } catch let error as Diagnostic {
        #expect(error.level == .error && !error.description.contains("\n"))
        refused += 1
      }
    }
    #expect(accepted > 500 && refused > 500)
  }
}
