import Foundation
import IR
import Testing

@testable import Caffe

/// What is written reads back as the same bits, in Caffe's current format.
struct CaffemodelWritingTests {
  private func blob(_ extents: [Int], _ values: [Float], isLegacy: Bool = false) throws -> Blob {
    Blob(Tensor(shape: try Shape(extents), values: values), isLegacy: isLegacy)
  }

  @Test func `writes current layers with packed values and explicit zeros`() throws {
    let model = Caffemodel(
      name: "net",
      layers: [
        LayerBlobs(name: "fc", type: "InnerProduct", blobs: [try blob([1, 2], [0, -0.0])])
      ])
    // name, then layer { name type blobs { data shape { dim } } }, fields in ascending order.
    let expected = Wire().text(1, "net").message(
      100,
      Wire().text(1, "fc").text(2, "InnerProduct").message(
        7, Wire().packed(5, [0, -0.0]).message(7, Wire().run(1, [1, 2]))))
    #expect(try model.serialized(file: "f") == expected.data)
  }

  @Test func `an old shape stays one`() throws {
    let old = try blob([1, 1, 1, 2], [3, 4], isLegacy: true)
    let model = Caffemodel(name: "", layers: [LayerBlobs(name: "p", type: "PReLU", blobs: [old])])
    let expected = Wire().message(
      100,
      Wire().text(1, "p").text(2, "PReLU").message(
        7, Wire().number(1, 1).number(2, 1).number(3, 1).number(4, 2).packed(5, [3, 4])))
    #expect(try model.serialized(file: "f") == expected.data)
    #expect(try Caffemodel(data: model.serialized(file: "f"), file: "f") == model)
  }

  @Test func `random models come back bit by bit`() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<100 {
      let layers = try (0..<Int.random(in: 1...4, using: &random)).map { index in
        let blobs = try (0..<Int.random(in: 0...4, using: &random)).map { _ in
          let extents = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            Int.random(in: 1...4, using: &random)
          }
          let shape = try Shape(extents)
          let values = (0..<shape.count).map { _ in
            Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
          }
          return try blob(extents, values)
        }
        return LayerBlobs(name: "layer/\(index)", type: "T\(index)", blobs: blobs)
      }
      let model = Caffemodel(name: "n", layers: layers)
      let back = try Caffemodel(data: model.serialized(file: "f"), file: "f")
      #expect(back.layers.map(\.name) == layers.map(\.name))
      for (a, b) in zip(back.layers, layers) {
        #expect(a.blobs.map(\.shape) == b.blobs.map(\.shape))
        #expect(
          a.blobs.map { $0.values.map(\.bitPattern) }
            == b.blobs.map { $0.values.map(\.bitPattern) })
      }
    }
  }

  @Test func `an output file appears whole or not at all`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.caffemodel")
    let model = Caffemodel(name: "a", layers: [LayerBlobs(name: "x", type: "ReLU", blobs: [])])
    try model.write(to: path)
    try model.write(to: path)
    #expect(try Caffemodel(contentsOf: path) == model)
    struct Full: Error {}
    #expect(throws: Diagnostic.error("can not be written; is the disk full?", file: path)) {
      try WholeFile.create(path) { handle in
        try handle.write(contentsOf: Data([1, 2, 3]))
        throw Full()
      }
    }
    #expect(try Caffemodel(contentsOf: path) == model)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path("")) == ["a.caffemodel"])
    #expect(throws: Diagnostic.self) { try model.write(to: folder.path("no/such/folder/b")) }
    #expect(throws: Diagnostic.self) { try model.write(to: folder.path("")) }
  }

  @Test func `an upgrade gives old blobs the shapes that their layers mean`() throws {
    let conv = Wire().text(4, "c").number(5, 4)
      .message(6, old([2, 3, 1, 1], [1, 2, 3, 4, 5, 6])).message(6, old([1, 1, 1, 2], [7, 8]))
    let fc = Wire().text(4, "f").number(5, 14)
      .message(6, old([1, 1, 2, 3], [1, 2, 3, 4, 5, 6])).message(6, old([1, 1, 1, 2], [7, 8]))
    let power = Wire().text(4, "p").number(5, 26).message(6, old([1, 1, 1, 2], [1, 2]))
    let wire = Wire().message(2, conv).message(2, fc).message(2, power)
    let model = try Caffemodel(data: wire.data, file: "f")
    let upgraded = model.upgraded()
    let back = try Caffemodel(data: upgraded.serialized(file: "f"), file: "f")
    #expect(back == upgraded)
    #expect(back.generation == .current)
    #expect(back.layers.map(\.type) == ["Convolution", "InnerProduct", "Power"])
    #expect(
      back.layers.map { $0.blobs.map(\.shape.extents) } == [
        [[2, 3, 1, 1], [2]], [[2, 3], [2]], [[1, 1, 1, 2]],
      ])
    #expect(back.layers[2].blobs[0].isLegacy)
    #expect(
      back.layers.flatMap(\.blobs).map(\.values) == model.layers.flatMap(\.blobs).map(\.values))
    #expect(upgraded.upgraded() == upgraded)
  }

  @Test func `an upgrade drops the padding layers of V0`() throws {
    let wire = Wire()
      .message(2, Wire().message(1, Wire().text(1, "pad1").text(2, "padding")))
      .message(2, Wire().message(1, Wire().text(1, "conv1").text(2, "conv")))
    let model = try Caffemodel(data: wire.data, file: "f")
    #expect(model.layers.map(\.name) == ["pad1", "conv1"])
    #expect(model.upgraded().layers.map(\.type) == ["Convolution"])
  }

  private func old(_ extents: [Int], _ values: [Float]) -> Wire {
    extents.enumerated()
      .reduce(Wire()) { $0.number(UInt64($1.offset + 1), $1.element) }.packed(5, values)
  }
}

/// A folder that is removed with the last reference to it.
final class TemporaryFolder {
  private let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String {
    name.isEmpty ? url.path : url.appendingPathComponent(name).path
  }
}
