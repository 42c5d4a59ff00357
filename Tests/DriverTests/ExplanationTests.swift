import IR
import Testing

@testable import Driver

struct ExplanationTests {
  private static let manifest = Manifest(
    compiler: "sparsec", name: "net", target: "znver3", batch: Manifest.Batch(maximum: 1),
    inputs: [], outputs: [],
    layers: [
      Manifest.Layer(
        name: "conv", type: "Convolution", fused: ["relu"], kernel: "sparse",
        reason: "25 % of the weights are not zero", predictedMs: 0.5, nonzeros: 25, weights: 100,
        denseMultiplyAdds: 0, nonzeroMultiplyAdds: 0,
        candidates: [
          Manifest.Candidate(kernel: "sparse", predictedMs: 0.5),
          Manifest.Candidate(kernel: "dense", predictedMs: 1.25, hinted: true),
          Manifest.Candidate(kernel: "blocked", declined: "blocks are 22 % full"),
        ], hint: "LOWERED", steps: [0, 2]),
      Manifest.Layer(
        name: "pool", type: "Pooling", fused: [], kernel: "pooling", reason: "the only one",
        predictedMs: 0.25, nonzeros: 0, weights: 0, denseMultiplyAdds: 0, nonzeroMultiplyAdds: 0,
        candidates: [Manifest.Candidate(kernel: "pooling", predictedMs: 0.25)], steps: [1]),
    ],
    removed: [Manifest.Removed(name: "drop", type: "Dropout", by: "tidy", reason: "idle")],
    folded: [
      Manifest.Remark(
        name: "conv", type: "Convolution", by: "fold", what: "2 channels became part of its bias"),
      Manifest.Remark(name: "relu", type: "ReLU", by: "drop", what: "lost 1 channel"),
      Manifest.Remark(name: "other", type: "ReLU", by: "drop", what: "lost 2 channels"),
    ],
    kept: [
      Manifest.Remark(name: "pool", type: "Pooling", by: "drop", what: "it is an output")
    ], passes: [], memory: Manifest.Memory(arenaBytes: 0, weightBytes: 0, sourceWeightBytes: 0),
    notes: [])

  @Test func `names the winner, its reason and what became of the others`() throws {
    let explanation = try Explanation(Self.manifest, layer: nil, file: "net.so")
    #expect(
      explanation.text == """
        conv (Convolution) with relu: sparse
          25 % of the weights are not zero
          25 of 100 weights are not zero (25.0 %)
          the prototxt asked for LOWERED: dense is predicted to take 2.50 times as long
          fold: 2 channels became part of its bias
          drop: lost 1 channel
          candidate  predicted ms  measured ms  verdict
          sparse           0.5000            -  chosen
          dense            1.2500            -  predicted to be slower
          blocked               -            -  declined: blocks are 22 % full

        pool (Pooling): pooling
          the only one
          not changed by drop: it is an output
          candidate  predicted ms  measured ms  verdict
          pooling          0.2500            -  chosen

        """)
  }

  @Test func `says what became of a layer that is gone`() {
    #expect(throws: Diagnostic.error("layer drop was removed by tidy: idle", file: "net.so")) {
      try Explanation(Self.manifest, layer: "drop", file: "net.so")
    }
    #expect(throws: Diagnostic.error("it has no layer fc9", file: "net.so")) {
      try Explanation(Self.manifest, layer: "fc9", file: "net.so")
    }
  }

  @Test func `a layer's time is that of all its steps`() {
    #expect(Self.manifest.layerSeconds([1, 10, 100]) == [101, 10])
  }
}
