import Caffe
import Datasets
import Foundation
import IR

/// Turns data sets into the databases and mean images that Caffe's nets read.
///
/// Results appear whole or not at all; what goes wrong is one line.
public enum DataConversion {
  /// What is told how far a conversion has come: what is being done, and the share that is done.
  public typealias Notice = (String, Double) -> Void

  /// Writes the two files of MNIST into an LMDB.
  public static func mnist(
    images: String, labels: String, to output: String, notice: Notice = { _, _ in }
  ) throws(Diagnostic) -> Conversion.Result {
    try database(output) { database throws(Diagnostic) in
      try MNISTFiles(images: images, labels: labels).write(to: database) { notice(output, $0) }
    }
  }

  /// Writes the binary version of CIFAR-10 as two LMDBs and the mean of the first into a folder, which may have other
  /// files in it.
  public static func cifar10(
    folder: String, to output: String, notice: Notice = { _, _ in }
  ) throws(Diagnostic) -> Conversion.Result {
    let made = try PartsInTheMaking(
      output, parts: CIFARFiles.Part.allCases.map(\.databaseName) + [meanName])
    var text = ""
    for part in CIFARFiles.Part.allCases {
      let (name, path) = (part.databaseName, "\(made.partial)/\(part.databaseName)")
      try makeFolder(path, name: "\(output)/\(name)")
      let database = try LMDBWriter(folder: path, name: "\(output)/\(name)")
      let count = try CIFARFiles(folder: folder).write(part, to: database) { notice(name, $0) }
      text += "\(output.onOneLine)/\(name): \(Quantity.plural(count, "record"))\n"
    }
    let mean = try DatabaseMean.compute(of: "\(made.partial)/\(CIFARFiles.Part.train.databaseName)")
    {
      notice(meanName, $0)
    }
    try write(mean, to: "\(made.partial)/\(meanName)", name: "\(output)/\(meanName)")
    text += "\(output.onOneLine)/\(meanName): mean of \(size(of: mean))\n"
    try made.finish()
    return Conversion.Result(text: text, findings: [])
  }

  private static let meanName = "mean.binaryproto"

  /// Writes the pictures of a list into an LMDB.
  ///
  /// - Parameters:
  ///   - root: the folder that the list's paths are relative to.
  ///   - size: what to stretch pictures to; nil for their own sizes.
  ///   - shuffleSeed: the seed of a random order; nil for the list's own.
  ///   - isEncoded: whether pictures stay files.
  public static func images(
    list: String, root: String, to output: String, size: PictureSizeWish? = nil,
    isGray: Bool = false, shuffleSeed: UInt64? = nil, isEncoded: Bool = false,
    notice: Notice = { _, _ in }
  ) throws(Diagnostic) -> Conversion.Result {
    var set = ImageSet(list: list, root: root)
    set.size = size.map { ($0.height, $0.width) }
    set.isGray = isGray
    set.shuffleSeed = shuffleSeed
    set.isEncoded = isEncoded
    return try database(output) { database throws(Diagnostic) in
      try set.write(to: database) { notice(output, $0) }
    }
  }

  /// Writes the mean of a database's pictures.
  public static func mean(
    of database: String, to output: String, notice: Notice = { _, _ in }
  ) throws(Diagnostic) -> Conversion.Result {
    let mean = try DatabaseMean.compute(of: database) { notice(database, $0) }
    try write(mean, to: output, name: output)
    return Conversion.Result(
      text: "\(output.onOneLine): mean of \(size(of: mean))\n", findings: [])
  }

  /// Makes an LMDB of what `fill` puts into it.
  private static func database(
    _ output: String, fill: (LMDBWriter) throws(Diagnostic) -> Int
  ) throws(Diagnostic) -> Conversion.Result {
    let folder = try FolderInTheMaking(output)
    let count = try fill(LMDBWriter(folder: folder.partial, name: output))
    try folder.finish()
    return Conversion.Result(
      text: "\(output.onOneLine): \(Quantity.plural(count, "record"))\n", findings: [])
  }

  private static func makeFolder(_ path: String, name: String) throws(Diagnostic) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    } catch {
      throw .error("cannot be made: \(error.localizedDescription)", file: name)
    }
  }

  private static func write(
    _ mean: Tensor, to path: String, name: String
  ) throws(Diagnostic) {
    let data = try MeanFile.serialized(mean, file: name)
    do throws(Diagnostic) {
      try FileInTheMaking.write(data, to: path)
    } catch {
      throw .error(error.message, file: name)
    }
  }

  private static func size(of mean: Tensor) -> String {
    mean.shape.extents.map(String.init).joined(separator: " x ")
  }
}

/// A picture's size as a user writes it: `HxW`.
public struct PictureSizeWish: Hashable, Sendable {
  public var height: Int
  public var width: Int

  /// nil if the text is not two sides of 1 to 65535 pixels, the most that a JPEG file has.
  public init?(text: String) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).compactMap {
      Int($0).flatMap { (1...65535).contains($0) ? $0 : nil }
    }
    guard sides.count == 2, text.count(where: { $0 == "x" }) == 1 else { return nil }
    (height, width) = (sides[0], sides[1])
  }
}
