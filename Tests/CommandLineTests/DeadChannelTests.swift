import Foundation
import IR
import NumPy
import Testing

/// What the commands say about a net of which the compiler removes a channel: its second filter is zero, and
/// leaves 2 behind the ReLU, which the padded third layer reads.
struct DeadChannelTests {
  let workplace: Workplace
  private static let files = ["net.prototxt", "net.caffemodel"]

  init() throws {
    workplace = try Workplace()
    try workplace.write(
      """
      name: "dead"
      layer {
        name: "data" type: "Input" top: "data"
        input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } }
      }
      layer {
        name: "first" type: "Convolution" bottom: "data" top: "first"
        convolution_param { num_output: 3 kernel_size: 1 }
      }
      layer { name: "rectify" type: "ReLU" bottom: "first" top: "first" }
      layer {
        name: "second" type: "Convolution" bottom: "first" top: "second"
        convolution_param { num_output: 2 kernel_size: 3 pad: 1 }
      }
      layer { name: "idle" type: "Dropout" bottom: "second" top: "second" }

      """, "net.prototxt")
    let values = (0..<2 * 3 * 9).map { Float($0 % 5) - 1.5 }
    try workplace.write(
      weights: [
        (
          "first", "Convolution",
          [
            Tensor(shape: try Shape([3, 1, 1, 1]), values: [1, 0, -1]),
            Tensor(shape: .vector(3), values: [0.5, 2, 0.25]),
          ]
        ),
        (
          "second", "Convolution",
          [
            Tensor(shape: try Shape([2, 3, 3, 3]), values: values),
            Tensor(shape: .vector(2), values: [1, -1]),
          ]
        ),
      ], "net.caffemodel")
  }

  private func compile(_ options: String...) throws -> Outcome {
    try workplace.sparsec(["compile"] + Self.files + ["-o", "net.so"] + options)
  }

  @Test func `compile ends with what was saved, and inspect shows it again`() throws {
    let outcome = try compile("--report", "report.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let inspected = try workplace.sparsec("inspect", "net.so").output
    let lines = outcome.output.split(separator: "\n").map { line in
      line.split(separator: " ").map(String.init)
    }
    func row(_ name: String) throws -> [String] {
      try #require(lines.last { $0.first == name }, "\(outcome.output)")
    }
    for line in outcome.output.split(separator: "\n").dropLast() {
      #expect(inspected.contains(line))
    }
    #expect(try row("idle").prefix(3) == ["idle", "Dropout", "remove-identities"])
    #expect(try row("drop-unread-channels")[2...3] == ["1", "1"])
    // The third of the first layer's and of the second layer's 48 and 864 multiply-adds.
    #expect(try row("drop-unread-channels")[5] == "304")
    #expect(try row("of") == ["of", "all", "4", "5", "4", "28", "912", "248", "B"])
    let json = try JSONSerialization.jsonObject(with: Data(workplace.bytes("report.json")))
    let report = try #require(json as? [String: Any])
    let source = try #require(report["source"] as? [String: Int])
    #expect(
      source == [
        "layers": 4, "filters": 5, "channels": 4, "columns": 28, "multiply_adds": 912, "bytes": 248,
      ])
    let folded = try #require(report["folded"] as? [[String: String]])
    let fold = try #require(folded.first { $0["by"] == "fold-constant-channels" })
    #expect(fold["name"] == "second")
    #expect(fold["type"] == "Convolution")
    #expect(fold["what"]?.isEmpty == false)
    let reduced = try #require(report["reduced"] as? [[String: Any]])
    #expect(reduced.map { $0["blob"] as? String } == ["first"])
    #expect(reduced.map { $0["layer"] as? String } == ["rectify"])
    #expect(reduced.map { $0["channels"] as? [Int] } == [[0, 2]])
    #expect(reduced.map { $0["of"] as? Int } == [3])
    let explained = try workplace.sparsec("explain", "net.so", "--layer", "second").output
    #expect(explained.contains("  fold-constant-channels: \(fold["what"] ?? "")\n"))
  }

  @Test func `verify compares the channels that are left`() throws {
    _ = try compile()
    let outcome = try workplace.sparsec(["verify", "net.so"] + Self.files)
    #expect(outcome.status == 0, "\(outcome.errors)\(outcome.output)")
    #expect(outcome.output.contains(", 1 of them in the channels that are left, "))
    let json = try workplace.sparsec(["verify", "net.so"] + Self.files + ["--format", "json"])
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let blobs = try #require(document["blobs"] as? [[String: Any]])
    let first = try #require(blobs.first { $0["name"] as? String == "first" })
    #expect(first["channels"] as? [String: Int] == ["compared": 2, "of": 3])
  }

  @Test func `verify tells where a difference is in the definition's blob`() throws {
    _ = try compile()
    // The third filter is another one: the second channel that is left.
    try workplace.write(
      weights: [
        (
          "first", "Convolution",
          [
            Tensor(shape: try Shape([3, 1, 1, 1]), values: [1, 0, -1]),
            Tensor(shape: .vector(3), values: [0.5, 2, 4.25]),
          ]
        ),
        (
          "second", "Convolution",
          [
            Tensor(shape: try Shape([2, 3, 3, 3]), repeating: 0),
            Tensor(shape: .vector(2), values: [1, -1]),
          ]
        ),
      ], "other.caffemodel")
    try workplace.write(
      NumPyArray(shape: [1, 1, 4, 4], values: [Float](repeating: 0, count: 16)), "x.npy")
    let outcome = try workplace.sparsec(
      "verify", "net.so", "net.prototxt", "other.caffemodel", "--input", "x.npy", "--format",
      "json")
    #expect(outcome.status == 2)
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let blobs = try #require(document["blobs"] as? [[String: Any]])
    let first = try #require(blobs.first { $0["name"] as? String == "first" })
    // 0.25 instead of 4.25.
    #expect(first["error"] as? Double == 4 / 4.25)
  }

  @Test func `blobs that lost channels are not written, and the user hears of it`() throws {
    try workplace.write(
      NumPyArray(shape: [1, 1, 4, 4], values: [Float](repeating: 1, count: 16)), "x.npy")
    let run = ["run", "net.so", "--input", "x.npy", "--output", "o.npz", "--blobs"]
    _ = try compile()
    let outcome = try workplace.sparsec(run)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors == """
        note: 1 blob that has lost channels is left out; `compile --disable-pass \
        drop-unread-channels` keeps it

        """)
    let written = try NumPyArchive.read(contentsOf: workplace.path("o.npz"))
    #expect(Set(written.keys) == ["data", "second"])

    _ = try compile("--disable-pass", "drop-unread-channels")
    let whole = try workplace.sparsec(run)
    #expect(whole.errors.isEmpty)
    let all = try NumPyArchive.read(contentsOf: workplace.path("o.npz"))
    #expect(Set(all.keys) == ["data", "first", "second"])
    #expect(all["first"]?.values[16...].prefix(16).allSatisfy { $0 == 2 } == true)
    #expect(all["second"] == written["second"])
  }
}
