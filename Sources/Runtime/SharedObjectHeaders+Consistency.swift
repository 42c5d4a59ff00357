extension SharedObjectHeaders {
  /// What the loader would stumble over, or nil.
  ///
  /// The dynamic linker trusts a file: segments that are wrong make it write to the wrong place or
  /// touch pages that do not exist, which ends the process. Sections describe the same bytes again,
  /// so whatever changed in one of the two tables contradicts the other.
  func contradiction() -> String? {
    segmentContradiction() ?? sectionContradiction() ?? sealedContradiction()
      ?? threadLocalContradiction()
  }

  private var loads: [Segment] { segments.filter { $0.isKind(.load) } }

  /// Segments in themselves: in order, apart, page-congruent, every other one inside a loaded one.
  private func segmentContradiction() -> String? {
    var end: UInt64 = 0
    for segment in loads {
      guard segment.memorySize >= segment.fileSize, segment.address >= end,
        segment.address < Self.addressLimit, segment.memorySize < Self.addressLimit
      else { return "its segments overlap" }
      guard segment.alignment.nonzeroBitCount == 1, segment.alignment <= Self.largestAlignment,
        segment.address % segment.alignment == segment.offset % segment.alignment
      else { return "a segment has an impossible alignment" }
      end = segment.address + segment.memorySize
    }
    for segment in segments where !segment.isKind(.load) && segment.fileSize > 0 {
      guard loads.contains(where: { $0.holds(segment.fileSize, segment.address, segment.offset) })
      else { return "a segment is not loaded" }
    }
    return nil
  }

  /// Sections against segments: loaded where both say, with the rights that both say.
  private func sectionContradiction() -> String? {
    for section in sections where section.flags.contains(.inMemory) && section.size > 0 {
      let holds: (Segment) -> Bool =
        section.isKind(.withoutBytes)
        ? { section.flags.contains(.threadLocal) || $0.covers(section.size, section.address) }
        : { $0.holds(section.size, section.address, section.offset) }
      guard let segment = loads.first(where: holds) else { return "a section is not loaded" }
      guard segment.isReadable,
        segment.isWritable == section.flags.contains(.writable)
          || section.flags.contains(.threadLocal),
        segment.isExecutable || !section.flags.contains(.executable)
      else { return "a segment has the wrong access rights" }
    }
    let tables = sections.filter { $0.isKind(.dynamic) }
    for segment in segments where segment.isKind(.dynamic) {
      guard
        tables.contains(where: {
          $0.address == segment.address && $0.offset == segment.offset
            && $0.size == segment.fileSize
        })
      else { return "its dynamic table is not where it should be" }
    }
    return nil
  }

  /// What is sealed after loading is one segment's, and holds none of the program's variables.
  private func sealedContradiction() -> String? {
    for sealed in segments where sealed.isKind(.sealed) {
      guard loads.contains(where: { $0.covers(sealed.memorySize, sealed.address) }) else {
        return "it seals memory that is not its own"
      }
      let end = sealed.address + sealed.memorySize
      // LLVM's linker fills the last page with a section that ends where the seal ends.
      for section in sections
      where section.isKind(.withoutBytes) && !section.flags.contains(.threadLocal)
        && section.size > 0 && section.address >= sealed.address && section.address < end
        && section.address &+ section.size != end
      { return "it seals its variables" }
    }
    return nil
  }

  /// The thread-local segment spans the thread-local sections, up to alignment.
  private func threadLocalContradiction() -> String? {
    let variables = sections.filter { $0.flags.contains([.inMemory, .threadLocal]) }
    let templates = segments.filter { $0.isKind(.threadLocal) }
    if variables.isEmpty && templates.isEmpty { return nil }
    guard templates.count == 1, let template = templates.first,
      let first = variables.map(\.address).min(),
      template.address == first, template.alignment <= Self.pageSize,
      variables.allSatisfy({ template.covers($0.size, $0.address) }),
      template.memorySize <= variables.reduce(Self.pageSize, { $0 &+ $1.size })
    else { return "its thread-local variables are not where they should be" }
    return nil
  }

  /// User space ends here on x86-64 and AArch64 with four levels of page tables.
  private static let addressLimit: UInt64 = 1 << 47
  private static let pageSize: UInt64 = 4096
  private static let largestAlignment: UInt64 = 1 << 30
}

extension SharedObjectHeaders.Segment {
  fileprivate var isExecutable: Bool { flags & 1 != 0 }
  fileprivate var isWritable: Bool { flags & 2 != 0 }
  fileprivate var isReadable: Bool { flags & 4 != 0 }

  /// Whether `count` bytes of memory at `address` are this segment's.
  fileprivate func covers(_ count: UInt64, _ address: UInt64) -> Bool {
    address >= self.address && address - self.address <= memorySize
      && count <= memorySize - (address - self.address)
  }

  /// Whether this segment brings the `count` bytes at `offset` of the file to `address`.
  fileprivate func holds(_ count: UInt64, _ address: UInt64, _ offset: UInt64) -> Bool {
    address >= self.address && address - self.address <= fileSize
      && count <= fileSize - (address - self.address)
      && offset &- self.offset == address - self.address
  }
}
