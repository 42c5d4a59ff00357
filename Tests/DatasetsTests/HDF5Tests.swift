import CHDF5
import IR
import Testing

@testable import Datasets

struct HDF5Tests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func write(
    _ name: String, _ arrays: [(name: String, extents: [Int], values: [Float])]
  ) throws {
    let file = hdf5_create(scratch.path(name))
    try #require(file >= 0)
    for array in arrays {
      var layout = hdf5_layout()
      layout.axes = Int32(array.extents.count)
      withUnsafeMutableBytes(of: &layout.extents) { bytes in
        let extents = bytes.bindMemory(to: UInt64.self)
        for (axis, extent) in array.extents.enumerated() { extents[axis] = UInt64(extent) }
      }
      #expect(hdf5_write(file, array.name, &layout, array.values) == hdf5_done)
    }
    #expect(hdf5_close(file))
  }

  /// Rows valued 10 * row + column, labelled as numbered.
  private func write(_ name: String, rows: Range<Int>) throws {
    try write(
      name,
      [
        ("data", [rows.count, 2], rows.flatMap { [Float(10 * $0), Float(10 * $0 + 1)] }),
        ("label", [rows.count], rows.map { Float($0) }),
      ])
  }

  private func settings(_ files: [String], batch: Int = 2) throws -> DataSource.HDF5Files {
    try scratch.write(files.map { scratch.path($0) + "\n" }.joined(), "list.txt")
    return .init(path: scratch.path("list.txt"), batch: batch, datasets: ["data", "label"])
  }

  @Test func `rows of all files come in order, round and round`() throws {
    try write("a.h5", rows: 0..<3)
    try write("b.h5", rows: 3..<5)
    let source = try open(.hdf5(settings(["a.h5", "b.h5"])))
    #expect(source.shapes.map(\.extents) == [[2, 2], [2]])
    #expect(try source.batch() == [[0, 1, 10, 11], [0, 1]])
    #expect(try (0..<4).map { _ in try source.batch()[1] } == [[2, 3], [4, 0], [1, 2], [3, 4]])
    #expect(try source.batch(tops: 1) == [[0, 1, 10, 11]])
  }

  @Test func `shuffling mixes the rows of each file, and files`() throws {
    try write("a.h5", rows: 0..<3)
    try write("b.h5", rows: 3..<6)
    var settings = try settings(["a.h5", "b.h5"], batch: 3)
    settings.shuffles = true
    let source = try open(.hdf5(settings))
    var files: [Set<Float>] = []
    var orders: Set<[Float]> = []
    for _ in 0..<20 {
      let labels = try source.batch()[1]
      files.append(Set(labels))
      orders.insert(labels)
    }
    for round in stride(from: 0, to: 20, by: 2) {
      #expect(Set(files[round...round + 1]) == [[0, 1, 2], [3, 4, 5]])
    }
    #expect(orders.count > 6)
    #expect(Set(stride(from: 0, to: 20, by: 2).map { files[$0] }).count == 2)
  }

  @Test func `runs go on where they were`() throws {
    try write("a.h5", rows: 0..<3)
    try write("b.h5", rows: 3..<7)
    var settings = try settings(["a.h5", "b.h5"], batch: 2)
    settings.shuffles = true
    let whole = try open(.hdf5(settings))
    for steps in 0..<9 {
      let resumed = try open(.hdf5(settings), seed: 50)
      try resumed.move(to: whole.position)
      let again = try open(.hdf5(settings), seed: 51)
      try again.move(to: whole.position)
      for _ in 0..<6 { #expect(try resumed.batch() == again.batch(), "\(steps)") }
      try again.move(to: whole.position)
      #expect(try again.batch() == whole.batch())
    }
    let one = try open(.hdf5(self.settings(["a.h5"])))
    #expect(message { try one.move(to: whole.position) }.contains("stored position"))
  }

  @Test func `files that do not fit are refused`() throws {
    try write("a.h5", rows: 0..<3)
    func refusal(_ files: [String], _ datasets: [String] = ["data", "label"]) throws -> String {
      var settings = try settings(files)
      settings.datasets = datasets
      return message { _ = try open(.hdf5(settings)) }
    }
    #expect(try refusal(["no.h5"]).hasPrefix(scratch.path("no.h5") + ": is missing, or no HDF5"))
    try scratch.write("text", "text.h5")
    #expect(try refusal(["text.h5"]).contains("no HDF5 file"))
    #expect(try refusal(["a.h5"], ["data", "labels"]).contains("has no dataset \"labels\""))
    try write(
      "b.h5", [("data", [3, 3], .init(repeating: 0, count: 9)), ("label", [3], [1, 2, 3])])
    let line = try refusal(["a.h5", "b.h5"])
    #expect(line.contains("dataset \"data\" has shape [3,3], in"), "\(line)")
    try write("c.h5", [("data", [3, 2], .init(repeating: 0, count: 6)), ("label", [2], [1, 2])])
    #expect(try refusal(["c.h5"]).contains("\"label\" has 2 rows, \"data\" has 3"))
    try write("d.h5", [("data", [], [1])])
    #expect(try refusal(["d.h5"], ["data"]).contains("has no axes"))
    #expect(try refusal([]).contains("lists no HDF5 files"))
  }
}
