import Foundation
import Testing

@testable import Driver

struct BenchmarkResultTests {
  private static let result = BenchmarkResult(
    model: "net.so", cpu: "Z80", batch: 2, threads: 1, runs: 3,
    latencyMs: BenchmarkResult.Latency(seconds: [0.003, 0.001, 0.002]), throughputPerS: 1000,
    layers: [
      BenchmarkResult.Layer(layer, seconds: 0.001, items: 2, total: 0.004)
    ])

  private static let layer = Manifest.Layer(
    name: "conv", type: "Convolution", fused: ["relu"], kernel: "k", reason: "", predictedMs: 0,
    nonzeros: 1, weights: 4, denseMultiplyAdds: 1_000_000, nonzeroMultiplyAdds: 250_000,
    candidates: [], hint: nil, steps: [0])

  @Test func `quantiles lie between neighbours in proportion`() {
    let latency = BenchmarkResult.Latency(seconds: [0.04, 0.01, 0.03, 0.02, 0.05])
    #expect(abs(latency.median - 30) < 1e-9)
    #expect(abs(latency.mean - 30) < 1e-9)
    #expect(abs(latency.p10 - 14) < 1e-9)
    #expect(abs(latency.p90 - 46) < 1e-9)
    #expect(abs(latency.p99 - 49.6) < 1e-9)
    let single = BenchmarkResult.Latency(seconds: [0.5])
    #expect([single.median, single.p10, single.p99] == [500, 500, 500])
  }

  @Test func `counts operations of the whole batch`() {
    let layer = BenchmarkResult.Layer(Self.layer, seconds: 0.001, items: 2, total: 0.004)
    #expect(layer.ms == 1)
    #expect(abs(layer.denseGflop - 0.004) < 1e-12)
    #expect(abs(layer.effectiveGflops - 4) < 1e-9)
    #expect(abs(layer.realGflops - 1) < 1e-9)
    #expect(layer.share == 0.25)
  }

  @Test func `the document has the names of the contract`() throws {
    let json = try JSONSerialization.jsonObject(with: Data(Self.result.json().utf8))
    let document = try #require(json as? [String: Any])
    #expect(
      Set(document.keys) == [
        "model", "cpu", "batch", "threads", "runs", "latency_ms", "throughput_per_s", "layers",
      ])
    let latency = try #require(document["latency_ms"] as? [String: Any])
    #expect(Set(latency.keys) == ["median", "mean", "p10", "p90", "p99"])
    let layers = try #require(document["layers"] as? [[String: Any]])
    #expect(
      Set(layers[0].keys) == [
        "name", "type", "fused", "kernel", "ms", "dense_gflop", "effective_gflops", "real_gflops",
        "share",
      ])
  }

  @Test func `the text ends as users of Caffe know it`() {
    #expect(
      Self.result.text == """
        net.so on Z80: batch 2, 1 thread, 3 runs

        layer      type         kernel      ms   share  dense GFLOP  effective GFLOP/s  real GFLOP/s
        conv+relu  Convolution  k       1.0000  25.0 %       0.0040                4.0           1.0

        Latency: median 2.0000 ms, mean 2.0000 ms, 10 % 1.2000 ms, 90 % 2.8000 ms, 99 % 2.9800 ms
        Throughput: 1000.0 per second
        Average Forward pass: 2.0000 ms.

        """)
  }

  @Test func `SkimCaffe's profile counts cycles and operations per row of input`() throws {
    var result = Self.result
    var layer = BenchmarkResult.Layer(Self.layer, seconds: 0.001, items: 2, total: 0.004)
    layer.count(cyclesPerSecond: 3e9, files: 2)
    result.layers = [layer] + (Self.result.layers ?? [])
    #expect(
      result.text.contains(
        """

        Total-images-processed: 6
        conv K-cycles-per-file 1500.00 mFlops-per-file 2.00 GF/s 4.00 real GF/s 1.00

        Latency: median
        """))
    let json = try JSONSerialization.jsonObject(with: Data(result.json().utf8))
    let layers = try #require((json as? [String: Any])?["layers"] as? [[String: Any]])
    #expect(layers[0]["k_cycles_per_file"] as? Double == 1500)
    #expect(layers[0]["mflops_per_file"] as? Double == 2)
    #expect(layers[1]["k_cycles_per_file"] == nil)
  }

  @Test func `names the CPU as the system does`() {
    let text = "processor\t: 0\nmodel name\t: AMD EPYC: 7003\nmodel name\t: other\n"
    #expect(CPUName.name(inCPUInfo: text) == "AMD EPYC: 7003")
    #expect(CPUName.name(inCPUInfo: "flags: fpu\n") == nil)
  }
}
