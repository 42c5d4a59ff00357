import Foundation
import IR
import Images

/// What a compiled network says about itself: the JSON document that `sparsec_describe` returns, and the one
/// that `compile --report` writes.
public struct Manifest: Codable, Hashable, Sendable {
  /// The version of this document's form.
  public static let currentFormat = 2

  public struct Tensor: Codable, Hashable, Sendable {
    public var name: String
    public var shape: [Int]
  }

  public struct Batch: Codable, Hashable, Sendable {
    public var maximum: Int
    /// Why the batch is fixed at the file's size; absent if items are independent.
    public var fixedBecause: String?

    enum CodingKeys: String, CodingKey {
      case maximum
      case fixedBecause = "fixed_because"
    }
  }

  public struct Candidate: Codable, Hashable, Sendable {
    public var kernel: String
    public var predictedMs: Double?
    /// Measured in a network on the compiling machine; absent if nobody measured.
    public var measuredMs: Double?
    public var declined: String?
    /// Whether it is of the kind that the layer's `hint` means; absent if not.
    public var hinted: Bool?

    enum CodingKeys: String, CodingKey {
      case kernel, declined, hinted
      case predictedMs = "predicted_ms"
      case measuredMs = "measured_ms"
    }
  }

  public struct Layer: Codable, Hashable, Sendable {
    public var name: String
    public var type: String
    public var fused: [String]
    public var kernel: String
    public var reason: String
    public var predictedMs: Double
    /// The share of scattered zeros from which on a sparse kernel would be chosen; absent where the choice does
    /// not depend on it.
    public var breakEvenSparsity: Double?
    public var nonzeros: Int
    public var weights: Int
    /// Multiply-adds of a dense evaluation, and of the nonzero weights alone.
    public var denseMultiplyAdds: Int
    public var nonzeroMultiplyAdds: Int
    public var candidates: [Candidate]
    /// What a `conv_mode` in the prototxt asked for.
    public var hint: String?
    /// Indices into the network's list of layers; several if copies belong to this layer.
    public var steps: [Int]

    enum CodingKeys: String, CodingKey {
      case name, type, fused, kernel, reason, nonzeros, weights, candidates, hint, steps
      case predictedMs = "predicted_ms"
      case breakEvenSparsity = "break_even_sparsity"
      case denseMultiplyAdds = "dense_multiply_adds"
      case nonzeroMultiplyAdds = "nonzero_multiply_adds"
    }
  }

  public struct Removed: Codable, Hashable, Sendable {
    public var name: String
    public var type: String
    public var by: String
    public var reason: String
  }

  /// What a pass did to a layer that is left, or why it let it be.
  public struct Remark: Codable, Hashable, Sendable {
    public var name: String
    public var type: String
    public var by: String
    public var what: String
  }

  /// A blob that has lost channels.
  public struct ReducedBlob: Codable, Hashable, Sendable {
    public var blob: String
    /// The layer that wrote it.
    public var layer: String
    /// For each channel that is left its index in the blob of the file, or nil if its content is arbitrary.
    public var channels: [Int?]
    /// How many channels the blob of the file has.
    public var of: Int
  }

  /// What a network consists of, or what was saved of it.
  public struct Totals: Codable, Hashable, Sendable {
    public var layers = 0
    public var filters = 0
    public var channels = 0
    public var columns = 0
    /// Of a dense evaluation of one item.
    public var multiplyAdds = 0
    /// Of parameters.
    public var bytes = 0

    enum CodingKeys: String, CodingKey {
      case filters, channels, columns, layers, bytes
      case multiplyAdds = "multiply_adds"
    }
  }

  public struct Pass: Codable, Hashable, Sendable {
    public var name: String
    public var filters: Int
    public var channels: Int
    public var columns: Int
    public var layers: Int
    public var multiplyAdds: Int
    public var bytes: Int

    enum CodingKeys: String, CodingKey {
      case name, filters, channels, columns, layers, bytes
      case multiplyAdds = "multiply_adds"
    }
  }

  public struct Memory: Codable, Hashable, Sendable {
    /// Scratch of one item in flight.
    public var arenaBytes: Int
    /// Constants in the file.
    public var weightBytes: Int
    /// Parameters of the source, dense.
    public var sourceWeightBytes: Int

    enum CodingKeys: String, CodingKey {
      case arenaBytes = "arena_bytes"
      case weightBytes = "weight_bytes"
      case sourceWeightBytes = "source_weight_bytes"
    }
  }

  public var format = Manifest.currentFormat
  public var compiler: String
  public var name: String
  public var target: String
  public var batch: Batch
  public var inputs: [Tensor]
  public var outputs: [Tensor]
  public var layers: [Layer]
  public var removed: [Removed]
  /// What passes folded into layers, in order.
  public var folded: [Remark] = []
  /// Layers that a pass could not change.
  public var kept: [Remark] = []
  /// Blobs that have lost channels.
  public var reduced: [ReducedBlob] = []
  public var passes: [Pass]
  /// The network before the passes.
  public var source = Totals()
  public var memory: Memory
  /// What the front end decided by itself.
  public var notes: [String]
  /// How images become the first input; absent if it is no image.
  public var preprocessing: Preprocessing?
  public var labels: [String]?

  /// The document as bytes: sorted keys, so that equal networks have equal bytes.
  public func encoded() throws(Diagnostic) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    } catch {
      throw .error("the manifest cannot be written as JSON: \(error)")
    }
  }

  /// Reads the document of a compiled network.
  public static func read(json: String, file: String) throws(Diagnostic) -> Manifest {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(Manifest.self, from: Data(json.utf8))
    } catch {
      throw .error("its manifest is not one of this sparsec; compile the network again", file: file)
    }
  }
}
