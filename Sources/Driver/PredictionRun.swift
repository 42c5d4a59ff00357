import Foundation
import IR
import Images
import NumPy

/// What `run` is asked to do.
public struct PredictionOptions: Sendable {
  /// The compiled network.
  public var network: String
  /// Files and folders of images.
  public var images: [String] = []
  /// Arrays as `[NAME=]FILE.npy`, instead of images.
  public var arrays: [String] = []
  /// The .npz file that receives all outputs.
  public var output: String?
  /// Whether that file gets every named blob too.
  public var keepsBlobs = false
  /// The output whose values rank the classes; nil for the first.
  public var scores: String?
  /// How many classes are listed.
  public var top = 5
  /// A file of labels instead of those in the network.
  public var labels: String?
  public var batch = 1
  public var threads = 1
  public var preprocessing = PreprocessingOptions()
  public var isProfiled = false

  public init(network: String) { self.network = network }
}

/// Runs a network over images or arrays: the story of `run`.
public struct PredictionRun {
  public var options: PredictionOptions
  /// Given every prediction as soon as it is made, in order.
  public var onPrediction: (Prediction) throws -> Void = { _ in }
  /// Given what could not be used, as one line each.
  public var onProblem: (Diagnostic) -> Void = { _ in }
  /// Told about progress: what is done, and the share of everything.
  public var progress: (String, Double) -> Void = { _, _ in }

  public init(_ options: PredictionOptions) { self.options = options }

  /// What a run left.
  public struct Result: Hashable, Sendable {
    /// Rows that went through the network.
    public var rows = 0
    /// Images that could not be read.
    public var failures = 0
    /// The time of each layer, as a table; nil unless it was asked for.
    public var profile: String?
  }

  /// Runs everything. A problem with one image is told and passed over; any other ends the run.
  public func run() throws -> Result {
    let network = try CompiledNetwork(path: options.network)
    let labels = try options.labels.map { try Labels.read($0) } ?? network.manifest.labels
    // An output that cannot be made is worth knowing before hours of work.
    if let output = options.output { _ = try FileInTheMaking(output) }
    let ranked = try rankedOutput(of: network)
    let blobs = SurvivingBlobs(network)
    if options.output != nil, options.keepsBlobs, let note = blobs.note { onProblem(note) }
    var stage = Stage(
      blobs: blobs,
      runner: try NetworkRunner(
        network, batch: options.batch, threads: options.threads, profiled: options.isProfiled),
      labels: labels, ranked: ranked)
    if options.arrays.isEmpty {
      try runImages(on: network, &stage)
    } else {
      try runArrays(on: network, &stage)
    }
    if let output = options.output {
      do {
        try stage.gathered.archive.write(to: output)
      } catch {
        throw Diagnostic.error("\(error)".onOneLine)
      }
    }
    if options.isProfiled {
      let times = try stage.runner.layerSeconds()
      stage.result.profile =
        LayerTimes(
          network.manifest, seconds: times, runs: max(stage.result.rows, 1)
        ).text
    }
    return stage.result
  }

  /// What changes while a run goes on.
  private struct Stage: ~Copyable {
    let blobs: SurvivingBlobs
    var runner: NetworkRunner
    let labels: [String]?
    /// Index of the output whose values rank the classes.
    let ranked: Int
    var gathered = GatheredArrays()
    var result = Result()

    init(
      blobs: SurvivingBlobs, runner: consuming NetworkRunner, labels: [String]?, ranked: Int
    ) {
      self.blobs = blobs
      self.runner = runner
      self.labels = labels
      self.ranked = ranked
    }
  }

  // MARK: Arrays

  private func runArrays(on network: CompiledNetwork, _ stage: inout Stage) throws {
    let inputs = try ArrayInputs(options.arrays, for: network)
    for start in stride(from: 0, to: inputs.rows, by: stage.runner.rowsAtOnce) {
      let range = start..<min(start + stage.runner.rowsAtOnce, inputs.rows)
      let names = range.map { inputs.rows == 1 ? inputs.name : "\(inputs.name)[\($0)]" }
      // An array's outputs may be anything; only what has a row of scores for each row is ranked.
      try predict(inputs.chunk(range), names: names, &stage)
      progress("\(range.upperBound) of \(inputs.rows) rows", share(range.upperBound, inputs.rows))
    }
  }

  // MARK: Images

