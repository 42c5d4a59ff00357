import ArgumentParser
import Driver
import IR
import Training

/// `sparsec train`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train or fine-tune a network, as `caffe train` does.",
    discussion: """
      Snapshots are written where the solver's snapshot_prefix says; the last one is the result. An interrupt \
      (SIGINT) writes a snapshot and stops, SIGHUP writes one and goes on.

      Masked weights are zeros in a snapshot's .caffemodel, and the masks stand where other readers skip them. The forks \
      of dynamic network surgery have blobs for masks: --mask-format dns-y writes weights, bias and both masks, in layers \
      of type CConvolution and CInnerProduct, which Convolution and InnerProduct with masks become; --mask-format dns-h \
      writes weights, bias and the mask of the weights, in layers of type Convolution and InnerProduct. Blobs then hold \
      dense weights, and plain Caffe does not take the file. All forms are read without being asked for.
      """)

  @Option(help: ArgumentHelp("The solver's definition.", valueName: "solver.prototxt"))
  var solver: String
  @Option(
    help: ArgumentHelp(
      "Trained models to start from, separated by commas; layers are found by name.",
      valueName: "a.caffemodel,…"))
  var weights: String?
  @Option(help: ArgumentHelp("A snapshot to go on from.", valueName: "file.solverstate"))
  var snapshot: String?
  @Option(help: "How many threads work on it.")
  var threads = 1
  @Option(help: "Seed of all random numbers, in place of the solver's.")
  var seed: UInt64?
  @Option(help: "The number of updates, in place of the solver's max_iter.")
  var iterations: Int?
  @Option(help: "Whose update rules apply: auto, bvlc, scnn, skim, dns-y or dns-h.")
  var dialect = "auto"
  @Option(
    help: ArgumentHelp(
      """
      The share of zeros to reach, 0 to 1: of all weights of Convolution and InnerProduct layers (or of the groups \
      of --structure), or by layer, as in 0.9,conv1=0.5; layers without a share are left alone.
      """,
      valueName: "share"))
  var sparsity: String?
  @Option(help: "How zeros are made: magnitude, ssl, l1, guided or dns.")
  var method: SparsifyingMethod?
  @Option(
    help: "What becomes zero together: element, filter, channel, shape, kernel or depth.")
  var structure: ZeroStructure?
  @Flag(help: "Weights that are zero in --weights stay zero.")
  var keepZeros = false
  @Option(
    help: ArgumentHelp(
      "Write masks into caffemodels as a fork does: dns-y or dns-h.", valueName: "fork"))
  var maskFormat: MaskFormat?
  @Option(help: ArgumentHelp("A file to add the log to.", valueName: "file"))
  var log: String?
  @Option(help: "The log's form: caffe or json; without --log it goes to standard output.")
  var logStyle: TrainOptions.LogStyle?

  func validate() throws {
    guard dialect == "auto" || TrainingDialect(rawValue: dialect) != nil else {
      let names = TrainingDialect.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--dialect \(dialect): expected auto, \(names)")
    }
    if sparsity == nil, method != nil || structure != nil {
      throw ValidationError("--method and --structure need --sparsity, the share of zeros to reach")
    }
    _ = try target()
    if let iterations, iterations < 0 {
      throw ValidationError("--iterations \(iterations): expected 0 or more")
    }
  }

  /// What --sparsity, --method and --structure say together.
  private func target() throws -> SparsityTarget? {
    guard let sparsity else { return nil }
    var target = SparsityTarget(
      share: nil, method: method ?? .magnitude, structure: structure ?? .element)
    for part in sparsity.split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard let text = pair.last, let share = Double(text), share > 0, share < 1 else {
        throw ValidationError("--sparsity \(part): expected a share between 0 and 1")
      }
      if pair.count == 2 {
        guard target.layers.updateValue(share, forKey: pair[0]) == nil else {
          throw ValidationError("--sparsity: layer \(pair[0]) is named twice")
        }
      } else {
        guard target.share == nil else {
          throw ValidationError("--sparsity \(sparsity): one share for the net, others by layer")
        }
        target.share = share
      }
    }
    guard target.share != nil || !target.layers.isEmpty else {
      throw ValidationError("--sparsity: expected a share between 0 and 1")
    }
    return target
  }

  func run() throws {
    var options = TrainOptions(solver: solver)
    options.weights = weights?.split(separator: ",").map(String.init) ?? []
    options.snapshot = snapshot
    options.threads = threads
    options.seed = seed
    options.iterations = iterations
    options.dialect = TrainingDialect(rawValue: dialect)
    options.log = log
    options.logStyle = logStyle
    options.target = try target()
    options.keepsZeros = keepZeros
    options.maskFormat = maskFormat ?? .own
    let job = TrainJob(options)
    job.report = { Terminal.report($0) }
    let requests = TrainingSignals()
    job.request = { requests.next() }
    _ = try job.run()
  }
}

extension TrainOptions.LogStyle: ExpressibleByArgument {}
extension SparsifyingMethod: ExpressibleByArgument {}
extension ZeroStructure: ExpressibleByArgument {}

extension MaskFormat: ExpressibleByArgument {
  /// One that has to be asked for.
  public init?(argument: String) {
    self.init(rawValue: argument)
    if self == .own { return nil }
  }

  public static var allValueStrings: [String] {
    allCases.filter { $0 != .own }.map(\.rawValue)
  }
}
