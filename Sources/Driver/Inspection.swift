import Caffe
import Foundation
import IR

/// What is in a file, whatever kind of file it is.
public enum Inspection: Sendable {
  case net(NetInspection)
  case solver(SolverInspection)
  case caffemodel(CaffemodelInspection)
  case solverstate(SolverstateInspection)
  case compiled(CompiledInspection)

  /// What to look at, and what a net may need besides.
  public struct Options: Sendable {
    public var file: String
    /// The weights of a net's definition.
    public var weights: String?
    /// The blocks whose zeros are counted; none for those that the net itself names, or the standard.
    public var blocks: [BlockSize] = []
    public var inputShapes: [InputShapeWish] = []
    public var allowUnknownFields = false

    public init(file: String) { self.file = file }
  }

  /// Looks into a file; what it is, its content tells, not its name.
  public init(_ options: Options) throws(Diagnostic) {
    let kind = try FileKind(of: options.file)
    guard options.weights == nil || kind == .text else {
      throw .error("weights go with a prototxt, which this file is not", file: options.file)
    }
    switch kind {
    case .sharedObject:
      self = .compiled(CompiledInspection(try CompiledNetwork(inspecting: options.file)))
    case .solverstate:
      self = .solverstate(
        SolverstateInspection(try SolverStateFile(contentsOf: options.file), file: options.file))
    case .binary:
      self = .caffemodel(
        CaffemodelInspection(
          try Caffemodel(contentsOf: options.file), file: options.file,
          blocks: options.blocks.isEmpty ? [.standard] : options.blocks))
    case .text:
      let prototxt = try Prototxt.read(
        options.file, allowUnknownFields: options.allowUnknownFields)
      switch prototxt.kind {
      case .solver:
        guard options.weights == nil else {
          throw .error("weights go with a net, and this is a solver", file: options.file)
        }
        self = .solver(SolverInspection(prototxt))
      case .net:
        let source = try NetworkSource.read(
          definition: options.file, weights: options.weights, inputShapes: options.inputShapes,
          allowUnknownFields: options.allowUnknownFields)
        self = .net(
          NetInspection(
            source, hasWeights: options.weights != nil,
            blocks: BlockSizes(wish: options.blocks, net: prototxt)))
      }
    }
  }

  /// The result for people.
  public var text: String {
    switch self {
    case .net(let inspection): inspection.text
    case .solver(let inspection): inspection.text
    case .caffemodel(let inspection): inspection.text
    case .solverstate(let inspection): inspection.text
    case .compiled(let inspection): inspection.text
    }
  }

  /// The result as a JSON document; of a compiled network, its report.
  public func json() throws(Diagnostic) -> String {
    switch self {
    case .net(let inspection): try JSONText.document(inspection)
    case .solver(let inspection): try JSONText.document(inspection)
    case .caffemodel(let inspection): try JSONText.document(inspection)
    case .solverstate(let inspection): try JSONText.document(inspection)
    case .compiled(let inspection):
      String(decoding: try inspection.manifest.encoded(), as: UTF8.self)
    }
  }

  /// Warnings and notes about the file.
  public var findings: [Diagnostic] {
    switch self {
    case .net(let inspection): inspection.findings
    case .solver(let inspection): inspection.findings
    case .caffemodel(let inspection): inspection.findings
    case .solverstate, .compiled: []
    }
  }
}

/// What a file's first bytes say that it is.
enum FileKind {
  case text
  case sharedObject
  case solverstate
  /// Something binary; a caffemodel's reader says more if it is none.
  case binary

  /// How many bytes are looked at.
  static let prefixLength = 1024

  init(of path: String) throws(Diagnostic) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .error("there is no such file", file: path)
    }
    guard !isFolder.boolValue else {
      throw .error("is a folder where a file is expected", file: path)
    }
    let prefix: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      prefix = try handle.read(upToCount: Self.prefixLength) ?? Data()
    } catch {
      throw .error("cannot be read: \(error.localizedDescription)", file: path)
    }
    guard !prefix.isEmpty else { throw .error("is empty", file: path) }
    self.init(prefix: prefix)
  }

  /// - Precondition: there is a byte.
  init(prefix: Data) {
    let isText = prefix.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }
    if prefix.starts(with: [0x7f] + Array("ELF".utf8)) {
      self = .sharedObject
    } else if isText {
      self = .text
    } else {
      // Field 1 is a number in a solverstate (its iteration) and a text in a net (its name).
      self = prefix.first == 0x08 ? .solverstate : .binary
    }
  }
}
