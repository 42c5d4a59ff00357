import Foundation
import IR
import Testing

@testable import Caffe

/// Matrix Market files, one by one and as a folder.
struct CaffemodelMatrixMarketTests {
  private func read(_ text: String, _ extents: [Int]) throws -> [Float] {
    try MatrixMarket(data: Data(text.utf8), file: "m").tensor(of: Shape(extents)).values
  }

  private func message(_ text: String, _ extents: [Int] = [2, 2]) -> String? {
    do {
      _ = try read(text, extents)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private let array = "%%MatrixMarket matrix array real general\n"
  private let coordinate = "%%MatrixMarket matrix coordinate real general\n"

  @Test func `reads both forms`() throws {
    #expect(try read(array + "2 3\n1\n4\n2\n5\n3\n6\n", [2, 3]) == [1, 2, 3, 4, 5, 6])
    #expect(
      try read(array + "2 4\n1\n5\n2\n6\n3\n7\n4\n8", [2, 1, 2, 2]) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(
      try read(coordinate + "2 3 2\n1 3 -1.5e-1\n2 1 4\n", [2, 3]) == [0, 0, -0.15, 4, 0, 0])
    #expect(try read(coordinate + "2 3 0\n", [2, 3]) == [0, 0, 0, 0, 0, 0])
    let spaced =
      "%%MatrixMarket  MATRIX\tArray Integer General \r\n% a comment\n\n%\n  2\t1 \r\n\n  7\n\n8\r\n\n"
    #expect(try read(spaced, [2]) == [7, 8])
    #expect(try read(array + "1 1\n3", []) == [3])
  }

  @Test func `adds up repeated entries`() throws {
    #expect(try read(coordinate + "1 2 2\n1 2 3\n1 2 4\n", [1, 2]) == [0, 7])
  }

  @Test func `says in one line what is wrong and where`() {
    let cases = [
      ("", "m:1:1: does not start with a line like %%MatrixMarket matrix array real general"),
      (
        "hello\n", "m:1:1: does not start with a line like %%MatrixMarket matrix array real general"
      ),
      (
        "%%MatrixMarket matrix coordinate pattern general\n",
        "m:1:1: a pattern general matrix; only real general ones can be weights"
      ),
      (
        "%%MatrixMarket matrix array real symmetric\n",
        "m:1:1: a real symmetric matrix; only real general ones can be weights"
      ),
      (array, "m:2:1: ends where the number of rows is expected"),
      (array + "2 x\n", "m:2:1: \"x\" where the number of columns is expected"),
      (array + "-2 2\n", "m:2:1: \"-2\" where the number of rows is expected"),
      (array + "2 3\n", "m: is a matrix of 2x3 where a blob [2,2] needs 2x2"),
      (array + "2 2\n1\n2\n", "m: ends too early: 4 entries are announced"),
      (array + "2 2\n1\n2\n3\n", "m:6:1: ends where a value is expected"),
      (array + "2 2\n1\n2\n3   \n   \n", "m:7:1: ends where a value is expected"),
      (array + "2 2\n1\n2\nthree\n4\n", "m:5:1: \"three\" where a value is expected"),
      (array + "2 2\n1\n2\n3\n4\n5\n", "m:7:1: goes on after the last entry"),
      (coordinate + "2 2 1\n3 1 1\n", "m:3:1: entry (3, 1) lies outside 2x2"),
      (coordinate + "2 2 1\n1 0 1\n", "m:3:1: entry (1, 0) lies outside 2x2"),
      (
        coordinate + "2 2 9000000000\n1 1 1\n",
        "m: ends too early: 9000000000 entries are announced"
      ),
      (
        coordinate + "4000000000 4000000000 1\n1 1 1\n",
        "m: is a matrix of 4000000000x4000000000 where a blob [2,2] needs 2x2"
      ),
    ]
    for (text, expected) in cases { #expect(message(text) == expected) }
  }

  @Test func `thousands of random changes never crash it`() {
    var random = SeededGenerator(seed: 3)
    let good = [
      Array((array + "2 2\n1.5\n-2e-3\n3\n4\n").utf8),
      Array((coordinate + "2 2 2\n1 1 5\n2 2 -6\n").utf8),
    ]
    var refused = 0
    for text in good {
      for _ in 0..<2000 {
        var bytes = text
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeLast(bytes.count - at)
        default: bytes.insert(UInt8(ascii: "9"), at: at)
        }
        do {
          _ = try MatrixMarket(data: Data(bytes), file: "m").tensor(of: Shape([2, 2]))
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 500)
  }

  @Test func `a folder brings back every value of a model`() throws {
    var random = SeededGenerator(seed: 9)
    func blob(_ extents: [Int]) throws -> Blob {
      let shape = try Shape(extents)
      let values = (0..<shape.count).map { _ in
        Float.random(in: -1...1, using: &random) * Float.random(in: 0...1e-20, using: &random)
      }
      return Blob(Tensor(shape: shape, values: [0, -0.0] + values.dropFirst(2)))
    }
    let model = Caffemodel(
      name: "",
      layers: [
        LayerBlobs(
          name: "fire2/conv", type: "Convolution", blobs: [try blob([3, 2, 3, 3]), try blob([3])]),
        LayerBlobs(name: "fc", type: "InnerProduct", blobs: [try blob([5, 7])]),
        LayerBlobs(
          name: "bn", type: "BatchNorm", blobs: [try blob([4]), try blob([4]), try blob([2])]),
      ])
    let folder = try TemporaryFolder()
    let (files, findings) = try WeightFolder.write(model, to: folder.path("out"))
    #expect(findings.isEmpty)
    #expect(
      files == [
        "fire2/conv.weight", "fire2/conv_bias.weight", "fc.weight", "bn.weight", "bn_bias.weight",
        "bn_blob2.weight",
      ])
    let layers = model.layers.map {
      WeightFolder.Layer(name: $0.name, type: $0.type, shapes: $0.blobs.map(\.shape))
    }
    let (back, notes) = try WeightFolder.read(folder.path("out"), layers: layers)
    #expect(notes.isEmpty)
    #expect(back == model)
    for (a, b) in zip(back.layers.flatMap(\.blobs), model.layers.flatMap(\.blobs)) {
      #expect(a.values.map(\.bitPattern) == b.values.map(\.bitPattern))
    }
  }

  @Test func `a file looks like those of SSL's Caffe`() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor(shape: try Shape([2, 1, 1, 2]), values: [1, 0.1, -0.0, 3e-9])
    try MatrixMarket.write(tensor, to: folder.path("m"))
    #expect(
      try String(contentsOfFile: folder.path("m"), encoding: .utf8) == """
        %%MatrixMarket matrix array real general
        2 2
                         1.0
                        -0.0
                         0.1
                       3e-09

        """)
  }

  @Test func `a missing bias is zero, other missing blobs are errors`() throws {
    let folder = try TemporaryFolder()
    let weights = Tensor(shape: try Shape([2, 3]), repeating: 1)
    try MatrixMarket.write(weights, to: folder.path("coo_fc.weight"))
    let shapes = [weights.shape, Shape.vector(2)]
    let layer = WeightFolder.Layer(name: "fc", type: "InnerProduct", shapes: shapes)
    let (model, findings) = try WeightFolder.read(folder.path(""), layers: [layer])
    #expect(model.layers[0].blobs.map(\.values) == [weights.values, [0, 0]])
    #expect(findings.map(\.level) == [.note])
    let place = folder.path("")
    let cases = [
      ("fc", "Scale", "layer \"fc\" needs a file fc_bias.weight, which is not there"),
      ("other", "InnerProduct", "layer \"other\" needs a file other.weight, which is not there"),
      ("../fc", "InnerProduct", "the name of layer \"../fc\" can not be that of a file"),
      ("/fc", "InnerProduct", "the name of layer \"/fc\" can not be that of a file"),
    ]
    for (name, type, message) in cases {
      let layer = WeightFolder.Layer(name: name, type: type, shapes: shapes)
      #expect(throws: Diagnostic.error(message, file: place)) {
        _ = try WeightFolder.read(place, layers: [layer])
      }
    }
  }

