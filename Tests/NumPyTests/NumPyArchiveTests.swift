import CZlib
import Foundation
import Testing

@testable import NumPy

struct NumPyArchiveTests {
  private var sample: NumPyArchive {
    var archive = NumPyArchive()
    archive["inception_3a/1x1"] = NumPyArray(shape: [2, 2], values: [1, -2, 3, .infinity])
    archive["conv1|0"] = NumPyArray(shape: [], values: [0.1])
    archive["relu1::ip1"] = NumPyArray(shape: [0, 3], values: [])
    archive["größe.npy"] = NumPyArray(shape: [500], values: (0..<500).map { Float($0 % 7) })
    return archive
  }

  /// The bytes of the sample as it is written.
  private func sampleBytes() throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try sample.write(to: "\(folder.path)/a.npz")
    return try folder.bytes(of: "a.npz")
  }

  private func message(_ bytes: [UInt8], memoryLimit: Int = 1 << 20) -> String? {
    let error = #expect(throws: NumPyError.self) {
      try NumPyArchive.read(bytes, name: "x.npz", memoryLimit: memoryLimit)
    }
    return error?.description
  }

  /// Where the directory's entry of a member begins.
  private func directoryEntry(_ index: Int, of bytes: [UInt8]) throws -> Int {
    let entries = bytes.indices.filter { bytes[$0...].starts(with: "PK\u{1}\u{2}".utf8) }
    return try #require(entries.dropFirst(index).first)
  }

  @Test func `gets back what it wrote in the same order`() throws {
    let read = try NumPyArchive.read(sampleBytes(), name: "x.npz")
    #expect(read == sample)
    #expect(read.keys == ["inception_3a/1x1", "conv1|0", "relu1::ip1", "größe.npy"])
    #expect(read["inception_3a"] == nil)
  }

  @Test func `writes the same bytes every time`() throws {
    #expect(try sampleBytes() == sampleBytes())
  }

  @Test func `writes and reads an archive of nothing`() throws {
    let folder = try TemporaryFolder()
    try NumPyArchive().write(to: "\(folder.path)/a.npz")
    #expect(try NumPyArchive.read(contentsOf: "\(folder.path)/a.npz").keys.isEmpty)
  }

  @Test func `keeps order when arrays are replaced and removed`() {
    var archive = sample
    archive["conv1|0"] = NumPyArray(shape: [1], values: [5])
    archive["inception_3a/1x1"] = nil
    archive["new"] = NumPyArray(shape: [1], values: [6])
    #expect(archive.keys == ["conv1|0", "relu1::ip1", "größe.npy", "new"])
    #expect(archive["conv1|0"]?.values == [5])
  }

  // `numpy.savez_compressed` (NumPy 2.4) of a big-endian 3 x 4 int16 arange and [1.5, -2].
  @Test func `reads compressed archives that NumPy wrote`() throws {
    let text = """
      UEsDBC0AAAAIAAAAIQBWxVnq//////////8NABQAY29udjEvMXgxLm5weQEAEACYAAAAAAAAAF4AAAAAAAAAm+wX
      6hsQychQxlCtnpJanFykbqWgbpdppK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjoKJpo6CrUKZAMu
      BgYGRgYmBmYGFgZWBjYGdgYOBk4GLgZuAFBLAwQtAAAICAAAACEAsJjFQf//////////CAAUAMOpfDAubnB5AQAQ
      AJAAAAAAAAAATQAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWK
      F2ckFqQC+RpGOpo6CrUKFAAuBjD4YQ+hGQ4AAFBLAQItAy0AAAAIAAAAIQBWxVnqXgAAAJgAAAANAAAAAAAAAAAA
      AACAAQAAAABjb252MS8xeDEubnB5UEsBAi0DLQAACAgAAAAhALCYxUFNAAAAkAAAAAgAAAAAAAAAAAAAAIABnQAA
      AMOpfDAubnB5UEsFBgAAAAACAAIAcQAAACQBAAAAAA==
      """
    let bytes = try #require(Data(base64Encoded: text, options: .ignoreUnknownCharacters))
    let archive = try NumPyArchive.read(Array(bytes), name: "x.npz")
    #expect(archive.keys == ["conv1/1x1", "é|0"])
    #expect(
      archive["conv1/1x1"] == NumPyArray(shape: [3, 4], values: (0..<12).map { Float($0) }))
    #expect(archive["é|0"] == NumPyArray(shape: [2], values: [1.5, -2]))
    for count in 0..<bytes.count { _ = message(Array(bytes.prefix(count))) }
  }

  @Test func `refuses what was changed on its way`() throws {
    let bytes = try sampleBytes()
    let end = try directoryEntry(0, of: bytes)
    var generator = SeededGenerator(state: 31)
    for _ in 0..<200 {
      // Anywhere within the first array's values: only the checksum can tell.
      var changed = bytes
      let data = 30 + "inception_3a/1x1.npy".utf8.count + 128
      changed[Int.random(in: data..<data + 16, using: &generator)] ^= 1
      #expect(message(changed) == "x.npz: array 'inception_3a/1x1': its checksum does not match")
    }
    for count in 0..<end { _ = message(Array(bytes.prefix(count))) }
  }

  @Test func `refuses archives that unpack to too much`() throws {
    var bytes = try sampleBytes()
    #expect(
      message(bytes, memoryLimit: 2000)
        == "x.npz: the archive unpacks to more than the limit of 2000 bytes")
    // The second member promises to be as large as the file and more.
    let entry = try directoryEntry(1, of: bytes)
    bytes.replaceSubrange(
      entry + 20..<entry + 28, with: stored([3_000_000, 3_000_000] as [UInt32]))
    #expect(
      message(bytes)
        == "x.npz: array 'conv1|0.npy': the archive's members are larger than the archive")
    bytes.replaceSubrange(entry + 20..<entry + 28, with: stored([100, 3_000_000] as [UInt32]))
    #expect(
      message(bytes) == "x.npz: array 'conv1|0.npy': 100 bytes cannot unpack to 3000000")
    bytes[entry + 10] = 8
    #expect(
      message(bytes) == "x.npz: array 'conv1|0.npy': 100 bytes cannot unpack to 3000000")
  }

  @Test func `refuses names that occur twice, ciphers and strange packings`() throws {
    var archive = NumPyArchive()
    archive["a"] = NumPyArray(shape: [], values: [1])
    archive["b"] = NumPyArray(shape: [], values: [2])
    let folder = try TemporaryFolder()
    try archive.write(to: "\(folder.path)/a.npz")
    let bytes = try folder.bytes(of: "a.npz")
    let entry = try directoryEntry(1, of: bytes)
    var changed = bytes
    changed[entry + 46] = UInt8(ascii: "a")
    #expect(message(changed) == "x.npz: array 'a': it occurs twice")
    changed = bytes
    changed[entry + 8] = 1
    #expect(message(changed) == "x.npz: array 'b.npy': it is encrypted")
    changed = bytes
    changed[entry + 10] = 12
    #expect(
      message(changed)
        == "x.npz: array 'b.npy': it is packed by method 12; stored and deflated are read")
    #expect(
      message(Array("no archive at all, but long enough".utf8)) == "x.npz: not an .npz archive")
  }

  @Test func `survives damaged archives`() throws {
    let files = try [sampleBytes(), deflatedArchive(count: 300)]
    var generator = SeededGenerator(state: 32)
    var readable = 0
    for file in files {
      #expect(throws: Never.self) { try NumPyArchive.read(file, name: "x.npz") }
      for _ in 0..<3000 {
        let bytes = damaged(file, using: &generator)
        let archive = try? NumPyArchive.read(bytes, name: "x.npz", memoryLimit: 1 << 20)
        if archive != nil { readable += 1 }
      }
    }
    #expect((20...5900).contains(readable))
  }

  /// An archive with one deflated member.
  private func deflatedArchive(count: Int) throws -> [UInt8] {
    let values = (0..<count).map { Float($0 % 251) }
    let content = npy(type: "<f4", shape: "(\(count),)", data: storedFloats(values))
    var size = compressBound(UInt(content.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    try #require(compress(&packed, &size, content, UInt(content.count)) == Z_OK)
    // Raw deflate lies between zlib's 2-byte head and its 4-byte checksum.
    let raw = Array(packed[2..<Int(size) - 4])
    let checksum = UInt32(crc32_z(0, content, content.count))
    let record = ZipMemberRecord(
      name: Array("a.npy".utf8), checksum: checksum, size: UInt64(raw.count), offset: 0)
    var local = record.localHeader
    var directory = ZipMemberRecord.directory(
      of: [record], at: UInt64(local.count + raw.count))
    local[8] = 8
    directory[10] = 8
    directory.replaceSubrange(24..<28, with: stored([UInt32(content.count)]))
    return local + raw + directory
  }

  @Test func `unpacks deflated arrays`() throws {
    let array = try NumPyArchive.read(deflatedArchive(count: 40000), name: "x.npz")["a"]
    #expect(array?.values == (0..<40000).map { Float($0 % 251) })
  }
}
