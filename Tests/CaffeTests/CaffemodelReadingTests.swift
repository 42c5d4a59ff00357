import Foundation
import IR
import Testing

@testable import Caffe

/// Every way of writing the same parameters reads as the same model.
struct CaffemodelReadingTests {
  private let values: [Float] = [1, -2, 0.5, -0.0, 5, 6]

  private func read(_ wire: Wire) throws -> Caffemodel {
    try Caffemodel(data: wire.data, file: "net.caffemodel")
  }

  private func onlyBlob(_ blob: Wire) throws -> Blob {
    let model = try read(Wire.net([Wire.layer("fc", "InnerProduct", [blob])]))
    return try #require(model.layer(named: "fc")?.blobs.first)
  }

  private func message(_ wire: Wire) -> String? {
    do {
      _ = try read(wire)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func `reads a current layer`() throws {
    let model = try read(Wire.net([Wire.layer("fc", "InnerProduct", [.blob([2, 3], values)])]))
    #expect(model.name == "net")
    #expect(model.generation == .current)
    #expect(model.warnings.isEmpty)
    let layer = try #require(model.layers.first)
    #expect(layer.type == "InnerProduct")
    #expect(layer.blobs == [Blob(Tensor(shape: try Shape([2, 3]), values: values))])
    #expect(layer.blobs[0].values.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func `packed, unpacked, split and mixed arrays are the same`() throws {
    let shape = Wire().shape([2, 3])
    let forms = [
      shape.packed(5, values), shape.unpacked(5, values),
      shape.packed(5, Array(values[..<2])).packed(5, Array(values[2...])),
      shape.unpacked(5, [values[0]]).packed(5, Array(values[1..<4])).unpacked(
        5, Array(values[4...])),
      shape.packed(5, []).packed(5, values),
      Wire().packed(5, values).shape([2, 3]),
      Wire().message(7, Wire().number(1, 2).number(1, 3)).packed(5, values),
      Wire().message(7, Wire().number(1, 2)).message(7, Wire().number(1, 3)).packed(5, values),
      shape.packedDoubles(8, values.map(Double.init)),
      shape.unpackedDoubles(8, values.map(Double.init)),
      // Doubles win over floats, as in Caffe.
      shape.packed(5, [0, 0, 0, 0, 0, 0]).packedDoubles(8, values.map(Double.init)),
      // Gradients are dropped, packed or not.
      shape.packed(5, values).packed(6, [9, 9]).unpacked(6, [9]).packedDoubles(9, [9]),
    ]
    for form in forms {
      #expect(try onlyBlob(form) == Blob(Tensor(shape: try Shape([2, 3]), values: values)))
    }
  }

  @Test func `rounds doubles to the nearest float`() throws {
    let blob = try onlyBlob(Wire().shape([1]).packedDoubles(8, [0.1]))
    #expect(blob.values == [Float(0.1)])
  }

  @Test func `an empty shape is a single value`() throws {
    #expect(try onlyBlob(Wire().packed(5, [3])).shape == .scalar)
    #expect(try onlyBlob(Wire().shape([]).packed(5, [3])).shape == .scalar)
  }

  @Test func `any of the four old extents makes the shape an old one`() throws {
    let old = Wire().number(1, 1).number(2, 1).number(3, 2).number(4, 3).packed(5, values)
    let blob = try onlyBlob(old.shape([6]))
    #expect(blob.isLegacy)
    #expect(blob.shape == (try Shape([1, 1, 2, 3])))
    let lacking = Wire.net([Wire.layer("fc", "", [Wire().number(4, 6).packed(5, values)])])
    #expect(
      message(lacking)
        == "net.caffemodel: layer \"fc\", blob 0: shape [0,0,0,6] has an extent of 0")
  }

  @Test func `skips fields of every kind that it does not know`() throws {
    var group = Wire()
    group.tag(200, 3)
    group = group.number(1, 7).text(2, "x").unpacked(3, [1]).unpackedDoubles(4, [1])
    group.tag(200, 4)
    var blob = Wire.blob([2, 3], values)
    blob.bytes += group.bytes
    let noise = Wire().number(12, 1).text(140, "gamma").unpacked(141, [1]).unpackedDoubles(147, [2])
    var layer = Wire.layer("fc", "CInnerProduct", [blob])
    layer.bytes += noise.bytes + group.bytes
    var net = Wire.net([layer])
    net.bytes += noise.bytes + group.bytes
    let read = try read(net)
    #expect(read.layers.count == 1)
    #expect(read.layers[0].blobs == [Blob(Tensor(shape: try Shape([2, 3]), values: values))])
  }

  @Test func `reads the generation V1`() throws {
    let blob = Wire().number(1, 1).number(2, 1).number(3, 2).number(4, 3).packed(5, values)
    let net = Wire().text(1, "old")
      .message(2, Wire().text(4, "c").number(5, 4).message(6, blob))
      .message(2, Wire().text(4, "d").number(5, 39))
      .message(2, Wire().text(4, "e").number(5, 77))
    let model = try read(net)
    #expect(model.generation == .v1)
    #expect(model.layers.map(\.name) == ["c", "d", "e"])
    #expect(model.layers.map(\.type) == ["Convolution", "Deconvolution", "V1 type 77"])
    #expect(model.layers[0].blobs[0].values == values)
  }

  @Test func `reads the generation V0`() throws {
    let blob = Wire().number(1, 1).number(2, 1).number(3, 2).number(4, 3).unpacked(5, values)
    let inner = Wire().text(1, "ip").text(2, "innerproduct").message(50, blob)
    let model = try read(Wire().message(2, Wire().message(1, inner).text(2, "bottom")))
    #expect(model.generation == .v0)
    #expect(model.layers.map(\.type) == ["InnerProduct"])
    #expect(model.layer(named: "ip")?.blobs[0].values == values)
  }

  @Test func `old layers win over new ones, with a warning`() throws {
    let both = Wire().message(2, Wire().text(4, "old")).message(100, Wire.layer("new", "ReLU", []))
    let model = try read(both)
    #expect(model.layers.map(\.name) == ["old"])
    #expect(model.warnings.count == 1)
  }

  @Test func `the last of several layers of a name counts`() throws {
    let net = Wire.net([
      Wire.layer("a", "", [.blob([1], [1])]), Wire.layer("a", "", [.blob([1], [2])]),
    ])
    #expect(try read(net).layer(named: "a")?.blobs[0].values == [2])
    #expect(try read(net).layer(named: "b") == nil)
  }

  @Test func `says in one line what is wrong`() {
    func net(_ blob: Wire) -> Wire { Wire.net([Wire.layer("fc", "InnerProduct", [blob])]) }
    let cases: [(Wire, String)] = [
      (Wire(), "is empty; it should be a binary caffemodel"),
      (Wire().text(1, "only a name"), "has no layers; is it a binary caffemodel?"),
      (
        net(.blob([2, 3], [1])),
        "layer \"fc\", blob 0: shape [2,3] wants 6 values, but 1 are stored"
      ),
      (net(.blob([-1, 3], [1])), "layer \"fc\", blob 0: shape [-1,3] has an extent of -1"),
      (
        net(.blob([10_000_000_000], [1])),
        "layer \"fc\", blob 0: shape [10000000000] has more than 2147483647 elements"
      ),
      (
        net(.blob([Int.max, Int.max], [1])),
        "layer \"fc\", blob 0: shape [\(Int.max),\(Int.max)] has more than 2147483647 elements"
      ),
      (
        net(.blob([Int](repeating: 1, count: 33), [1])),
        "layer \"fc\", blob 0: a shape of 33 axes; at most 32 are possible"
      ),
      (
        net(.blob([Int](repeating: 1, count: 5000), [1])),
        "is not a binary caffemodel, or is damaged: a shape of more than 500 axes, at byte 33 in layer \"fc\""
      ),
      (
        net(Wire().shape([1]).run(5, [1, 2, 3])),
        "is not a binary caffemodel, or is damaged: an array of 3 bytes, at byte 35 in layer \"fc\""
      ),
      (
        Wire(bytes: Array("name: \"LeNet\"\nlayer {\n}\n".utf8)),
        "is text where a binary caffemodel is expected; are two files swapped?"
      ),
      (
        Wire.net([Wire.layer("two\nlines", "", [.blob([2], [1])])]),
        "layer \"two\\nlines\", blob 0: shape [2] wants 2 values, but 1 are stored"
      ),
      (Wire(bytes: [0x1f, 0x8b, 8, 0]), "is compressed; unpack it with gzip -dk first"),
      (
        Wire(bytes: Array("version https://git-lfs.github.com/spec/v1".utf8)),
        "is a Git LFS pointer, not the file itself; fetch it with git lfs pull"
      ),
      (
        Wire(bytes: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
        "is an HDF5 file, which sparsec does not read; "
          + "let Caffe write it with snapshot_format: BINARYPROTO"
      ),
      (
        Wire.net([Wire().run(1, [0xff, 0xfe])]),
        "is damaged: a name in it is not valid UTF-8 text"
      ),
    ]
    for (wire, expected) in cases { #expect(message(wire) == "net.caffemodel: \(expected)") }
  }

  @Test func `refuses messages that would take far more memory than the file`() {
    let many = Wire(bytes: Array(repeatElement([0xa2, 0x06, 0], count: 200_000).joined()))
    #expect(message(many)?.contains("more than 100000 layers and blobs") == true)
    // Five thousand pieces of one array behind a large one.
    var blob = Wire().shape([1]).run(5, [UInt8](repeating: 0, count: 4_000_000))
    blob.bytes += Array(repeatElement([0x2a, 4, 0, 0, 0, 0], count: 5000).joined())
    #expect(
      message(Wire.net([Wire.layer("a", "", [blob])]))?.contains("in too many pieces") == true)
  }

  @Test func `reads from a pipe and through a link`() throws {
    let folder = try TemporaryFolder()
    let wire = Wire.net([Wire.layer("fc", "InnerProduct", [.blob([2, 3], values)])])
    let expected = try read(wire)
    try wire.data.write(to: URL(fileURLWithPath: folder.path("a")))
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("b"), withDestinationPath: folder.path("a"))
    #expect(try Caffemodel(contentsOf: folder.path("b")) == expected)
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: wire.data)
    try pipe.fileHandleForWriting.close()
    let number = pipe.fileHandleForReading.fileDescriptor
    #expect(try Caffemodel(contentsOf: "/dev/fd/\(number)") == expected)
  }

  @Test func `names a missing file and a folder`() {
    #expect(throws: Diagnostic.error("there is no such file", file: "no/such.caffemodel")) {
      try Caffemodel(contentsOf: "no/such.caffemodel")
    }
    #expect(throws: Diagnostic.error("is a folder where a file is expected", file: "/")) {
      try Caffemodel(contentsOf: "/")
    }
  }
}
