import CImageEncoders
import CLevelDB
import Datasets
import Foundation
import Testing

/// Data that break while a net is trained: one line that says what and where, and a snapshot to go on from.
struct BadDataTests {
  let workplace: Workplace

  init() throws { workplace = try Workplace() }

  /// Twelve pictures of 2 x 2 pixels in an LMDB, made from the files of MNIST.
  private func makeDatabase(_ name: String, count: Int = 12, side: Int = 2) throws {
    func word(_ number: Int) -> [UInt8] {
      [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
    let pixels = (0..<count * side * side).map { UInt8(truncatingIfNeeded: 7 * $0 + 1) }
    try workplace.write(word(2051) + word(count) + word(side) + word(side) + pixels, "images")
    try workplace.write(word(2049) + word(count) + (0..<count).map { UInt8($0 % 3) }, "labels")
    let made = try workplace.sparsec("convert", "mnist", "images", "labels", "-o", name)
    #expect(made.status == 0, "\(made.errors)")
  }

  /// The record of a picture as `makeDatabase` has it.
  private func record(_ number: Int) -> [UInt8] {
    let pixels = (4 * number..<4 * number + 4).map { UInt8(truncatingIfNeeded: 7 * $0 + 1) }
    return Datum(size: (1, 2, 2), data: pixels, label: Int32(number % 3)).serialized
  }

  private func net(_ input: String, outputs: Int = 3) throws {
    try workplace.write(
      """
      name: "small"
      \(input)
      layer {
        name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: \(outputs) weight_filler { type: "xavier" } }
      }
      layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
      """, "net.prototxt")
  }

  private func database(_ path: String, backend: String = "LMDB", _ more: String = "") -> String {
    """
    layer {
      name: "digits" type: "Data" top: "data" top: "label"
      data_param { source: "\(path)" batch_size: 2 backend: \(backend) } \(more)
    }
    """
  }

  private func train(_ name: String, _ more: String..., iterations: Int = 10) throws -> Outcome {
    try workplace.write(
      """
      net: "net.prototxt" base_lr: 0.001 momentum: 0.9 lr_policy: "fixed"
      max_iter: \(iterations) snapshot_prefix: "\(name)" random_seed: 3
      """, "\(name).prototxt")
    return try workplace.sparsec(["train", "--solver", "\(name).prototxt"] + more)
  }

  /// - Parameter words: what the one line is made of, in order.
  private func expect(
    _ outcome: Outcome, _ words: String...,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
    let lines = outcome.errors.split(whereSeparator: \.isNewline)
    #expect(lines.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
    var rest = outcome.errors[...]
    for word in words {
      let place = rest.range(of: word)
      #expect(place != nil, "\(word): \(outcome.errors)", sourceLocation: sourceLocation)
      rest = place.map { rest[$0.upperBound...] } ?? rest
    }
  }

  /// Changes the file of a database where a record lies.
  private func overwrite(_ file: String, _ record: [UInt8], at offset: Int, _ byte: UInt8) throws {
    let bytes = Data(try workplace.bytes(file))
    let place = try #require(bytes.range(of: Data(record)))
    var changed = bytes
    changed[place.lowerBound + offset] = byte
    try workplace.write(Array(changed), file)
  }

  @Test(arguments: [
    // The tag of the pixels, and the height.
    (6, UInt8(0x23), "is no Datum: field 4 has the wrong kind"),
    (3, 3, "has a size of 1 x 3 x 2, but 4 values"),
  ])
  func `a damaged record of an LMDB`(_ offset: Int, _ byte: UInt8, _ words: String) throws {
    try makeDatabase("lmdb")
    try net(database("lmdb"))
    #expect(try train("whole").status == 0)
    let good = try workplace.bytes("lmdb/data.mdb")
    try overwrite("lmdb/data.mdb", record(7), at: offset, byte)
    expect(
      try train("run"), "lmdb: record \"00000007\": \(words)",
      "; make the database again (layer \"digits\"); iteration 3 is saved: mend this, and go on "
        + "from run_iter_3.solverstate\n")
    // Nothing of the run is lost.
    try workplace.write(good, "lmdb/data.mdb")
    let resumed = try train("run", "--snapshot", "run_iter_3.solverstate")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(
      try workplace.bytes("run_iter_10.caffemodel") == workplace.bytes("whole_iter_10.caffemodel"))
  }

  @Test func `a damaged record of a LevelDB, and a damaged LevelDB`() throws {
    var records = (0..<12).map { (String(format: "%08d", $0), record($0)) }
    records[5].1.removeLast()
    try writeLevelDB("leveldb", records)
    try net(database("leveldb", backend: "LEVELDB"))
    expect(
      try train("run"), "leveldb: record \"00000005\": is no Datum", "; make the database again",
      "iteration 2 is saved", "run_iter_2.solverstate")
    // A checksum tells what has changed since it was written.
    let table = try #require(
      workplace.contents().first { $0.hasPrefix("leveldb/") && $0.hasSuffix(".ldb") })
    try overwrite(table, record(0), at: 6, 9)
    expect(try train("run"), "leveldb: ", "Corruption")
  }

  private func writeLevelDB(_ name: String, _ records: [(String, [UInt8])]) throws {
    let options = try #require(leveldb_options_create())
    leveldb_options_set_create_if_missing(options, 1)
    leveldb_options_set_compression(options, Int32(leveldb_no_compression))
    let writing = leveldb_writeoptions_create()
    defer {
      leveldb_writeoptions_destroy(writing)
      leveldb_options_destroy(options)
    }
    var message: UnsafeMutablePointer<CChar>?
    let database = try #require(leveldb_open(options, workplace.path(name), &message))
    for (key, value) in records {
      value.withUnsafeBytes { bytes in
        leveldb_put(
          database, writing, key, key.utf8.count,
          bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &message)
      }
    }
    leveldb_compact_range(database, nil, 0, nil, 0)
    leveldb_close(database)
    #expect(message == nil)
  }

  @Test func `a JPEG file that is cut off in a record`() throws {
    try FileManager.default.createDirectory(
      atPath: workplace.path("lmdb"), withIntermediateDirectories: false)
    let writer = try LMDBWriter(folder: workplace.path("lmdb"), name: "lmdb")
    for number in 0..<6 {
      let whole = try jpeg(shade: UInt8(20 * number))
      let file = number == 4 ? Array(whole.prefix(whole.count / 2)) : whole
      try writer.put(
        key: "\(number)_a.jpg",
        value: Datum(size: nil, data: file, label: 1, isEncoded: true).serialized)
    }
    try writer.finish()
    try net(database("lmdb"))
    expect(
      try train("run"), "lmdb: record \"4_a.jpg\": the picture: damaged JPEG image: ",
      "iteration 2 is saved")
  }

  private func jpeg(shade: UInt8) throws -> [UInt8] {
    var form = jpeg_form()
    (form.width, form.height) = (32, 32)
    form.coding = jpeg_coding_ycbcr
    (form.horizontal_sampling, form.vertical_sampling) = (1, 1)
    form.quality = 90
    let pixels = (0..<32 * 32 * 3).map { UInt8(truncatingIfNeeded: $0 * $0) / 2 &+ shade }
    var count = 0
    let encoded = try #require(encode_jpeg(&form, pixels, &count))
    defer { free(encoded) }
    return Array(UnsafeBufferPointer(start: encoded, count: count))
  }

  @Test func `a picture of a list that is missing`() throws {
    for name in 0..<6 where name != 3 {
      try workplace.writeImage([UInt8](repeating: UInt8(name), count: 16), "\(name).png")
    }
    try workplace.write((0..<6).map { "\($0).png \($0 % 3)\n" }.joined(), "list")
    try net(
      """
      layer {
        name: "pictures" type: "ImageData" top: "data" top: "label"
        image_data_param { source: "list" batch_size: 2 }
      }
      """)
    expect(
      try train("run"), "list:4:1: 3.png: cannot be read: No such file or directory",
      "(layer \"pictures\")", "iteration 1 is saved: mend this, and go on from run_iter_1.solver")
    try workplace.writeImage([UInt8](repeating: 3, count: 16), "3.png")
    #expect(try train("whole").status == 0)
    let resumed = try train("run", "--snapshot", "run_iter_1.solverstate")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(
      try workplace.bytes("run_iter_10.caffemodel") == workplace.bytes("whole_iter_10.caffemodel"))
  }

  @Test func `labels that are no classes`() throws {
    try makeDatabase("lmdb")
    try net(database("lmdb"), outputs: 2)
    // The third picture has the label 2.
    expect(
      try train("run"), "net.prototxt:",
      "layer \"loss\" (SoftmaxWithLoss): label 2.0 of item 0 is not one of the 2 classes 0 to 1",
      "iteration 1 is saved")
  }

  @Test func `a mean of another shape, and a database that is not there`() throws {
    try makeDatabase("lmdb")
    try makeDatabase("other", side: 3)
    let mean = try workplace.sparsec("convert", "mean", "other", "-o", "mean.binaryproto")
    #expect(mean.status == 0, "\(mean.errors)")
    try net(database("lmdb", "transform_param { mean_file: \"mean.binaryproto\" }"))
    expect(
      try train("run"),
      "mean.binaryproto: holds a mean of 1 x 3 x 3, but the pictures of lmdb have 1 x 2 x 2")
    try net(database("no_lmdb"))
    expect(try train("run"), "no_lmdb: there is no such LMDB (layer \"digits\")")
    #expect(try !workplace.contents().contains { $0.hasPrefix("run_iter") })
  }

  @Test func `a snapshot of another net`() throws {
    try makeDatabase("lmdb")
    try net(database("lmdb"))
    #expect(try train("run", iterations: 2).status == 0)
    try net(database("lmdb"), outputs: 4)
    expect(
      try train("run", "--snapshot", "run_iter_2.solverstate"),
      "run_iter_2.caffemodel: layer \"ip\": blob 0 has shape [3,4] where the net needs [4,4]")
  }

  /// Whether file systems may be mounted, out of sight of all others.
  private static let canMount: Bool = {
    let outcome = try? Workplace().shell("unshare -m mount -t tmpfs none /mnt")
    return outcome?.status == 0
  }()

  private func onSmallDisk(_ size: String, _ line: String) throws -> Outcome {
    try FileManager.default.createDirectory(
      atPath: workplace.path("disk"), withIntermediateDirectories: true)
    // What is on it afterwards goes to standard output.
    return try workplace.shell(
      "unshare -m sh -c 'mount -t tmpfs -o size=\(size) none disk && { \(line); status=$?; "
        + "find disk -type f; exit $status; }'")
  }

  @Test(.enabled(if: canMount, "needs the right to mount a small disk"))
  func `a disk that is full`() throws {
    try makeDatabase("lmdb")
    try net(database("lmdb"), outputs: 3000)
    try workplace.write(
      """
      net: "net.prototxt" base_lr: 0.001 lr_policy: "fixed" max_iter: 4 random_seed: 3
      snapshot: 2 snapshot_prefix: "disk/run"
      """, "full.prototxt")
    let training = try onSmallDisk("32k", "$SPARSEC train --solver full.prototxt")
    #expect(training.status == 1)
    let lines = training.errors.split(separator: "\n")
    #expect(lines.count == 3, "\(training.errors)")
    // On the way it may get better; in the end it is an error.
    for line in lines.dropLast() {
      #expect(line.contains("no snapshot at iteration "), "\(line)")
      #expect(line.contains("training goes on"), "\(line)")
    }
    #expect(lines.last?.hasPrefix("disk/run_iter_4.caffemodel: can not be written") == true)
    #expect(!training.output.contains("disk/run"), "\(training.output)")

    try makeDatabase("large", count: 200, side: 40)
    let conversion = try onSmallDisk("64k", "$SPARSEC convert mnist images labels -o disk/lmdb")
    expect(conversion, "disk/lmdb: cannot be ")
    #expect(conversion.output.isEmpty, "\(conversion.output)")
  }
}
