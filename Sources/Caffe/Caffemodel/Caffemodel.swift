import Foundation
import IR

/// The trained parameters of one layer as a file holds them.
public struct LayerBlobs: Hashable, Sendable {
  /// The layer's name, by which it is found.
  public var name: String
  /// The layer's type as a current prototxt would say it ("Convolution"); empty if the file has none.
  public var type: String
  /// The parameters in Caffe's order, masks of the pruning forks included; see `effectiveBlobs()`.
  public var blobs: [Blob]
  /// By blob, which elements may differ from zero when the layer is trained on: sparsec's own field.
  public var masks: [Int: [Bool]] = [:]
  /// By blob, gradients to be written beside the values; reading skips them.
  public var gradients: [Int: Tensor] = [:]

  public init(name: String, type: String, blobs: [Blob]) {
    self.name = name
    self.type = type
    self.blobs = blobs
  }
}

/// What a .caffemodel holds: the trained parameters of a net's layers.
///
/// Everything else in such a file (the net's definition, gradients, fields of forks) is skipped.
/// All generations are read: current (`layer`), V1 and V0 (`layers`).
public struct Caffemodel: Hashable, Sendable {
  /// How the file lays out its layers.
  public enum Generation: String, Hashable, Sendable {
    case v0 = "V0"
    case v1 = "V1"
    case current
  }

  /// The net's name; often empty.
  public var name: String
  /// The layers in the file's order, those without parameters included.
  public var layers: [LayerBlobs]
  /// The layout that the file had.
  public var generation: Generation
  /// What the reader of the file should know.
  public var warnings: [Diagnostic]
  /// The same as in the solverstate that belongs to it; nil if sparsec's trainer did not write it.
  public var stamp: UInt64?

  public init(name: String, layers: [LayerBlobs]) {
    self.name = name
    self.layers = layers
    self.generation = .current
    self.warnings = []
  }

  /// Reads the file at `path`: a binary one of up to 2 GB, or one in HDF5.
  ///
  /// At its peak this takes twice the file's size of memory: the file is mapped, its values
  /// are copied once (measured: 244 MB in 0.3 s).
  ///
  /// - Throws: one line that says what is wrong with the file and where.
  public init(contentsOf path: String) throws(Diagnostic) {
    if SnapshotFiles.isHDF5(path) {
      self = try HDF5Snapshot.caffemodel(at: path)
    } else {
      try self.init(data: BinaryFile.contents(of: path), file: path)
    }
  }

  /// Decodes the bytes of a file that error messages shall call `file`.
  public init(data: Data, file: String) throws(Diagnostic) {
    let net = try BinaryFile.decode(
      WireNetParameter.self, as: .net, from: data, file: file, what: "a binary caffemodel")
    guard !net.layer.isEmpty || !net.layers.isEmpty else {
      throw .error("has no layers; is it a binary caffemodel?", file: file)
    }
    name = net.name
    stamp = net.hasStamp ? net.stamp : nil
    layers = []
    generation = .current
    warnings = []
    guard net.layers.isEmpty else {
      generation = net.layers.contains { $0.hasLayer } ? .v0 : .v1
      for old in net.layers { layers.append(try LayerBlobs(old, file: file)) }
      if !net.layer.isEmpty {
        // Caffe's own upgrade does the same.
        warnings = [
          Diagnostic(
            .warning, "has both old `layers` and new `layer`s; only the old ones are used",
            file: file)
        ]
      }
      return
    }
    for layer in net.layer {
      var blobs = try LayerBlobs(
        name: layer.name, type: layer.type, wire: layer.blobs, file: file)
      try blobs.readMasks(layer.mask, file: file)
      layers.append(blobs)
    }
  }

  /// The layer of a name; the last one, as in Caffe, if there are several.
  public func layer(named name: String) -> LayerBlobs? {
    layers.last { $0.name == name }
  }
}

extension LayerBlobs {
  /// - Throws: one line that names the layer and the blob whose shape and values disagree.
  init(name: String, type: String, wire: [WireBlobProto], file: String) throws(Diagnostic) {
    var blobs: [Blob] = []
    for (index, blob) in wire.enumerated() {
      do {
        blobs.append(try Blob(blob))
      } catch {
        throw .error("layer \(Spelling.quoted(name)), blob \(index): \(error)", file: file)
      }
    }
    self.init(name: name, type: type, blobs: blobs)
  }

  /// A layer of generation V1, or of V0 if it nests one.
  init(_ old: WireV1LayerParameter, file: String) throws(Diagnostic) {
    guard old.hasLayer else {
      let type = OldLayerTypes.current(v1: Int(old.type))
      try self.init(name: old.name, type: type, wire: old.blobs, file: file)
      return
    }
    let type = OldLayerTypes.current(v0: old.layer.type)
    try self.init(name: old.layer.name, type: type, wire: old.layer.blobs, file: file)
  }
}
