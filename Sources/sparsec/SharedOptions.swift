import ArgumentParser
import Driver

/// How results are printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json
}

/// The choice between text and JSON.
struct FormatOptions: ParsableArguments {
  @Option(help: "Print text for people or JSON for programs.")
  var format = OutputFormat.text
}

/// How a prototxt is read.
struct DefinitionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The size of an input that the prototxt leaves open, without the batch; may be repeated.",
      valueName: "[name=]CxHxW"))
  var inputShape: [InputShapeWish] = []

  @Flag(help: "Take unknown fields of the prototxt for warnings instead of errors.")
  var allowUnknownFields = false
}

extension InputShapeWish: ExpressibleByArgument {
  public init?(argument: String) { self.init(text: argument) }
}

/// How images become a network's input.
struct ImageOptions: ParsableArguments {
  /// The names of Driver's channel orders.
  enum ChannelOrder: String, CaseIterable, ExpressibleByArgument {
    case bgr, rgb, gray
  }

  @Option(
    help: ArgumentHelp(
      "What to subtract: a value for each of blue, green and red, or a .binaryproto or .npy file.",
      valueName: "B,G,R|file"))
  var mean: String?

  @Option(help: "What to multiply by, behind the subtraction.")
  var scale: Float?

  @Option(
    help: ArgumentHelp(
      "Resize the shorter side to this many pixels before cutting out the centre.",
      valueName: "pixels"))
  var resize: Int?

  @Option(
    help: ArgumentHelp("Cut out a square of this side; must be the input's.", valueName: "pixels"))
  var crop: Int?

  @Option(help: "The order of the channels in the network's input.")
  var channelOrder: ChannelOrder?

  @Option(help: ArgumentHelp("A text file with one label per class and line.", valueName: "file"))
  var labels: String?

  /// What the user said, for Driver.
  var preprocessing: PreprocessingOptions {
    var options = PreprocessingOptions()
    options.mean = mean
    options.scale = scale
    options.resize = resize
    options.crop = crop
    options.channelOrder = channelOrder.flatMap { .init(rawValue: $0.rawValue) }
    return options
  }
}

/// How much of the machine a run takes.
struct RunOptions: ParsableArguments {
  @Option(help: "How many items go through the network at once.")
  var batch = 1

  @Option(help: "How many threads work on a run.")
  var threads = 1
}
