/// The members of a zip archive, as its central directory lists them (PKWARE's APPNOTE, 4.3).
struct ZipDirectory {
  enum Packing { case stored, deflated }

  struct Member {
    let name: String
    let packing: Packing
    let checksum: UInt32
    let packedSize: Int
    let unpackedSize: Int
    let headerOffset: Int

    /// Where the member's data lie. Its own header repeats the name and has extras of its own.
    func dataRange(in stored: some StoredBytes) throws(Flaw) -> Range<Int> {
      let header = LittleEndianFields(try stored.bytes(at: headerOffset, count: 30))
      guard header.number(at: 0, bytes: 4) == 0x0403_4B50 else {
        throw Flaw("the archive's directory points to something else")
      }
      let start =
        headerOffset + 30 + header.number(at: 26, bytes: 2) + header.number(at: 28, bytes: 2)
      guard start <= stored.count, packedSize <= stored.count - start else {
        throw Flaw("the file ends too early")
      }
      return start..<start + packedSize
    }
  }

  /// Files in the directory's order; folders are left out.
  let members: [Member]

  /// Reads and checks the directory. Afterwards all members fit the file and the limit together.
  init(_ stored: some StoredBytes, unpackedLimit: Int) throws(Flaw) {
    let place = try Self.locate(stored)
    let bytes = try stored.bytes(at: place.offset, count: place.size)
    var members: [Member] = []
    var position = 0
    for _ in 0..<place.memberCount {
      // A member takes at least 46 bytes, so a false count ends here soon.
      guard position + 46 <= bytes.count else { throw Flaw("the archive's directory is damaged") }
      let (member, length) = try Self.member(bytes[position...])
      position += length
      if !(member.name.hasSuffix("/") && member.unpackedSize == 0) { members.append(member) }
    }
    try Self.checkSizes(of: members, fileSize: stored.count, unpackedLimit: unpackedLimit)
    self.members = members
  }

  private static func checkSizes(
    of members: [Member], fileSize: Int, unpackedLimit: Int
  ) throws(Flaw) {
    var packed = 0
    var unpacked = 0
    for member in members {
      // Members that share bytes are how small archives unpack to endless data.
      guard member.packedSize <= fileSize - packed else {
        throw Flaw("the archive's members are larger than the archive", key: member.name)
      }
      packed += member.packedSize
      // Deflate shrinks by 1032 at most; the packed size is below the file's, so this fits.
      let most = member.packing == .stored ? member.packedSize : member.packedSize * 1032
      let least = member.packing == .stored ? member.packedSize : 0
      guard (least...most).contains(member.unpackedSize) else {
        throw Flaw(
          "\(member.packedSize) bytes cannot unpack to \(member.unpackedSize)", key: member.name)
      }
      guard member.unpackedSize <= unpackedLimit - unpacked else {
        throw Flaw("the archive unpacks to more than the limit of \(unpackedLimit) bytes")
      }
      unpacked += member.unpackedSize
    }
  }

  /// Reads one entry of the directory, which has at least 46 bytes, and says how long it is.
  private static func member(_ entry: ArraySlice<UInt8>) throws(Flaw) -> (Member, length: Int) {
    let fields = LittleEndianFields(entry.prefix(46))
    let nameLength = fields.number(at: 28, bytes: 2)
    let extraLength = fields.number(at: 30, bytes: 2)
    let length = 46 + nameLength + extraLength + fields.number(at: 32, bytes: 2)
    guard fields.number(at: 0, bytes: 4) == 0x0201_4B50, length <= entry.count else {
      throw Flaw("the archive's directory is damaged")
    }
    let nameBytes = entry.dropFirst(46).prefix(nameLength)
    guard let name = String(validating: nameBytes, as: UTF8.self) else {
      throw Flaw("the archive has a name that is not UTF-8")
    }
    guard fields.number(at: 8, bytes: 2) & 1 == 0 else { throw Flaw("it is encrypted", key: name) }
    let packing: Packing
    switch fields.number(at: 10, bytes: 2) {
    case 0: packing = .stored
    case 8: packing = .deflated
    case let method:
      throw Flaw("it is packed by method \(method); stored and deflated are read", key: name)
    }
    var sizes = LargeSizes(extra: entry.dropFirst(46 + nameLength).prefix(extraLength))
    let unpackedSize = try sizes.value(fields.number(at: 24, bytes: 4))
    let packedSize = try sizes.value(fields.number(at: 20, bytes: 4))
    let headerOffset = try sizes.value(fields.number(at: 42, bytes: 4))
    let member = Member(
      name: name, packing: packing,
      checksum: UInt32(truncatingIfNeeded: fields.number(at: 16, bytes: 4)),
      packedSize: packedSize, unpackedSize: unpackedSize, headerOffset: headerOffset)
    return (member, length)
  }

