/// What happens to an image between its source and the net: value = (pixel - mean) * scale.
public struct DataTransform: Hashable, Sendable {
  public var scale: Float = 1
  /// Whether to flip columns with probability 1/2.
  public var mirrors = false
  /// Side of the square cut out: anywhere in training, in the middle in tests; 0 for none.
  public var crop = 0
  /// A BlobProto file, indexed at the source pixel.
  public var meanFile: String?
  /// One value, or one per channel.
  public var meanValues: [Float] = []
  public var forcesColor = false
  public var forcesGray = false
  /// Whether this is for training: random crops.
  public var isTraining = true

  public init() {}
}

/// Where a data layer's batches come from. Paths are as the prototxt says them.
public enum DataSource: Hashable, Sendable {
  public enum Backend: String, Hashable, Sendable {
    case lmdb = "LMDB"
    case levelDB = "LEVELDB"
  }

  public struct Database: Hashable, Sendable {
    public var path: String
    public var backend: Backend
    public var batch: Int
    /// At most so many records are skipped at the start.
    public var randomSkip = 0
    /// Batches made in advance.
    public var prefetch = 4
    public var forcesEncodedColor = false
    public var transform = DataTransform()

    public init(path: String, backend: Backend, batch: Int) {
      self.path = path
      self.backend = backend
      self.batch = batch
    }
  }

  /// Lines `path label`.
  public struct ImageList: Hashable, Sendable {
    public var path: String
    public var root = ""
    public var batch: Int
    public var shuffles = false
    public var randomSkip = 0
    /// 0 for the images' own.
    public var height = 0
    public var width = 0
    public var isColor = true
    public var transform = DataTransform()

    public init(path: String, batch: Int) {
      self.path = path
      self.batch = batch
    }
  }

  /// A file that lists HDF5 files, whose datasets are named as the tops.
  public struct HDF5Files: Hashable, Sendable {
    public var path: String
    public var batch: Int
    public var shuffles = false
    public var datasets: [String]

    public init(path: String, batch: Int, datasets: [String]) {
      self.path = path
      self.batch = batch
      self.datasets = datasets
    }
  }

  case database(Database)
  case images(ImageList)
  case hdf5(HDF5Files)
  /// What the program hands over: data and label.
  case memory(data: Shape, label: Shape, transform: DataTransform)
  /// One filler per top.
  case dummy(shapes: [Shape], fillers: [Filler])
  /// What the program hands over.
  case input(shapes: [Shape])
}

/// Batches, one after the other, for the tops of one data layer.
public protocol BatchSource: AnyObject {
  /// The shapes of the tops.
  var shapes: [Shape] { get }

  /// Fills the tops with the next batch.
  ///
  /// - Throws: a `Diagnostic` that names the source and the record.
  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic)

  /// Where the source stands, random state included: what makes a later run go on with the same batches. Batches
  /// that were made in advance and not handed out do not count.
  var position: [UInt8] { get }

  /// Goes on from a `position`.
  ///
  /// - Throws: if it is not one of this source.
  func move(to position: [UInt8]) throws(Diagnostic)
}
