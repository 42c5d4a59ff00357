import GoldenSupport
import TestSupport
import Testing

/// Compiled networks against what Caffe computed, blob by blob, as far as blobs survive compilation.
@Suite(.enabled(if: !GoldenCase.tiny.isEmpty, "needs ../shared/golden"))
struct CompiledGoldenTests {
  static let translated = GoldenCase.tiny.filter { GoldenCase.untranslated[$0.name] == nil }

  @Test(arguments: translated)
  func `a compiled network gives Caffe's values`(golden: GoldenCase) throws {
    try expectAgreement(golden, CompiledEngine(threads: 2))
  }

  @Test(arguments: GoldenCase.real)
  func `a compiled network of a paper gives Caffe's values`(golden: GoldenCase) throws {
    try expectAgreement(golden, CompiledEngine(threads: 2))
  }

  private func expectAgreement(_ golden: GoldenCase, _ engine: CompiledEngine) throws {
    let comparison = try GoldenComparison(golden) { try engine($0, $1) }
    #expect(comparison.failures == [])
    #expect(!comparison.compared.isEmpty)
  }
}
