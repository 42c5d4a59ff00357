import Foundation
import IR

/// Batches of rows of the HDF5 files that a file lists, round and round.
///
/// Tops: one for each dataset, [batch] and the dataset's axes but the first. One file at a time is in
/// memory, as in Caffe; with shuffling, the order of files is new in every round, and that of rows
/// whenever a file is read. It works on its caller's thread, since the library is not made for several.
final class HDF5Source: BatchSource {
  let shapes: [Shape]
  private let settings: DataSource.HDF5Files
  private let origin: Origin
  private let files: [String]
  private var fileOrder: EpochOrder
  private var rowOrder: EpochOrder
  private var fileIndex = 0
  private var row = 0
  /// The file in memory, array by array.
  private var loaded: (rows: Int, arrays: [[Float]])

  private static let stateKind: UInt8 = 3

  /// Reads the first file and the shapes of all.
  init(
    _ settings: DataSource.HDF5Files, layer: String, random: RandomSource
  ) throws(Diagnostic) {
    let origin = Origin(settings.path, layer: layer)
    guard settings.batch > 0 else { throw origin.error("a batch_size of \(settings.batch)") }
    guard !settings.datasets.isEmpty else { throw origin.error("no dataset is wanted of it") }
    self.settings = settings
    self.origin = origin
    let bytes = try CompressedFile.read(settings.path, limit: 1 << 26, origin: origin)
    files = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map {
      String($0)
    }
    guard !files.isEmpty else { throw origin.error("lists no HDF5 files") }
    var random = random
    fileOrder = EpochOrder(
      count: files.count, isShuffled: settings.shuffles, seed: random.next())
    shapes = try Self.checkAll(files, settings, origin)
    loaded = try Self.load(files[fileOrder[0]], settings.datasets, origin)
    rowOrder = EpochOrder(
      count: loaded.rows, isShuffled: settings.shuffles, seed: random.next())
  }

  /// The shapes of the tops, which all files must agree on.
  private static func checkAll(
    _ files: [String], _ settings: DataSource.HDF5Files, _ origin: Origin
  ) throws(Diagnostic) -> [Shape] {
    var first: [Shape] = []
    for path in files {
      let file = try HDF5File(path, origin)
      let shapes = try Self.shapes(of: file, path, settings.datasets, origin)
      if first.isEmpty { first = shapes }
      for (name, (old, new)) in zip(settings.datasets, zip(first, shapes))
      where old.extents.dropFirst() != new.extents.dropFirst() {
        throw origin.error(
          "dataset \"\(name)\" has shape \(new), in \(files[0]) it is \(old)", file: path)
      }
    }
    do throws(ShapeError) {
      var tops: [Shape] = []
      for shape in first { tops.append(try shape.replacing(axis: 0, with: settings.batch)) }
      return tops
    } catch {
      throw origin.error("a batch of \(settings.batch): \(error)")
    }
  }

  /// The shapes of a file's arrays, which agree in their first axis.
  private static func shapes(
    of file: borrowing HDF5File, _ path: String, _ names: [String], _ origin: Origin
  ) throws(Diagnostic) -> [Shape] {
    var shapes: [Shape] = []
    for name in names {
      let shape = try file.shape(of: name)
      guard shapes.isEmpty || shape[0] == shapes[0][0] else {
        throw origin.error(
          "dataset \"\(name)\" has \(shape[0]) rows, \"\(names[0])\" has \(shapes[0][0])",
          file: path)
      }
      shapes.append(shape)
    }
    return shapes
  }

  private static func load(
    _ path: String, _ names: [String], _ origin: Origin
  ) throws(Diagnostic) -> (rows: Int, arrays: [[Float]]) {
    let file = try HDF5File(path, origin)
    let shapes = try shapes(of: file, path, names, origin)
    var arrays: [[Float]] = []
    for (name, shape) in zip(names, shapes) {
      arrays.append(try file.values(of: name, shape: shape))
    }
    return (shapes[0][0], arrays)
  }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    for item in 0..<settings.batch {
      // Not sooner, so that the last batch of a file does not wait for the next one.
      if row == loaded.rows { try beginNextRows() }
      for (top, (array, shape)) in zip(tops, zip(loaded.arrays, shapes)) {
        let count = shape.count / settings.batch
        let from = rowOrder[row] * count
        let target = UnsafeMutableBufferPointer(rebasing: top[item * count..<(item + 1) * count])
        _ = target.update(fromContentsOf: array[from..<from + count])
      }
      row += 1
    }
  }

  private func beginNextRows() throws(Diagnostic) {
    if files.count > 1 {
      let isLast = fileIndex + 1 == files.count
      var order = fileOrder
      if isLast { order.advance() }
      let index = isLast ? 0 : fileIndex + 1
      loaded = try reload(files[order[index]])
      (fileOrder, fileIndex) = (order, index)
    }
    rowOrder.advance(count: loaded.rows)
    row = 0
  }

  /// Reads a file that may have changed since it was first looked at.
  private func reload(_ path: String) throws(Diagnostic) -> (rows: Int, arrays: [[Float]]) {
    let new = try Self.load(path, settings.datasets, origin)
    for (array, shape) in zip(new.arrays, shapes)
    where array.count != new.rows * (shape.count / settings.batch) {
      throw origin.error("has other shapes than when training began", file: path)
    }
    return new
  }

  var position: [UInt8] {
    var state = SourceStateWriter(Self.stateKind)
    state.append(files.count)
    state.append(fileOrder)
    state.append(fileIndex)
    state.append(rowOrder)
    state.append(row)
    return state.bytes
  }

  func move(to position: [UInt8]) throws(Diagnostic) {
    guard var state = SourceStateReader(position, Self.stateKind),
      state.number(in: files.count..<files.count + 1) != nil,
      let fileOrder = state.order(count: files.count, isShuffled: settings.shuffles),
      let fileIndex = state.number(in: 0..<files.count)
    else { throw origin.error("the stored position is not one of these files") }
    let loaded = try reload(files[fileOrder[fileIndex]])
    guard let rowOrder = state.order(count: loaded.rows, isShuffled: settings.shuffles),
      let row = state.number(in: 0..<loaded.rows + 1), state.isAtEnd
    else { throw origin.error("the stored position is not one of these files") }
    self.loaded = loaded
    (self.fileOrder, self.fileIndex) = (fileOrder, fileIndex)
    (self.rowOrder, self.row) = (rowOrder, row)
  }
}
