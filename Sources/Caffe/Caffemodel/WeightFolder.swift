import Foundation
import IR

/// A model as a folder of Matrix Market files, as SSL's Caffe writes one when it loads a model.
///
/// Layer `conv1` has its weights in `conv1.weight`, its bias in `conv1_bias.weight` and any
/// further blob in `conv1_blob2.weight` and so on. A `/` in a layer's name makes subfolders.
public enum WeightFolder {
  /// A layer whose blobs are to be read, and their shapes.
  public struct Layer: Hashable, Sendable {
    public var name: String
    public var type: String
    public var shapes: [Shape]

    public init(name: String, type: String, shapes: [Shape]) {
      self.name = name
      self.type = type
      self.shapes = shapes
    }
  }

  /// Writes one file per blob into `folder`, which is made if need be; masks are applied.
  ///
  /// - Returns: the files' paths below the folder, in the model's order, and findings.
  /// - Throws: one line about a layer's name that can not be a file's, or a file that can not
  ///   be written.
  public static func write(_ model: Caffemodel, to folder: String)
    throws(Diagnostic) -> (files: [String], findings: [Diagnostic])
  {
    var files: [String] = []
    var findings: [Diagnostic] = []
    var taken: Set<String> = []
    for layer in model.upgraded().layers where !layer.blobs.isEmpty {
      let (blobs, remarks) = layer.effectiveBlobs(file: folder)
      findings += remarks
      let path = try path(of: layer.name, in: folder)
      for (index, blob) in blobs.enumerated() {
        let file = "\(path)\(suffix(index)).weight"
        guard taken.insert(file).inserted else {
          throw .error(
            "blob \(index) of layer \(Spelling.quoted(layer.name)) and another would both be \(file)",
            file: folder
          )
        }
        let url = URL(fileURLWithPath: folder).appendingPathComponent(file)
        do {
          try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
          throw .error("the folder for \(file) can not be made", file: folder)
        }
        try MatrixMarket.write(blob.withoutOldAxes, to: url.path)
        files.append(file)
      }
    }
    return (files, findings)
  }

  /// Reads the blobs of `layers` from files in `folder`.
  ///
  /// Besides the names that `write` uses, those of SkimCaffe are found (`conv1.mtx`,
  /// `conv1_bias.mtx`, and `coo_conv1.weight` as published). A missing bias is zero.
  ///
  /// - Parameter decompress: unpacks the content of a .gz file, given its path; without it
  ///   such files are not looked for.
  /// - Returns: a model of `layers`, and a note for each missing bias.
  /// - Throws: one line about a file that is missing or wrong.
  public static func read(
    _ folder: String, layers: [Layer], netName: String = "",
    decompress: ((Data, String) throws(Diagnostic) -> Data)? = nil
  ) throws(Diagnostic) -> (model: Caffemodel, findings: [Diagnostic]) {
    var model = Caffemodel(name: netName, layers: [])
    var findings: [Diagnostic] = []
    for layer in layers where !layer.shapes.isEmpty {
      var blobs: [Blob] = []
      let path = try path(of: layer.name, in: folder)
      for (index, shape) in layer.shapes.enumerated() {
        let name = path + suffix(index)
        if let matrix = try matrix(name, in: folder, decompress: decompress) {
          blobs.append(Blob(try matrix.tensor(of: shape)))
        } else if index == 1, hasBias(layer.type) {
          blobs.append(Blob(Tensor(shape: shape, repeating: 0)))
          findings.append(
            Diagnostic(
              .note,
              "layer \(Spelling.quoted(layer.name)): there is no \(name).weight; its bias is zero",
              file: folder))
        } else {
          throw .error(
            "layer \(Spelling.quoted(layer.name)) needs a file \(name).weight, which is not there",
            file: folder)
        }
      }
      model.layers.append(LayerBlobs(name: layer.name, type: layer.type, blobs: blobs))
    }
    return (model, findings)
  }

  private static func suffix(_ blob: Int) -> String {
    switch blob {
    case 0: ""
    case 1: "_bias"
    default: "_blob\(blob)"
    }
  }

  private static func hasBias(_ type: String) -> Bool {
    ["Convolution", "Deconvolution", "InnerProduct", "CConvolution", "CInnerProduct"].contains(type)
  }

  /// A layer's name as a path that stays inside the folder.
  private static func path(of layer: String, in folder: String) throws(Diagnostic) -> String {
    let parts = layer.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !["", ".", ".."].contains($0) && !$0.contains("\0") }) else {
      throw .error(
        "the name of layer \(Spelling.quoted(layer)) can not be that of a file", file: folder)
    }
    return layer
  }

  private static func matrix(
    _ name: String, in folder: String,
    decompress: ((Data, String) throws(Diagnostic) -> Data)?
  ) throws(Diagnostic) -> MatrixMarket? {
    var parts = name.split(separator: "/").map(String.init)
    parts.append("coo_" + parts.removeLast())
    let published = parts.joined(separator: "/")
    for candidate in ["\(name).weight", "\(name).mtx", "\(published).weight"] {
      let file = URL(fileURLWithPath: folder).appendingPathComponent(candidate).path
      if FileManager.default.fileExists(atPath: file) {
        return try MatrixMarket(data: BinaryFile.contents(of: file), file: file)
      }
      if let decompress, FileManager.default.fileExists(atPath: "\(file).gz") {
        let packed = try BinaryFile.contents(of: "\(file).gz")
        return try MatrixMarket(data: decompress(packed, "\(file).gz"), file: "\(file).gz")
      }
    }
    return nil
  }
}

extension Blob {
  /// The values without the leading extents of 1 that an old shape may have too many.
  fileprivate var withoutOldAxes: Tensor {
    guard isLegacy else { return tensor }
    let extents = Array(shape.extents.drop { $0 == 1 })
    return (try? Shape(extents)).map { tensor.reshaped(to: $0) } ?? tensor
  }
}
