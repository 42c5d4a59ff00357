import Testing

@testable import Driver

struct VerificationResultTests {
  private static func result(_ errors: [Double], outputsAreThere: Bool = true)
    -> VerificationResult
  {
    VerificationResult(
      blobs: errors.enumerated().map { index, error in
        VerificationResult.Blob(
          name: "blob\(index)", layer: "layer\(index)", error: error, index: [0, index],
          values: [1, 2])
      }, tolerance: 1e-4, withoutCounterpart: 1, vanished: 2, outputsAreThere: outputsAreThere)
  }

  @Test func `is fine up to the tolerance, and no further`() {
    #expect(Self.result([0, 1e-4]).isOK)
    #expect(!Self.result([0, 1.0001e-4]).isOK)
    #expect(!Self.result([.infinity, 0]).isOK)
    #expect(!Self.result([0], outputsAreThere: false).isOK)
  }

  @Test func `prints the worst blob`() {
    #expect(
      Self.result([1e-6, 0.5, 0]).text == """
        3 blobs compared, 2 of the definition gone or fused, 1 of the compiled network without a \
        counterpart
        worst: blob1 of layer layer1, error 5.0e-01 at [0,1]: 1.0 instead of 2.0
        FAILED: beyond the limit of 1.0e-04

        """)
  }

  @Test func `the document says infinity in words`() throws {
    #expect(
      try Self.result([.infinity]).json() == """
        {
          "blobs" : [
            {
              "error" : "inf",
              "layer" : "layer0",
              "name" : "blob0"
            }
          ],
          "ok" : false,
          "tolerance" : 0.0001,
          "vanished" : 2,
          "worst" : {
            "blob" : "blob0",
            "error" : "inf",
            "expected" : 2,
            "index" : [
              0,
              0
            ],
            "layer" : "layer0",
            "value" : 1
          }
        }

        """)
  }
}
