import GoldenSupport
import IR
import TestSupport
import Testing

/// Layer by layer, the evaluator against what Caffe computed. Without the shared files there is
/// nothing to compare with, and the suite is disabled.
@Suite(.enabled(if: !GoldenCase.tiny.isEmpty, "needs ../shared/golden"))
struct GoldenTests {
  static let translated = GoldenCase.tiny.filter { GoldenCase.untranslated[$0.name] == nil }

  /// Nets of papers take minutes unoptimised.
  static let isOptimised = !_isDebugAssertConfiguration()

  @Test(arguments: translated)
  func `the evaluator gives Caffe's values`(golden: GoldenCase) throws {
    try Self.expectAgreement(golden)
  }

  @Test(.enabled(if: isOptimised, "too slow without optimisation"), arguments: GoldenCase.real)
  func `the evaluator gives Caffe's values for nets of papers`(golden: GoldenCase) throws {
    try Self.expectAgreement(golden)
  }

  @Test func `nearly all small cases are compared`() {
    #expect(Self.translated.count >= 100)
  }

  @Test(arguments: GoldenCase.tiny.filter { GoldenCase.untranslated[$0.name] != nil })
  func `what is no inference is refused with a reason`(golden: GoldenCase) throws {
    let reason = try #require(GoldenCase.untranslated[golden.name])
    #expect {
      try golden.graph()
    } throws: { error in
      "\(error)".contains(reason)
    }
  }

  private static func expectAgreement(_ golden: GoldenCase) throws {
    let comparison = try GoldenComparison(golden, referenceEngine)
    #expect(comparison.failures == [])
    #expect(comparison.unseen == GoldenCase.leftOut[golden.name] ?? [])
    #expect(!comparison.compared.isEmpty)
  }
}
