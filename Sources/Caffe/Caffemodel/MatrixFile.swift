import Foundation
import IR

/// A matrix in a BlobProto file, as InfogainLoss takes one.
enum MatrixFile {
  /// The numbers of the file, row-major.
  ///
  /// - Parameter location: where the file is named, for messages.
  static func read(contentsOf path: String, at location: SourceLocation?) throws(Diagnostic)
    -> [Float]
  {
    do {
      return try values(BinaryFile.contents(of: path), file: path)
    } catch {
      throw .error("the matrix \(Spelling.quoted(path)): \(error.message)", at: location)
    }
  }

  private static func values(_ data: Data, file: String) throws(Diagnostic) -> [Float] {
    let wire = try BinaryFile.decode(
      WireBlobProto.self, as: .blob, from: data, file: file, what: "a matrix in binaryproto")
    do {
      return try Blob(wire).values
    } catch {
      throw .error("is no matrix: \(error)", file: file)
    }
  }
}
