import IR

/// The two IDX files of MNIST, plain or compressed.
public struct MNISTFiles {
  /// Images and labels, for messages and for reading.
  public let images: String
  public let labels: String

  public init(images: String, labels: String) {
    self.images = images
    self.labels = labels
  }

  /// Writes an LMDB as convert_mnist_data does: keys of eight digits, one channel.
  ///
  /// - Returns: the number of records.
  /// - Throws: one line about a file of wrong size or kind, or a label that is not 0 to 9.
  public func write(
    to database: LMDBWriter, progress: (Double) -> Void
  ) throws(Diagnostic) -> Int {
    let pictures = try IDXFile(images, magic: 2051, extents: 3)
    let numbers = try IDXFile(labels, magic: 2049, extents: 1)
    let (count, height, width) = (pictures.extents[0], pictures.extents[1], pictures.extents[2])
    guard numbers.extents[0] == count else {
      throw .error(
        "has \(numbers.extents[0]) labels, but \(images) has \(count) images", file: labels)
    }
    let pixels = height * width
    for item in 0..<count {
      let label = numbers.values[item]
      guard label <= 9 else {
        throw .error("item \(item) has the label \(label); those of MNIST are 0 to 9", file: labels)
      }
      let datum = Datum(
        size: (1, height, width), data: Array(pictures.values[item * pixels..<(item + 1) * pixels]),
        label: Int32(label))
      try database.put(key: item.digits(8), value: datum.serialized)
      if item % 1000 == 0 { progress(Double(item) / Double(count)) }
    }
    try database.finish()
    return count
  }
}

/// A file of bytes in IDX form: a magic number, extents, values.
private struct IDXFile {
  let extents: [Int]
  /// Row-major.
  let values: [UInt8]

  init(_ path: String, magic: UInt32, extents axes: Int) throws(Diagnostic) {
    let bytes = try CompressedFile.read(path)
    func word(_ index: Int) -> UInt32 {
      bytes[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    let header = 4 * (axes + 1)
    guard bytes.count >= header, word(0) == magic else {
      let what = axes == 1 ? "labels" : "images"
      throw .error("is no IDX file of \(what) (magic number \(magic))", file: path)
    }
    extents = (1...axes).map { Int(word($0)) }
    let text = extents.map(String.init).joined(separator: " x ")
    let shape: Shape
    do throws(ShapeError) {
      shape = try Shape(extents)
    } catch {
      throw .error("announces \(text) bytes, which cannot be", file: path)
    }
    guard bytes.count - header == shape.count else {
      throw .error(
        "announces \(text) bytes behind its head, but has \(bytes.count - header)", file: path)
    }
    values = Array(bytes[header...])
  }
}

extension Int {
  /// The number with at least so many digits, as Caffe's keys have it.
  func digits(_ count: Int) -> String {
    let text = String(self)
    return String(repeating: "0", count: Swift.max(0, count - text.count)) + text
  }
}
