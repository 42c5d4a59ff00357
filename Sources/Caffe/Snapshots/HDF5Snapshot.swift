import Foundation
import IR

/// Snapshots in HDF5, laid out as Caffe does: a model has `data/LAYER/INDEX` (and `diff/LAYER/INDEX`), a state `iter`,
/// `learned_net`, `current_step` and `history/INDEX`. What is sparsec's own lies in `sparsec`, where Caffe does not
/// look. A layer name with slashes makes groups in groups; Caffe itself can not write such a net.
enum HDF5Snapshot {
  private static let own = "sparsec"
  private static let stampName = own + "/stamp"

  // MARK: - Models

  /// Writes learned arrays; shared ones with the layer that owns them, as Caffe does.
  ///
  /// - Parameter masks: how the file tells which weights are masked. A layer that shares arrays keeps the private
  ///   field: without one of its blobs, nobody could tell what the others are.
  static func write(
    _ snapshot: Snapshot, masks: MaskFormat, to path: String
  ) throws(Diagnostic) {
    try HDF5Document.create(path) { (document) throws(Diagnostic) in
      try document.makeGroup("data")
      try document.makeGroup(own)
      try document.write(stampBytes(snapshot.stamp), as: stampName)
      for layer in snapshot.layers {
        try document.makeGroup("data/\(layer.name)")
        let isComplete = !layer.arrays.contains { $0.isShared }
        let blobs = snapshot.blobs(of: layer, isComplete ? masks : .own)
        for (index, blob) in blobs.blobs.enumerated()
        where isComplete || !layer.arrays[index].isShared {
          let name = "\(layer.name)/\(index)"
          try document.write(blob.tensor, as: "data/\(name)")
          if let gradient = blobs.gradients[index] {
            try document.write(gradient, as: "diff/\(name)")
          }
          if let mask = blobs.masks[index] {
            try document.makeGroup("\(own)/mask/\(layer.name)")
            try document.write(MaskBits.packed(mask), as: "\(own)/mask/\(name)")
          }
        }
      }
    }
  }

  static func caffemodel(at path: String) throws(Diagnostic) -> Caffemodel {
    try HDF5Document.read(path) { (document) throws(Diagnostic) in
      guard document.isGroup("data") else {
        throw .error("has no group `data`; is it an HDF5 caffemodel?", file: path)
      }
      var model = Caffemodel(name: "", layers: [])
      if document.isArray(stampName) { model.stamp = stamp(try document.bytes(stampName)) }
      try collect("data", document, into: &model, depth: 0)
      return model
    }
  }

  /// Every group with arrays is a layer, named by the way to it.
  private static func collect(
    _ group: String, _ document: HDF5Document, into model: inout Caffemodel, depth: Int
  ) throws(Diagnostic) {
    guard depth < 32 else { return }
    let members = try document.members(of: group)
    var indices: [Int] = []
    for member in members {
      if document.isGroup("\(group)/\(member)") {
        try collect("\(group)/\(member)", document, into: &model, depth: depth + 1)
      } else if let index = Int(member) {
        indices.append(index)
      }
    }
    guard !indices.isEmpty else { return }
    let name = String(group.dropFirst("data/".count))
    var layer = LayerBlobs(name: name, type: "", blobs: [])
    for index in indices.sorted() {
      layer.blobs.append(Blob(try document.tensor("\(group)/\(index)")))
      let mask = "\(own)/mask/\(name)/\(index)"
      if document.isGroup("\(own)/mask"), document.isArray(mask) {
        let place = layer.blobs.count - 1
        layer.masks[place] = MaskBits.unpacked(
          try document.bytes(mask), count: layer.blobs[place].tensor.count)
      }
    }
    model.layers.append(layer)
  }

  // MARK: - States

  static func write(_ state: SolverStateFile, to path: String) throws(Diagnostic) {
    try HDF5Document.create(path) { (document) throws(Diagnostic) in
      try document.write(state.iteration, as: "iter")
      try document.write(state.learnedNet, as: "learned_net")
      try document.write(state.currentStep, as: "current_step")
      try document.makeGroup("history")
      for (index, blob) in state.history.enumerated() {
        try document.write(blob.tensor, as: "history/\(index)")
      }
      // The rest has a form already: that of a binary solverstate without history.
      try document.makeGroup(own)
      try document.write(try state.trainingBytes(file: path), as: "\(own)/training")
    }
  }

  static func state(at path: String) throws(Diagnostic) -> SolverStateFile {
    try HDF5Document.read(path) { (document) throws(Diagnostic) in
      guard document.isArray("iter"), document.isGroup("history") else {
        throw .error("names no iteration; is it an HDF5 solverstate?", file: path)
      }
      var history: [Blob] = []
      for index in try document.members(of: "history").indices {
        history.append(Blob(try document.tensor("history/\(index)")))
      }
      var state = SolverStateFile(
        iteration: try document.integer("iter"), learnedNet: try document.text("learned_net"),
        currentStep: try document.integer("current_step"), history: history)
      if document.isArray("\(own)/training") {
        try state.readTraining(try document.bytes("\(own)/training"), file: path)
      }
      return state
    }
  }

  // MARK: - Stamps

  private static func stampBytes(_ stamp: UInt64) -> Data {
    withUnsafeBytes(of: stamp.littleEndian) { Data($0) }
  }

  private static func stamp(_ bytes: Data) -> UInt64? {
    guard bytes.count == 8 else { return nil }
    return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
