import Foundation
import IR
import Images

/// Pictures that a list names, on their way into a database.
public struct ImageSet {
  /// The file of lines `path label`.
  public var list: String
  /// The folder that the list's paths are relative to.
  public var root: String
  /// Rows and columns; nil for the pictures' own.
  public var size: (height: Int, width: Int)?
  public var isGray = false
  /// The seed of a random order of the lines; nil for their own.
  public var shuffleSeed: UInt64?
  /// Whether to keep pictures as files: those that are changed are encoded again.
  public var isEncoded = false

  public init(list: String, root: String) {
    self.list = list
    self.root = root
  }

  /// Writes an LMDB as convert_imageset does: keys of eight digits and the path as the list has it.
  ///
  /// - Returns: the number of records.
  /// - Throws: one line that names the list's line, also for a picture that is missing.
  public func write(
    to database: LMDBWriter, progress: (Double) -> Void
  ) throws(Diagnostic) -> Int {
    var entries = try LabelledPaths(contentsOf: Origin(list)).entries
    if let shuffleSeed {
      var random = RandomSource(seed: shuffleSeed)
      entries.shuffle(using: &random)
    }
    for (item, entry) in entries.enumerated() {
      let place = SourceLocation(file: list, line: entry.line, column: 1)
      let datum: Datum
      do throws(ImageError) {
        datum = try self.datum(entry)
      } catch {
        throw .error("\(error)", at: place)
      }
      do throws(Diagnostic) {
        try database.put(key: "\(item.digits(8))_\(entry.path)", value: datum.serialized)
      } catch {
        var located = error
        located.location = place
        throw located
      }
      progress(Double(item) / Double(entries.count))
    }
    try database.finish()
    return entries.count
  }

  private func datum(_ entry: LabelledPaths.Entry) throws(ImageError) -> Datum {
    let path = root.isEmpty || root.hasSuffix("/") ? root + entry.path : "\(root)/\(entry.path)"
    let file = try ImageDecoder.bytes(contentsOf: path)
    let original = try ImageDecoder.decode(file, name: path)
    let image = size.map { original.resized(width: $0.width, height: $0.height) } ?? original
    let color = isGray ? Image.Color.gray : .rgb
    guard isEncoded else {
      let size = image.size(as: color)
      return Datum(
        size: (size.channels, size.height, size.width), data: image.planes(as: color),
        label: entry.label, isEncoded: false)
    }
    let isUnchanged = size == nil && (!isGray || image.color == .gray)
    let bytes =
      isUnchanged
      ? file : try ImageEncoder.encode(image.converted(to: color), likeFile: file, name: path)
    return Datum(size: nil, data: bytes, label: entry.label, isEncoded: true)
  }
}

extension Image {
  /// The same picture in gray or colour.
  fileprivate func converted(to color: Color) -> Image {
    guard color != self.color else { return self }
    // Gray in three channels looks the same in either order.
    let planes = planes(as: .gray)
    let samples = color == .gray ? planes : planes.flatMap { [$0, $0, $0] }
    return Image(width: width, height: height, color: color, samples: samples)
  }
}
