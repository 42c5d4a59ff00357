import Codegen
import Foundation
import IR

/// A folder with everything that a network is built from; temporary unless the user asked to keep it.
public struct BuildFolder: ~Copyable {
  public let path: String
  private let isTemporary: Bool

  /// A fresh temporary folder, removed when this value ends.
  public static func temporary() throws(Diagnostic) -> BuildFolder {
    var template = UnfinishedFiles.temporaryTemplate()
    let path = UnfinishedFiles.make {
      guard mkdtemp(&template) != nil else { return nil }
      return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    guard let path else {
      throw .error(
        "cannot make a folder in \(NSTemporaryDirectory()): \(String(cString: strerror(errno)))")
    }
    return BuildFolder(path: path, isTemporary: true)
  }

  /// A folder that stays, made if it is not there.
  public static func permanent(_ path: String) throws(Diagnostic) -> BuildFolder {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .error("cannot be made: \(error.localizedDescription)", file: path)
    }
    return BuildFolder(path: path, isTemporary: false)
  }

  deinit {
    guard isTemporary else { return }
    try? FileManager.default.removeItem(atPath: path)
    UnfinishedFiles.remove(path)
  }

  /// Writes all files of a network.
  public func write(_ model: EmittedModel, manifest: [UInt8]) throws(Diagnostic) {
    for file in Self.files(of: model, manifest: manifest) { try write(file) }
  }

  /// Writes one file.
  public func write(_ file: SourceFile) throws(Diagnostic) {
    let target = "\(path)/\(file.name)"
    let url = URL(fileURLWithPath: target)
    do {
      // In place: a network's weights may be half a gigabyte.
      try file.bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return try Data().write(to: url) }
        try Data(
          bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count,
          deallocator: .none
        ).write(to: url)
      }
    } catch {
      throw .error("cannot be written: \(error.localizedDescription)", file: target)
    }
  }

  /// All files of a network; `Makefile` builds it from them.
  static func files(of model: EmittedModel, manifest: [UInt8]) -> [SourceFile] {
    var files = [model.source, SourceFile(name: "weights.bin", bytes: model.weights)]
    files.append(SourceFile(name: "manifest.json", bytes: manifest))
    files.append(SourceFile(name: "kernels.S", text: assembly(code: model.code, folder: nil)))
    var present = Set(model.headers.map(\.name))
    files += model.headers
    for file in Prelude.fixedSources { files.append(file) }
    let fixedHeaders = Prelude.headers(including: ["cpu.h", "run.h"])
    for file in fixedHeaders where present.insert(file.name).inserted { files.append(file) }
    return files
  }

  /// The assembly text that brings weights and manifest in, and the straight-line code; `folder` makes the
  /// paths absolute.
  static func assembly(code: String, folder: String?) -> String {
    func path(_ name: String) -> String {
      guard let folder else { return name }
      return (folder + "/" + name).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
    return """
      .section .note.GNU-stack,"",@progbits
      .section .rodata,"a",@progbits
      .globl sparsec_weights
      .hidden sparsec_weights
      .p2align 6
      sparsec_weights:
      .incbin "\(path("weights.bin"))"
      .skip 64
      .globl sparsec_manifest
      .hidden sparsec_manifest
      sparsec_manifest:
      .incbin "\(path("manifest.json"))"
      .byte 0

      """ + code
  }
}
