import Datasets
import Foundation
import IR
import Plotting

/// Draws what training logs tell.
public enum Plot {
  /// Reads logs, compressed or not, and draws them into one file, which appears whole or not at all.
  ///
  /// - Parameters:
  ///   - logs: files of Caffe, its forks or `sparsec train`, at least one.
  ///   - output: a name that ends in .svg or .png.
  public static func draw(_ logs: [String], to output: String) throws(Diagnostic)
    -> Conversion.Result
  {
    let ending = (output as NSString).pathExtension.lowercased()
    guard Figure.endings.contains(ending) else {
      throw .error(
        "is no kind of file to draw into; name one that ends in .svg or .png", file: output)
    }
    var read: [TrainingLog] = []
    for path in logs {
      var log = try TrainingLog(CompressedFile.read(path, limit: 1 << 30), file: path)
      for ending in [".gz", ".info", ".log", ".json", ".txt"] where log.name.hasSuffix(ending) {
        log.name.removeLast(ending.count)
      }
      read.append(log)
    }
    let file = try FileInTheMaking(output)
    do throws(Diagnostic) {
      try Figure(read).write(to: file.partial, ending: ending)
    } catch {
      throw .error(error.message, file: output)
    }
    try file.finish()
    let points = read.flatMap(\.curves).reduce(0) { $0 + $1.points.count }
    return Conversion.Result(
      text: "\(output.onOneLine): \(Quantity.plural(points, "point"))\n", findings: [])
  }
}
