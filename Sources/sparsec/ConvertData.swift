import ArgumentParser
import Driver

/// `sparsec convert mnist`.
struct ConvertMNIST: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mnist",
    abstract: "Write the files of MNIST into an LMDB, as Caffe's convert_mnist_data does.")

  @Argument(help: ArgumentHelp("The pictures, plain or .gz.", valueName: "images-idx3"))
  var images: String
  @Argument(help: ArgumentHelp("Their labels, plain or .gz.", valueName: "labels-idx1"))
  var labels: String
  @Option(name: .shortAndLong, help: "The LMDB to make.")
  var output: String

  func run() throws {
    try convert { try DataConversion.mnist(images: images, labels: labels, to: output, notice: $0) }
  }
}

/// `sparsec convert cifar10`.
struct ConvertCIFAR10: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cifar10",
    abstract: "Write CIFAR-10 into LMDBs for training and testing, and compute their mean.",
    discussion: """
      The folder is that of the binary version: data_batch_1.bin to data_batch_5.bin and \
      test_batch.bin. The output folder gets cifar10_train_lmdb, cifar10_test_lmdb and \
      mean.binaryproto, beside what is in it; if one of them is there, nothing is written.
      """)

  @Argument(help: ArgumentHelp("Where the .bin files are.", valueName: "folder"))
  var folder: String
  @Option(
    name: .shortAndLong, help: "The folder to write into, made if it is not there.")
  var output: String

  func run() throws {
    try convert { try DataConversion.cifar10(folder: folder, to: output, notice: $0) }
  }
}

/// `sparsec convert images`.
struct ConvertImages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "Write pictures into an LMDB, as Caffe's convert_imageset does.")

  @Argument(help: ArgumentHelp("A file of lines \"path label\".", valueName: "list"))
  var list: String
  @Argument(help: ArgumentHelp("The folder that the paths are relative to.", valueName: "root"))
  var root: String
  @Option(name: .shortAndLong, help: "The LMDB to make.")
  var output: String
  @Option(help: ArgumentHelp("Stretch all pictures to this size.", valueName: "HxW"))
  var resize: PictureSizeWish?
  @Flag(help: "Make one channel of each picture, its luminance.")
  var gray = false
  @Flag(help: "Shuffle the lines of the list.")
  var shuffle = false
  @Option(help: "The seed of --shuffle.")
  var seed: UInt64 = 0
  @Flag(help: "Keep pictures as JPEG or PNG files instead of pixels.")
  var encoded = false

  func run() throws {
    try convert {
      try DataConversion.images(
        list: list, root: root, to: output, size: resize, isGray: gray,
        shuffleSeed: shuffle ? seed : nil, isEncoded: encoded, notice: $0)
    }
  }
}

/// `sparsec convert mean`.
struct ConvertMean: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mean",
    abstract: "Compute the mean of a database's pictures, as Caffe's compute_image_mean does.")

  @Argument(help: ArgumentHelp("An LMDB, or a LevelDB.", valueName: "lmdb"))
  var database: String
  @Option(name: .shortAndLong, help: "The .binaryproto file to make.")
  var output: String

  func run() throws {
    try convert { try DataConversion.mean(of: database, to: output, notice: $0) }
  }
}

extension PictureSizeWish: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}

/// Runs a conversion with a progress bar, and prints what it made.
private func convert(
  _ conversion: (@escaping DataConversion.Notice) throws -> Conversion.Result
) throws {
  let progress = Progress.onStandardError()
  defer { progress.clear() }
  let result = try conversion(progress.update)
  progress.clear()
  for finding in result.findings { Terminal.report(finding) }
  try Terminal.print(result.text)
}