  private func runImages(on network: CompiledNetwork, _ stage: inout Stage) throws {
    let inputs = try ImageInputs(for: network, options.preprocessing)
    try requireScores(of: network, stage.ranked)
    let listing: ImageListing
    do {
      listing = try ImageListing(options.images)
    } catch {
      throw Diagnostic.error("\(error)".onOneLine)
    }
    for omission in listing.omissions {
      onProblem(Diagnostic(.note, "\(omission)".onOneLine))
    }
    guard !listing.files.isEmpty else {
      throw Diagnostic.error("there are no images in \(options.images.joined(separator: ", "))")
    }
    let size = stage.runner.rowsAtOnce
    let windows = stride(from: 0, to: listing.files.count, by: size).map { start in
      listing.files[start..<min(start + size, listing.files.count)]
    }
    try forEachLoaded(windows, inputs) { files, rows in
      var good: [(name: String, values: [Float])] = []
      for (file, row) in zip(files, rows) {
        switch row {
        case .success(let values): good.append((file, values))
        case .failure(let diagnostic):
          stage.result.failures += 1
          onProblem(diagnostic)
        }
      }
      if !good.isEmpty {
        let chunk = inputs.chunk(good.map(\.values))
        try predict(chunk, names: good.map(\.name), &stage)
      }
      let count = listing.files.count
      progress("\(files.endIndex) of \(count) images", share(files.endIndex, count))
    }
  }

  /// Decodes windows of files in order; with several threads, the next one during `use` of this.
  private func forEachLoaded(
    _ windows: [ArraySlice<String>], _ inputs: ImageInputs,
    _ use: (ArraySlice<String>, [Swift.Result<[Float], Diagnostic>]) throws -> Void
  ) throws {
    let threads = options.threads
    guard threads > 1 else {
      for window in windows { try use(window, inputs.load(window, threads: 1)) }
      return
    }
    var ahead = windows.first.map { first in
      Background { inputs.load(first, threads: threads) }
    }
    for (index, window) in windows.enumerated() {
      guard let loaded = ahead?.wait() else { return }
      let next = index + 1 < windows.count ? windows[index + 1] : nil
      ahead = next.map { files in Background { inputs.load(files, threads: threads) } }
      try use(window, loaded)
    }
  }

  private func requireScores(of network: CompiledNetwork, _ ranked: Int) throws(Diagnostic) {
    guard network.model.outputs.indices.contains(ranked) else {
      throw .error("it has no outputs", file: network.path)
    }
    let output = network.model.outputs[ranked]
    guard output.shape.first == network.rowsPerItem else {
      throw .error(
        "its output \(output.name) has shape \(Quantity.shape(output.shape)), which is no "
          + "row of scores for each of \(network.rowsPerItem) images; name another one with "
          + "--scores, or use --input and --output",
        file: network.path)
    }
  }

  /// The index of the output that the user named, or of the first.
  private func rankedOutput(of network: CompiledNetwork) throws(Diagnostic) -> Int {
    guard let name = options.scores else { return 0 }
    let names = network.model.outputs.map(\.name)
    guard let index = names.firstIndex(of: name) else {
      throw .error(
        "--scores \(name): the network's outputs are \(names.joined(separator: ", "))",
        file: network.path)
    }
    return index
  }

  // MARK: Both

  private func predict(
    _ chunk: InputChunk, names: [String], _ stage: inout Stage
  ) throws {
    let outputs: [ResultArray]
    if options.output != nil, options.keepsBlobs {
      let (blobs, results) = try stage.runner.blobs(chunk)
      // Outputs last, so that they win where a name occurs twice.
      stage.gathered.append(stage.blobs.whole(of: blobs) + results)
      outputs = results
    } else {
      outputs = try stage.runner.outputs(chunk)
      if options.output != nil { stage.gathered.append(outputs) }
    }
    stage.result.rows += chunk.rows
    guard outputs.indices.contains(stage.ranked) else { return }
    let scores = outputs[stage.ranked]
    guard !scores.isConstant, scores.shape.first == chunk.rows else { return }
    for (row, name) in names.enumerated() {
      try onPrediction(
        Prediction(
          image: name, scores: scores.row(row), count: options.top, labels: stage.labels))
    }
  }

  private func share(_ part: Int, _ whole: Int) -> Double { Double(part) / Double(max(whole, 1)) }
}
