/// The headers of an ELF file (System V ABI, chapters 4 and 5): which parts of the file go where in
/// memory, told twice, as segments for the loader and as sections for the linker.
struct SharedObjectHeaders {
  /// A row of the program header table.
  struct Segment {
    enum Kind: UInt32 {
      case load = 1
      case dynamic = 2
      case threadLocal = 7
      /// PT_GNU_RELRO: made read-only once the loader is done with it.
      case sealed = 0x6474_e552
    }

    var kind: UInt32
    var flags: UInt32
    var offset, address, fileSize, memorySize, alignment: UInt64

    func isKind(_ kind: Kind) -> Bool { self.kind == kind.rawValue }
  }

  /// A row of the section header table.
  struct Section {
    enum Kind: UInt32 {
      case dynamic = 6
      case withoutBytes = 8
    }

    /// SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR and SHF_TLS.
    struct Flags: OptionSet {
      let rawValue: UInt64
      static let writable = Flags(rawValue: 1)
      static let inMemory = Flags(rawValue: 2)
      static let executable = Flags(rawValue: 4)
      static let threadLocal = Flags(rawValue: 0x400)
    }

    var kind: UInt32
    var flags: Flags
    var address, offset, size: UInt64

    func isKind(_ kind: Kind) -> Bool { self.kind == kind.rawValue }
  }

  var segments: [Segment]
  var sections: [Section]

  /// Reads the headers, and checks that all they name lies in the file.
  init(of file: borrowing FileBytes) throws(LoadError) {
    let path = file.path
    func refuse(_ reason: String) -> LoadError { .notASharedObject(path: path, reason: reason) }
    func damaged(_ reason: String) -> LoadError { .damaged(path: path, reason: reason) }

    guard file.size >= 4, try file.read(4, at: 0) == [0x7f, 0x45, 0x4c, 0x46] else {
      throw refuse(file.size == 0 ? "the file is empty" : "not an ELF file")
    }
    guard file.holds(64, at: 0) else { throw damaged("it ends inside its header") }
    let header = Fields(bytes: try file.read(64, at: 0))
    // 64 bits, little-endian, version 1.
    guard header.bytes[4...6] == [2, 1, 1], header.word(20) == 1 else {
      throw refuse("not an ELF file for this machine")
    }
    guard header.half(16) == 3 else { throw refuse("an ELF file, but no shared object") }
    guard header.half(18) == Self.machine else {
      throw refuse("a shared object for another kind of machine")
    }
    let segmentCount = Int(header.half(56))
    let sectionCount = Int(header.half(60))
    guard header.half(52) == 64, header.half(54) == 56, header.half(58) == 64,
      segmentCount > 0, sectionCount > 0
    else { throw damaged("impossible header sizes") }

    let segmentTable = try Self.table(of: file, at: header.long(32), rows: segmentCount, size: 56)
    segments = (0..<segmentCount).map { Segment(segmentTable, at: $0 * 56) }
    let sectionTable = try Self.table(of: file, at: header.long(40), rows: sectionCount, size: 64)
    sections = (0..<sectionCount).map { Section(sectionTable, at: $0 * 64) }

    guard segments.allSatisfy({ file.holds($0.fileSize, at: $0.offset) }) else {
      throw damaged("a segment lies beyond the end of the file")
    }
    for section in sections where !section.isKind(.withoutBytes) && section.kind != 0 {
      guard file.holds(section.size, at: section.offset) else {
        throw damaged("a section lies beyond the end of the file")
      }
    }
  }

  private static func table(
    of file: borrowing FileBytes, at offset: UInt64, rows: Int, size: Int
  ) throws(LoadError) -> Fields {
    guard file.holds(UInt64(rows * size), at: offset) else {
      throw .damaged(path: file.path, reason: "a header table lies beyond the end of the file")
    }
    return Fields(bytes: try file.read(rows * size, at: offset))
  }

  #if arch(x86_64)
    private static let machine: UInt16 = 62
  #elseif arch(arm64)
    private static let machine: UInt16 = 183
  #endif
}

/// Little-endian numbers in bytes.
struct Fields {
  let bytes: [UInt8]

  func half(_ offset: Int) -> UInt16 { UInt16(truncatingIfNeeded: number(offset, 2)) }
  func word(_ offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: number(offset, 4)) }
  func long(_ offset: Int) -> UInt64 { number(offset, 8) }

  private func number(_ offset: Int, _ count: Int) -> UInt64 {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension SharedObjectHeaders.Segment {
  fileprivate init(_ table: Fields, at row: Int) {
    kind = table.word(row)
    flags = table.word(row + 4)
    offset = table.long(row + 8)
    address = table.long(row + 16)
    fileSize = table.long(row + 32)
    memorySize = table.long(row + 40)
    alignment = table.long(row + 48)
  }
}

extension SharedObjectHeaders.Section {
  fileprivate init(_ table: Fields, at row: Int) {
    kind = table.word(row + 4)
    flags = Flags(rawValue: table.long(row + 8))
    address = table.long(row + 16)
    offset = table.long(row + 24)
    size = table.long(row + 32)
  }
}
