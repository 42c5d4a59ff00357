import IR

/// The binary version of CIFAR-10: files of 10,000 records, label and planes of red, green and blue.
public struct CIFARFiles {
  public enum Part: String, CaseIterable {
    case train
    case test

    /// What convert_cifar_data calls its databases.
    public var databaseName: String { "cifar10_\(rawValue)_lmdb" }

    fileprivate var files: [String] {
      switch self {
      case .train: (1...5).map { "data_batch_\($0).bin" }
      case .test: ["test_batch.bin"]
      }
    }
  }

  private static let recordsPerFile = 10_000
  private static let side = 32
  private static let pixels = 3 * side * side

  private let folder: String

  /// - Parameter folder: where data_batch_1.bin and the others are.
  public init(folder: String) { self.folder = folder }

  /// Writes an LMDB as convert_cifar_data does: keys of five digits, in the order of the files, planes
  /// as they are.
  ///
  /// - Returns: the number of records.
  /// - Throws: one line about a file that is missing, of wrong size, or has a label that is not 0 to 9.
  public func write(
    _ part: Part, to database: LMDBWriter, progress: (Double) -> Void
  ) throws(Diagnostic) -> Int {
    var item = 0
    for name in part.files {
      let path = folder + (folder.hasSuffix("/") ? "" : "/") + name
      let bytes = try CompressedFile.read(path)
      let wanted = Self.recordsPerFile * (Self.pixels + 1)
      guard bytes.count == wanted else {
        throw .error(
          "has \(bytes.count) bytes, a file of the binary version of CIFAR-10 has \(wanted)",
          file: path)
      }
      for start in stride(from: 0, to: wanted, by: Self.pixels + 1) {
        guard bytes[start] <= 9 else {
          throw .error(
            "record \(start / (Self.pixels + 1)) has the label \(bytes[start]); "
              + "those of CIFAR-10 are 0 to 9", file: path)
        }
        let datum = Datum(
          size: (3, Self.side, Self.side), data: Array(bytes[start + 1...start + Self.pixels]),
          label: Int32(bytes[start]))
        try database.put(key: item.digits(5), value: datum.serialized)
        item += 1
      }
      progress(Double(item) / Double(part.files.count * Self.recordsPerFile))
    }
    try database.finish()
    return item
  }
}
