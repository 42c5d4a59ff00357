import Testing

@testable import NumPy

struct ZipDirectoryTests {
  /// A file that is too large to exist: zeros, and a directory at its end.
  private struct HugeFile: StoredBytes {
    let ending: [UInt8]
    let count: Int

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
      for index in 0..<buffer.count {
        let place = offset + index - (count - ending.count)
        buffer[index] = place >= 0 ? ending[place] : 0
      }
    }
  }

  @Test func `writes and reads sizes and offsets beyond 32 bits`() throws {
    let sizes: [UInt64] = [100, 6 << 30, 5_000, 0xFFFF_FFFF]
    var records: [ZipMemberRecord] = []
    var offset: UInt64 = 0
    for (index, size) in sizes.enumerated() {
      let record = ZipMemberRecord(
        name: Array("blob\(index).npy".utf8), checksum: UInt32(index), size: size, offset: offset)
      records.append(record)
      offset += UInt64(record.localHeader.count) + size
    }
    let directory = ZipMemberRecord.directory(of: records, at: offset)
    let file = HugeFile(ending: directory, count: Int(offset) + directory.count)
    let members = try ZipDirectory(file, unpackedLimit: 1 << 40).members
    #expect(members.map(\.name) == ["blob0.npy", "blob1.npy", "blob2.npy", "blob3.npy"])
    #expect(members.map(\.unpackedSize) == sizes.map { Int($0) })
    #expect(members.map(\.packedSize) == sizes.map { Int($0) })
    #expect(members.map(\.headerOffset) == records.map { Int($0.offset) })
    #expect(members.map(\.checksum) == [0, 1, 2, 3])
  }

  @Test func `writes and reads more members than 16 bits count`() throws {
    let records = (0..<70_000).map { index in
      ZipMemberRecord(name: Array("\(index)".utf8), checksum: 0, size: 0, offset: UInt64(index))
    }
    let directory = ZipMemberRecord.directory(of: records, at: 70_000)
    let file = HugeFile(ending: directory, count: 70_000 + directory.count)
    #expect(try ZipDirectory(file, unpackedLimit: 0).members.count == 70_000)
  }

  @Test func `finds the directory behind a comment and leaves folders out`() throws {
    let records = ["blobs/", "blobs/a.npy"].map {
      ZipMemberRecord(name: Array($0.utf8), checksum: 0, size: 0, offset: 0)
    }
    var bytes = ZipMemberRecord.directory(of: records, at: 0)
    bytes[bytes.count - 2] = 7
    let members = try ZipDirectory(
      MemoryBytes(bytes: bytes + Array("comment".utf8)), unpackedLimit: 0
    ).members
    #expect(members.map(\.name) == ["blobs/a.npy"])
  }
}