  @Test func `refuses two blobs in one file`() throws {
    let one = Blob(Tensor(shape: .vector(1), values: [1]))
    let model = Caffemodel(
      name: "",
      layers: [
        LayerBlobs(name: "a", type: "", blobs: [one, one]),
        LayerBlobs(name: "a_bias", type: "", blobs: [one]),
      ])
    let folder = try TemporaryFolder()
    #expect(throws: Diagnostic.self) { _ = try WeightFolder.write(model, to: folder.path("")) }
  }

  @Test(
    .enabled(if: SharedFiles.areThere, "needs the data set ../shared"),
    arguments: ["caffenet_conv_l1", "caffenet_conv_ssl"])
  func `the published matrices are the published caffemodels`(_ name: String) throws {
    let file = "models/\(name)/\(name).caffemodel.gz"
    let model = try Caffemodel(data: SharedFiles.contents(file), file: file)
    let layers = model.layers.filter { !$0.blobs.isEmpty }.map {
      WeightFolder.Layer(name: $0.name, type: $0.type, shapes: $0.blobs.map(\.shape))
    }
    #expect(layers.count == 5)
    func unpack(_ data: Data, _ path: String) throws(Diagnostic) -> Data {
      do {
        return try SharedFiles.contents(String(path.dropFirst(SharedFiles.root.path.count + 1)))
      } catch {
        throw Diagnostic.error("\(error)", file: path)
      }
    }
    let (read, findings) = try WeightFolder.read(
      SharedFiles.path("models/\(name)/weights"), layers: layers, decompress: unpack)
    #expect(findings.isEmpty == (layers[0].shapes.count == 1))
    for layer in read.layers {
      #expect(layer.blobs == model.layer(named: layer.name)?.blobs, "\(layer.name)")
    }
  }
}
