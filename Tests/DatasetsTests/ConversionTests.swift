import CZlib
import Foundation
import IR
import TestSupport
import Testing

@testable import Datasets

/// Records of databases as Caffe's converters make them, byte by byte.
struct ConversionTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func converted(_ name: String = "out", _ body: (LMDBWriter) throws -> Int) throws -> Int {
    let folder = scratch.path(name)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    return try body(LMDBWriter(folder: folder, name: name))
  }

  /// All records of the database that was made.
  private func records(_ name: String = "out") throws -> [(key: String, value: [UInt8])] {
    let cursor = try DataSource.Backend.lmdb.open(Origin(scratch.path(name)))
    var records: [(key: String, value: [UInt8])] = []
    repeat {
      let record = try cursor.current()
      records.append((String(decoding: record.key, as: UTF8.self), Array(record.value)))
    } while try cursor.advance()
    return records
  }

  private func word(_ number: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  private func writeMNIST(labels: [UInt8] = [7, 0], tail: [UInt8] = []) throws -> MNISTFiles {
    try scratch.write(
      word(2051) + word(2) + word(2) + word(3) + Array(1...12) + tail, "images")
    try scratch.write(word(2049) + word(labels.count) + labels, "labels")
    return MNISTFiles(images: scratch.path("images"), labels: scratch.path("labels"))
  }

  @Test func `MNIST becomes what convert_mnist_data makes`() throws {
    let files = try writeMNIST()
    #expect(try converted { try files.write(to: $0) { _ in } } == 2)
    let records = try records()
    #expect(records.map(\.key) == ["00000000", "00000001"])
    #expect(
      records[0].value == [0x08, 1, 0x10, 2, 0x18, 3, 0x22, 6, 1, 2, 3, 4, 5, 6, 0x28, 7])
    #expect(
      records[1].value == [0x08, 1, 0x10, 2, 0x18, 3, 0x22, 6, 7, 8, 9, 10, 11, 12, 0x28, 0])
  }

  @Test func `damaged files of MNIST are told`() throws {
    func refusal(_ files: MNISTFiles, _ name: String = UUID().uuidString) -> String {
      message { _ = try converted(name) { try files.write(to: $0) { _ in } } }
    }
    #expect(refusal(try writeMNIST(labels: [1])).contains("has 1 labels, but"))
    #expect(refusal(try writeMNIST(labels: [1, 10])).contains("item 1 has the label 10"))
    #expect(
      refusal(try writeMNIST(tail: [0])).contains("2 x 2 x 3 bytes behind its head, but has 13"))
    let files = try writeMNIST()
    #expect(
      refusal(.init(images: files.labels, labels: files.labels)).contains(
        "is no IDX file of images"))
    #expect(
      refusal(.init(images: "no", labels: files.labels)).hasPrefix("no: there is no such file"))
    #expect(refusal(.init(images: scratch.folder, labels: files.labels)).contains("is a folder"))
    try scratch.write(word(2051) + word(1 << 30) + word(1 << 30) + word(9), "huge")
    #expect(
      refusal(.init(images: scratch.path("huge"), labels: files.labels)).contains("cannot be"))
    try scratch.write(word(2051) + word(0) + word(2) + word(2), "none")
    #expect(
      refusal(.init(images: scratch.path("none"), labels: files.labels)).contains("cannot be"))
    // Compressed and cut off.
    let file = gzopen(scratch.path("cut.gz"), "wb")
    let noise = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    gzwrite(file, noise, 5000)
    gzclose(file)
    let packed = try Data(contentsOf: URL(fileURLWithPath: scratch.path("cut.gz")))
    try scratch.write(Array(packed.prefix(packed.count / 2)), "cut.gz")
    let line = refusal(.init(images: scratch.path("cut.gz"), labels: files.labels))
    #expect(line.contains("cannot be unpacked"), "\(line)")
  }

  @Test(.enabled(if: SharedFiles.find("data/mnist") != nil, "needs ../shared/data/mnist"))
  func `all of MNIST is converted from its compressed files`() throws {
    let folder = try #require(SharedFiles.find("data/mnist")).path
    let files = MNISTFiles(
      images: folder + "/t10k-images-idx3-ubyte.gz", labels: folder + "/t10k-labels-idx1-ubyte.gz")
    #expect(try converted { try files.write(to: $0) { _ in } } == 10_000)
    let source = try open(
      .database(.init(path: scratch.path("out"), backend: .lmdb, batch: 10_000)))
    #expect(source.shapes[0].extents == [10_000, 1, 28, 28])
    let labels = try source.batch()[1]
    #expect(labels.prefix(10) == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    let counts = (0..<10).map { digit in labels.count { $0 == Float(digit) } }
    #expect(counts == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  }

  @Test func `CIFAR-10 becomes what convert_cifar_data makes`() throws {
    // Every record has its number in it.
    for (file, name) in [
      "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch",
    ].enumerated() {
      var bytes = [UInt8](repeating: UInt8(file), count: 10_000 * 3073)
      for item in 0..<10_000 { bytes[item * 3073] = UInt8(item % 10) }
      try scratch.write(bytes, "\(name).bin")
    }
    let files = CIFARFiles(folder: scratch.folder)
    #expect(try converted("train") { try files.write(.train, to: $0) { _ in } } == 50_000)
    #expect(try converted("test") { try files.write(.test, to: $0) { _ in } } == 10_000)
    let records = try records("train")
    #expect(records.map(\.key) == (0..<50_000).map { $0.digits(5) })
    #expect(
      records[20_007].value == [0x08, 3, 0x10, 32, 0x18, 32, 0x22, 0x80, 24]
        + [UInt8](repeating: 2, count: 3072) + [0x28, 7])
    #expect(try DatabaseMean.compute(of: scratch.path("train")).values.allSatisfy { $0 == 2 })
    var broken = [UInt8](repeating: 0, count: 10_000 * 3073)
    broken[3073] = 11
    try scratch.write(broken, "test_batch.bin")
    #expect(
      message { _ = try converted("a") { try files.write(.test, to: $0) { _ in } } }
        .contains("record 1 has the label 11"))
    try scratch.write(Array(broken.dropLast()), "test_batch.bin")
    #expect(
      message { _ = try converted("b") { try files.write(.test, to: $0) { _ in } } }
        .contains("has 30729999 bytes"))
  }

  @Test func `pictures become what convert_imageset makes`() throws {
    let file = try pngBytes([200, 0, 10, 0, 100, 20], width: 2, height: 1)
    try scratch.write(file, "a b.png")
    try scratch.png([5, 6], width: 2, height: 1, "gray.png")
    try scratch.write("a b.png 3\ngray.png 300\n", "list")
    var set = ImageSet(list: scratch.path("list"), root: scratch.folder)
    #expect(try converted { try set.write(to: $0) { _ in } } == 2)
    let color = try records()
    #expect(color.map(\.key) == ["00000000_a b.png", "00000001_gray.png"])
    #expect(
      color[0].value == [
        0x08, 3, 0x10, 1, 0x18, 2, 0x22, 6, 10, 20, 0, 100, 200, 0, 0x28, 3, 0x38, 0,
      ])
    #expect(
      color[1].value == [
        0x08, 3, 0x10, 1, 0x18, 2, 0x22, 6, 5, 6, 5, 6, 5, 6, 0x28, 0xac, 2, 0x38, 0,
      ])
    set.isEncoded = true
    _ = try converted("encoded") { try set.write(to: $0) { _ in } }
    let encoded = try records("encoded")[0].value
    #expect(encoded == Datum(size: nil, data: file, label: 3, isEncoded: true).serialized)
    set.isGray = true
    set.size = (2, 2)
    _ = try converted("gray") { try set.write(to: $0) { _ in } }
    let source = try open(.database(.init(path: scratch.path("gray"), backend: .lmdb, batch: 2)))
    #expect(source.shapes[0].extents == [2, 1, 2, 2])
    #expect(try source.batch()[0] == [61, 61, 61, 61, 5, 6, 5, 6])
    set.isEncoded = false
    _ = try converted("raw") { try set.write(to: $0) { _ in } }
    #expect(
      try records("raw")[1].value.prefix(12) == [0x08, 1, 0x10, 2, 0x18, 2, 0x22, 4, 5, 6, 5, 6])
  }

  @Test func `shuffled lists lose nothing, and are the same for one seed`() throws {
    var lines = ""
    for number in 0..<20 {
      try scratch.png([UInt8(number)], width: 1, height: 1, "\(number).png")
      lines += "\(number).png \(number)\n"
    }
    try scratch.write(lines, "list")
    var set = ImageSet(list: scratch.path("list"), root: scratch.folder + "/")
    set.shuffleSeed = 4
    for name in ["a", "b"] { _ = try converted(name) { try set.write(to: $0) { _ in } } }
    let keys = try records("a").map(\.key)
    #expect(try records("b").map(\.key) == keys)
    let names = keys.map { String($0.dropFirst(9)) }
    #expect(names != (0..<20).map { "\($0).png" })
    #expect(Set(names) == Set((0..<20).map { "\($0).png" }))
    #expect(keys.map { String($0.prefix(8)) } == (0..<20).map { $0.digits(8) })
  }

  @Test func `a missing or damaged picture is told with its line`() throws {
    try scratch.png([1], width: 1, height: 1, "a.png")
    for (line, reason) in [("no.png 1", "cannot be read"), ("list 1", "not a JPEG or PNG")] {
      try scratch.write("a.png 0\n\(line)\n", "list")
      let set = ImageSet(list: scratch.path("list"), root: scratch.folder)
      let text = message { _ = try converted(UUID().uuidString) { try set.write(to: $0) { _ in } } }
      #expect(text.hasPrefix("\(scratch.path("list")):2:1: ") && text.contains(reason), "\(text)")
    }
  }

  @Test func `the mean is that of all records, whatever form they have`() throws {
    let floats: [UInt8] = [0x08, 1, 0x10, 1, 0x18, 2, 0x32, 8, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1]
    let path = try scratch.lmdb([
      ("0", Datum(size: (1, 1, 2), data: [3, 255], label: 0).serialized),
      ("1", floats),
      (
        "2",
        Datum(
          size: nil, data: try pngBytes([5, 10], width: 2, height: 1), label: 0, isEncoded: true
        ).serialized
      ),
    ])
    let mean = try DatabaseMean.compute(of: path)
    #expect(mean.shape.extents == [1, 1, 2])
    #expect(mean.values == [3, 85])
    let uneven = try scratch.lmdb(
      "uneven", [("a", Datum(size: (1, 1, 1), data: [1], label: 0).serialized), ("b", floats)])
    #expect(
      message { _ = try DatabaseMean.compute(of: uneven) }.contains("record \"b\": has a size of"))
    #expect(message { _ = try DatabaseMean.compute(of: "no") }.hasPrefix("no: there is no such"))
  }

  @Test func `databases grow beyond their first size`() throws {
    // Three quarters of a gigabyte would take too long; growing is the same from any size.
    let folder = scratch.path("grown")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let writer = try LMDBWriter(folder: folder, name: "grown", capacity: 1 << 16)
    for number in 0..<3000 {
      try writer.put(
        key: number.digits(8), value: [UInt8](repeating: UInt8(number % 251), count: 500))
    }
    try writer.finish()
    let all = try records("grown")
    #expect(all.count == 3000)
    #expect(all[2999].value == [UInt8](repeating: UInt8(2999 % 251), count: 500))
    #expect(
      message { try writer.put(key: String(repeating: "x", count: 600), value: []) }.contains(
        "too long"))
  }
}