  /// Finds the directory by the record that ends the file, behind which a comment may stand.
  private static func locate(
    _ stored: some StoredBytes
  ) throws(Flaw) -> (offset: Int, size: Int, memberCount: Int) {
    let tailStart = max(0, stored.count - (22 + 0xFFFF + 20))
    let tail = try stored.bytes(at: tailStart, count: stored.count - tailStart)
    let mark = [UInt8]("PK\u{5}\u{6}".utf8)
    guard tail.count >= 22,
      let end = (0...tail.count - 22).last(where: {
        tail[$0] == mark[0] && tail[$0...].starts(with: mark)
      })
    else { throw Flaw("not an .npz archive") }
    let record = LittleEndianFields(tail[end..<end + 22])
    var place = (
      offset: record.number(at: 16, bytes: 4), size: record.number(at: 12, bytes: 4),
      memberCount: record.number(at: 10, bytes: 2)
    )
    var diskNumbers = record.number(at: 4, bytes: 2) | record.number(at: 6, bytes: 2)
    // ZIP64: a locator right before the record points to one with larger fields.
    if end >= 20, tail[end - 20..<end].starts(with: "PK\u{6}\u{7}".utf8) {
      let locator = LittleEndianFields(tail[end - 20..<end])
      let offset = try checkedSize(locator.wide(at: 8))
      let large = LittleEndianFields(try stored.bytes(at: offset, count: 56))
      guard large.number(at: 0, bytes: 4) == 0x0606_4B50 else {
        throw Flaw("the archive's directory is damaged")
      }
      place = (
        try checkedSize(large.wide(at: 48)), try checkedSize(large.wide(at: 40)),
        try checkedSize(large.wide(at: 32))
      )
      diskNumbers = large.number(at: 16, bytes: 4) | large.number(at: 20, bytes: 4)
    }
    guard diskNumbers == 0 else { throw Flaw("archives in several parts are not read") }
    return place
  }
}

/// The 64-bit sizes of a directory entry (extra field 1), which stand in for saturated 32-bit ones.
private struct LargeSizes {
  private var values: ArraySlice<UInt8> = []

  init(extra: ArraySlice<UInt8>) {
    var rest = extra
    while rest.count >= 4 {
      let head = LittleEndianFields(rest.prefix(4))
      let content = rest.dropFirst(4).prefix(head.number(at: 2, bytes: 2))
      if head.number(at: 0, bytes: 2) == 1 {
        values = content
        return
      }
      rest = rest.dropFirst(4 + content.count)
    }
  }

  /// The field's own value, or the next 64-bit one if it is saturated.
  mutating func value(_ field: Int) throws(Flaw) -> Int {
    guard field == 0xFFFF_FFFF else { return field }
    guard values.count >= 8 else { throw Flaw("the archive's directory is damaged") }
    defer { values = values.dropFirst(8) }
    return try checkedSize(LittleEndianFields(values.prefix(8)).wide(at: 0))
  }
}

/// A size from a file, if it is one that sums and products of sizes can be made of.
private func checkedSize(_ value: UInt64) throws(Flaw) -> Int {
  guard value < 1 << 48 else { throw Flaw("the archive's directory is damaged") }
  return Int(value)
}

/// Little-endian numbers at fixed places of a record that is known to be long enough.
private struct LittleEndianFields {
  private let bytes: [UInt8]

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// A number of at most 4 bytes.
  func number(at start: Int, bytes count: Int) -> Int {
    bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  func wide(at start: Int) -> UInt64 {
    bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
