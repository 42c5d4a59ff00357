extension NumPyArchive {
  /// Writes an `.npz` file, whole or not at all; equal archives give equal bytes.
  ///
  /// Members are stored uncompressed as `KEY.npy`, dated 1980 (zip's zero); sizes of 4 GiB and more
  /// take zip's 64-bit form, as in NumPy.
  public func write(to path: String) throws(NumPyError) {
    do throws(Flaw) {
      let file = try FileReplacement(path)
      var records: [ZipMemberRecord] = []
      var offset: UInt64 = 0
      for (key, array) in keys.compactMap({ key in self[key].map { (key, $0) } }) {
        let header = ArrayHeader.bytes(shape: array.shape)
        let record = try ZipMemberRecord(key: key, array: array, header: header, offset: offset)
        let localHeader = record.localHeader
        try file.write(localHeader + header)
        try array.withValueBytes { bytes throws(Flaw) in try file.write(bytes) }
        offset += UInt64(localHeader.count) + record.size
        records.append(record)
      }
      try file.write(ZipMemberRecord.directory(of: records, at: offset))
      try file.finish()
    } catch {
      throw error.inFile(path)
    }
  }
}

/// What a zip archive says about one stored member, in its own header and in the directory.
struct ZipMemberRecord {
  let name: [UInt8]
  let checksum: UInt32
  let size: UInt64
  let offset: UInt64

  init(name: [UInt8], checksum: UInt32, size: UInt64, offset: UInt64) {
    self.name = name
    self.checksum = checksum
    self.size = size
    self.offset = offset
  }

  init(key: String, array: NumPyArray, header: [UInt8], offset: UInt64) throws(Flaw) {
    let name = Array("\(key).npy".utf8)
    guard name.count <= UInt16.max else { throw Flaw("the name is too long", key: key) }
    var checksum = header.withUnsafeBytes { checksumContinued(0, $0) }
    try array.withValueBytes { bytes in checksum = checksumContinued(checksum, bytes) }
    self.init(
      name: name, checksum: checksum,
      size: UInt64(header.count) + 4 * UInt64(array.values.count), offset: offset)
  }

  private static let saturated = UInt64(0xFFFF_FFFF)

  private var isLarge: Bool { size >= Self.saturated }

  /// Version 4.5 knows 64-bit sizes, 2.0 folders and deflate.
  private var versionNeeded: UInt16 { isLarge || offset >= Self.saturated ? 45 : 20 }

  /// Version, flags, method, date, checksum, sizes and name length: alike in both places.
  private var common: [UInt8] {
    let ascii = name.allSatisfy { $0 < 0x80 }
    let shownSize = UInt32(min(size, Self.saturated))
    return littleEndian(versionNeeded)
      + littleEndian(UInt16(ascii ? 0 : 1 << 11)) + littleEndian(UInt16(0))
      + littleEndian(UInt16(0)) + littleEndian(UInt16(0x21)) + littleEndian(checksum)
      + littleEndian(shownSize) + littleEndian(shownSize) + littleEndian(UInt16(name.count))
  }

  private func extra(_ values: [UInt64]) -> [UInt8] {
    if values.isEmpty { return [] }
    return littleEndian(UInt16(1)) + littleEndian(UInt16(8 * values.count))
      + values.flatMap { littleEndian($0) }
  }

  /// What stands before the member's data.
  var localHeader: [UInt8] {
    let extra = extra(isLarge ? [size, size] : [])
    return littleEndian(UInt32(0x0403_4B50)) + common + littleEndian(UInt16(extra.count)) + name
      + extra
  }

  private var directoryEntry: [UInt8] {
    let isFar = offset >= Self.saturated
    let extra = extra((isLarge ? [size, size] : []) + (isFar ? [offset] : []))
    return littleEndian(UInt32(0x0201_4B50)) + littleEndian(versionNeeded) + common
      + littleEndian(UInt16(extra.count)) + littleEndian(UInt16(0)) + littleEndian(UInt16(0))
      + littleEndian(UInt16(0)) + littleEndian(UInt32(0))
      + littleEndian(UInt32(min(offset, Self.saturated))) + name + extra
  }

  /// The directory of an archive whose members end at `offset`, and the records that end the file.
  static func directory(of records: [ZipMemberRecord], at offset: UInt64) -> [UInt8] {
    let entries = records.flatMap(\.directoryEntry)
    let (count, size) = (UInt64(records.count), UInt64(entries.count))
    var end: [UInt8] = []
    if count >= 0xFFFF || offset >= saturated || size >= saturated {
      end += littleEndian(UInt32(0x0606_4B50)) + littleEndian(UInt64(44))
      end += littleEndian(UInt16(45)) + littleEndian(UInt16(45)) + littleEndian(UInt64(0))
      end += littleEndian(count) + littleEndian(count) + littleEndian(size) + littleEndian(offset)
      end += littleEndian(UInt32(0x0706_4B50)) + littleEndian(UInt32(0))
      end += littleEndian(offset + size) + littleEndian(UInt32(1))
    }
    let shownCount = UInt16(min(count, 0xFFFF))
    end += littleEndian(UInt32(0x0605_4B50)) + littleEndian(UInt32(0))
    end += littleEndian(shownCount) + littleEndian(shownCount)
    end += littleEndian(UInt32(min(size, saturated)))
    end += littleEndian(UInt32(min(offset, saturated))) + littleEndian(UInt16(0))
    return entries + end
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
