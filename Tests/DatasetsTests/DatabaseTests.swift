import Foundation
import IR
import Testing

@testable import Datasets

/// Both databases, by one law.
struct DatabaseTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func make(
    _ backend: DataSource.Backend, _ records: [(String, [UInt8])], _ name: String = "db"
  ) throws -> String {
    switch backend {
    case .lmdb: try scratch.lmdb(name, records)
    case .levelDB: try scratch.levelDB(name, records)
    }
  }

  private static let backends = [DataSource.Backend.lmdb, .levelDB]

  @Test(arguments: backends)
  func `records come in the order of their keys, round and round`(backend: DataSource.Backend)
    throws
  {
    let path = try make(backend, pixelRecords(5).reversed())
    let source = try open(.database(.init(path: path, backend: backend, batch: 3)))
    #expect(source.shapes.map(\.extents) == [[3, 1, 1, 1], [3]])
    #expect(try source.batch() == [[0, 1, 2], [0, 1, 2]])
    #expect(try source.batch() == [[3, 4, 0], [3, 4, 0]])
    // A layer with one top takes no labels.
    #expect(try source.batch(tops: 1) == [[1, 2, 3]])
  }

  @Test(arguments: backends)
  func `what is no database is refused`(backend: DataSource.Backend) throws {
    func attempt(_ path: String) -> String {
      message { _ = try open(.database(.init(path: path, backend: backend, batch: 1))) }
    }
    #expect(attempt("no/where").hasPrefix("no/where: there is no such \(backend.rawValue)"))
    #expect(attempt("no/where").hasSuffix("(layer \"input\")"))
    #expect(attempt(scratch.folder).contains("is missing"))
    try scratch.write("x", "file")
    #expect(attempt(scratch.path("file")).contains("is a file"))
    // Looking must not leave anything behind.
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder) == ["file"])
    let other = try make(backend == .lmdb ? .levelDB : .lmdb, pixelRecords(1), "other")
    #expect(attempt(other).contains("write backend: "))
    #expect(attempt(try make(backend, [], "empty")).contains("empty: is empty"))
    let mark = backend == .lmdb ? "data.mdb" : "CURRENT"
    try FileManager.default.createDirectory(
      atPath: scratch.path("fake"), withIntermediateDirectories: false)
    try scratch.write("this is not a database, whatever its name may say", "fake/\(mark)")
    #expect(attempt(scratch.path("fake")).hasPrefix(scratch.path("fake") + ": "))
  }

  @Test(arguments: backends)
  func `a damaged record ends in a line that names it, behind all batches before`(
    backend: DataSource.Backend
  ) throws {
    var records = pixelRecords(10)
    records[7].1 = [0x22, 0xff]
    let path = try make(backend, records)
    let source = try open(.database(.init(path: path, backend: backend, batch: 2)))
    for batch in 0..<3 {
      #expect(try source.batch()[1] == [Float(2 * batch), Float(2 * batch + 1)])
    }
    let before = source.position
    for _ in 0..<2 {
      let line = message { _ = try source.batch() }
      #expect(line.hasPrefix("\(path): record \"00000007\": is no Datum"), "\(line)")
    }
    #expect(source.position == before)
  }

  @Test(arguments: backends)
  func `runs go on where they were, whatever lies ready`(backend: DataSource.Backend) throws {
    var settings = DataSource.Database(
      path: try make(backend, pixelRecords(11)), backend: backend, batch: 4)
    settings.transform.mirrors = true
    var position: [UInt8] = []
    var later: [[[Float]]] = []
    do {
      let whole = try open(.database(settings))
      for _ in 0..<7 { _ = try whole.batch() }
      position = whole.position
      for _ in 0..<5 { later.append(try whole.batch()) }
      // And within one run.
      try whole.move(to: position)
      #expect(whole.position == position)
      #expect(try whole.batch() == later[0])
    }
    settings.prefetch = 1
    let resumed = try open(.database(settings), seed: 99)
    try resumed.move(to: position)
    for batch in later { #expect(try resumed.batch() == batch) }
    #expect(message { try resumed.move(to: [1, 2, 3]) }.contains("stored position"))
    #expect(message { try resumed.move(to: []) }.contains("stored position"))
  }

  @Test func `a position of another database is refused`() throws {
    let long = try open(
      .database(.init(path: scratch.lmdb("a", pixelRecords(9)), backend: .lmdb, batch: 5)))
    _ = try long.batch()
    let short = try open(
      .database(.init(path: scratch.lmdb("b", pixelRecords(3)), backend: .lmdb, batch: 5)))
    #expect(message { try short.move(to: long.position) }.contains("record \"00000005\""))
  }

  @Test func `two nets may read one LMDB at once`() throws {
    let path = try scratch.lmdb(pixelRecords(3))
    let first = try open(.database(.init(path: path, backend: .lmdb, batch: 1)))
    do {
      let second = try open(.database(.init(path: path, backend: .lmdb, batch: 1)))
      #expect(try second.batch() == [[0], [0]])
    }
    #expect(try first.batch() == [[0], [0]])
  }

  @Test func `a LevelDB that is in use is refused`() throws {
    let path = try scratch.levelDB(pixelRecords(3))
    let first = try open(.database(.init(path: path, backend: .levelDB, batch: 1)))
    #expect(
      message { _ = try open(.database(.init(path: path, backend: .levelDB, batch: 1))) }
        .contains("cannot be opened"))
    #expect(try first.batch() == [[0], [0]])
  }

  @Test func `skipping starts elsewhere`() throws {
    var settings = DataSource.Database(
      path: try scratch.lmdb(pixelRecords(50)), backend: .lmdb, batch: 1)
    settings.randomSkip = 50
    let starts = try (0..<20).map { try open(.database(settings), seed: $0).batch()[0][0] }
    #expect(Set(starts).count > 8)
    #expect(try open(.database(settings), seed: 3).batch()[0][0] == starts[3])
  }

  /// Records large enough for pages of their own, as pictures are.
  private func pictures(_ count: Int) -> [(String, [UInt8])] {
    (0..<count).map { number in
      let pixels = [UInt8](repeating: UInt8(number % 256), count: 3072)
      return (number.digits(5), Datum(size: (3, 32, 32), data: pixels, label: 1).serialized)
    }
  }

  @Test func `an LMDB that is cut off is refused`() throws {
    let path = try scratch.lmdb(pictures(300))
    let file = URL(fileURLWithPath: path + "/data.mdb")
    let data = try Data(contentsOf: file)
    for kept in [data.count / 2, data.count - 1, 8192, 4096, 100, 0] {
      try data.prefix(kept).write(to: file)
      let line = message { _ = try open(.database(.init(path: path, backend: .lmdb, batch: 1))) }
      #expect(line.hasPrefix("\(path): "), "\(kept): \(line)")
    }
  }

  @Test(arguments: [UInt8(0), 0xff, 0x5a])
  func `a damaged page of an LMDB is an error, not the end`(filling: UInt8) throws {
    let path = try scratch.lmdb(pictures(500))
    let file = URL(fileURLWithPath: path + "/data.mdb")
    let data = try Data(contentsOf: file)
    var refused = 0
    // The first two pages tell where all others are.
    for page in stride(from: 2, to: data.count / 4096, by: 7) {
      var damaged = data
      damaged.replaceSubrange(
        page * 4096..<(page + 1) * 4096, with: [UInt8](repeating: filling, count: 4096))
      try damaged.write(to: file)
      do {
        let source = try open(.database(.init(path: path, backend: .lmdb, batch: 50)))
        for _ in 0..<11 { _ = try source.batch() }
      } catch let error as Diagnostic {
        refused += 1
        #expect("\(error)".hasPrefix("\(path): "), "\(error)")
      }
    }
    // Damage within pixels cannot be told.
    #expect(refused > 0)
  }

  @Test func `a damaged block of a LevelDB is an error`() throws {
    let path = try scratch.levelDB(pictures(500))
    let tables = try FileManager.default.contentsOfDirectory(atPath: path).filter {
      $0.hasSuffix(".ldb")
    }
    let file = URL(fileURLWithPath: "\(path)/\(try #require(tables.first))")
    var data = try Data(contentsOf: file)
    let middle = data.count / 2
    data.replaceSubrange(middle..<middle + 64, with: [UInt8](repeating: 0x5a, count: 64))
    try data.write(to: file)
    let source = try open(.database(.init(path: path, backend: .levelDB, batch: 50)))
    let line = message { for _ in 0..<11 { _ = try source.batch() } }
    #expect(line.contains("is a damaged LevelDB"), "\(line)")
  }

  @Test func `encoded pictures are decoded, blue first`() throws {
    // One pixel red, one green.
    let file = try pngBytes([200, 0, 10, 0, 100, 20], width: 2, height: 1)
    let gray = try pngBytes([7, 9], width: 2, height: 1)
    func source(_ bytes: [UInt8], _ name: String, _ change: (inout DataSource.Database) -> Void)
      throws -> any BatchSource
    {
      let datum = Datum(size: nil, data: bytes, label: 3, isEncoded: true)
      var settings = DataSource.Database(
        path: try scratch.lmdb(name, [("0", datum.serialized)]), backend: .lmdb, batch: 1)
      change(&settings)
      return try open(.database(settings))
    }
    let colored = try source(file, "a") { _ in }
    #expect(colored.shapes[0].extents == [1, 3, 1, 2])
    #expect(try colored.batch() == [[10, 20, 0, 100, 200, 0], [3]])
    // 0.299 * 200 + 0.114 * 10 = 60.94; 0.587 * 100 + 0.114 * 20 = 60.98.
    #expect(try source(file, "b") { $0.transform.forcesGray = true }.batch()[0] == [61, 61])
    #expect(try source(gray, "c") { _ in }.batch()[0] == [7, 9])
    #expect(
      try source(gray, "d") { $0.transform.forcesColor = true }.batch()[0] == [7, 9, 7, 9, 7, 9])
    #expect(
      try source(gray, "e") { $0.forcesEncodedColor = true }.batch()[0] == [7, 9, 7, 9, 7, 9])
    let both = [file, gray].enumerated().map { number, file in
      ("\(number)", Datum(size: nil, data: file, label: 0, isEncoded: true).serialized)
    }
    let mixed = try open(
      .database(.init(path: try scratch.lmdb("mixed", both), backend: .lmdb, batch: 2)))
    #expect(
      message { _ = try mixed.batch() }.contains("1 channels, the first one 3; write force_color"))
    let line = message { _ = try source(Array(file.prefix(40)), "f") { _ in } }
    #expect(line.contains("record \"0\": the picture: damaged PNG"), "\(line)")
  }

  @Test func `records of other sizes are refused unless they are cropped`() throws {
    let records = [
      ("0", Datum(size: (1, 2, 2), data: [1, 2, 3, 4], label: 0).serialized),
      ("1", Datum(size: (1, 3, 3), data: Array(1...9), label: 0).serialized),
      ("2", Datum(size: (2, 2, 2), data: Array(1...8), label: 0).serialized),
    ]
    var settings = DataSource.Database(path: try scratch.lmdb(records), backend: .lmdb, batch: 1)
    let strict = try open(.database(settings))
    _ = try strict.batch()
    #expect(
      message { _ = try strict.batch() }.contains("record \"1\": has 3 x 3 pixels, the first one"))
    settings.transform.crop = 2
    let cropping = try open(.database(settings), phase: .test)
    #expect(try cropping.batch()[0] == [1, 2, 3, 4])
    // floor((3 - 2) / 2) = 0.
    #expect(try cropping.batch()[0] == [1, 2, 4, 5])
    #expect(message { _ = try cropping.batch() }.contains("has 2 channels, the first one 1"))
  }
}
