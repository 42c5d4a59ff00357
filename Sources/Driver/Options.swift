import Images
import Passes

/// What `compile` is asked to do.
public struct CompileOptions: Sendable {
  public typealias WeightForm = Passes.WeightForm

  /// The network's definition, a prototxt.
  public var definition: String
  /// Its weights, a caffemodel.
  public var weights: String
  /// The shared object to make; nil to stop before the C compiler.
  public var output: String?
  /// What follows `-march=`.
  public var target = "native"
  /// The largest batch.
  public var batch = 1
  /// Sizes for inputs that the definition leaves open.
  public var inputShapes: [InputShapeWish] = []
  public var allowUnknownFields = false
  /// Layer to kernel.
  public var forcedKernels: [String: String] = [:]
  public var disabledPasses: Set<String> = []
  /// Where the weights of sparse layers stand.
  public var weightForm = WeightForm.auto
  /// Whether kernels are measured on this machine before they are chosen.
  public var measuresKernels = false
  /// The folder that receives the emitted C.
  public var keptFolder: String?
  /// The file that receives the report.
  public var report: String?
  /// The file that receives a copy of `sparsec.h`.
  public var header: String?
  public var preprocessing = PreprocessingOptions()
  /// A file with one label per line.
  public var labels: String?

  public init(definition: String, weights: String) {
    self.definition = definition
    self.weights = weights
  }
}

/// The extents of an input without its batch axis, for the input of a name or for any.
public struct InputShapeWish: Hashable, Sendable {
  public var name: String?
  public var extents: [Int]

  public init(name: String?, extents: [Int]) {
    self.name = name
    self.extents = extents
  }

  /// Reads `[NAME=]CxHxW`; nil if it is not that.
  public init?(text: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let extents = (parts.last ?? "").split(separator: "x", omittingEmptySubsequences: false)
      .map { Int($0) ?? 0 }
    guard !extents.isEmpty, extents.allSatisfy({ $0 >= 1 }) else { return nil }
    name = parts.count == 2 ? String(parts[0]) : nil
    self.extents = extents
  }
}

/// How images become a network's input, as far as the user said.
public struct PreprocessingOptions: Hashable, Sendable {
  /// `B,G,R` or the name of a .binaryproto or .npy file.
  public var mean: String?
  public var scale: Float?
  /// The length of the shorter side after resizing.
  public var resize: Int?
  /// The side of the square that is cut out; must be the input's.
  public var crop: Int?
  public var channelOrder: Preprocessing.ChannelOrder?

  public init() {}

  /// Whether the user said anything.
  public var isEmpty: Bool { self == PreprocessingOptions() }
}
