import Caffe
import Foundation
import IR
import NumPy
import TestSupport

/// A net, an input, and what Caffe makes of it: one folder below `golden/inference`.
public struct GoldenCase: Hashable, Sendable, CustomStringConvertible {
  public var folder: URL

  public var name: String { folder.lastPathComponent }
  public var description: String { name }

  /// The nets of one layer or a few; empty without the shared files.
  public static let tiny = cases(in: "golden/inference/tiny")
  /// The nets of papers; empty without the shared files.
  public static let real = cases(in: "golden/inference")

  private static func cases(in path: String) -> [GoldenCase] {
    guard let folder = SharedFiles.find(path),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    else { return [] }
    return names.sorted().map { GoldenCase(folder: folder.appending(path: $0)) }.filter {
      FileManager.default.fileExists(atPath: $0.folder.appending(path: "net.prototxt").path)
    }
  }

  /// The net as the compiler's front end makes it.
  public func graph() throws -> Graph {
    let prototxt = try Prototxt.read(folder.appending(path: "net.prototxt").path)
    return try NetReader.read(prototxt, weights: weights()).graph
  }

  /// The inputs by blob name, in the batch size in which they are stored.
  public func inputs(of graph: Graph) throws -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let name = graph[id].name
      let own = folder.appending(path: "input_\(name).npy").path
      let file =
        FileManager.default.fileExists(atPath: own)
        ? own : folder.appending(path: "input.npy").path
      inputs[name] = try Tensor(NumPyArray.read(contentsOf: file))
    }
    return inputs
  }

  /// Caffe's values.
  public func expected() throws -> ObservedBlobs {
    var blobs = ObservedBlobs()
    let final = try NumPyArchive.read(contentsOf: folder.appending(path: "blobs.npz").path)
    for key in final.keys {
      guard let array = final[key] else { continue }
      blobs.final[key.replacingOccurrences(of: "|", with: "/")] = try Tensor(array)
    }
    let layers = folder.appending(path: "layers.npz").path
    if FileManager.default.fileExists(atPath: layers) {
      let archive = try NumPyArchive.read(contentsOf: layers)
      for key in archive.keys {
        guard let array = archive[key] else { continue }
        blobs.layers[key.replacingOccurrences(of: "|", with: "/")] = try Tensor(array)
      }
    }
    return blobs
  }

  /// Beside the net, or for a net whose weights are a model of their own, there.
  private func weights() throws -> [NetReader.Weights] {
    let places = [
      folder.appending(path: "net.caffemodel"), folder.appending(path: "net.caffemodel.gz"),
      SharedFiles.find("models/squeezenet_dc/squeezenet_dc.caffemodel.gz"),
    ]
    let file = places.compactMap { $0 }.first {
      FileManager.default.fileExists(atPath: $0.path)
    }
    guard let file else { return [] }
    let data = try file.pathExtension == "gz" ? Self.unpacked(file) : Data(contentsOf: file)
    let model = try Caffemodel(data: data, file: file.lastPathComponent)
    return [NetReader.Weights(model, file: file.lastPathComponent)]
  }

  private static func unpacked(_ file: URL) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return data
  }
}

extension Tensor {
  /// The tensor of an array from a file.
  public init(_ array: NumPyArray) throws(ShapeError) {
    self.init(shape: try Shape(array.shape), values: array.values)
  }
}
