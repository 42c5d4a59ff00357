import Caffe
import Datasets
import IR
import Training

/// Puts nets together from their definitions: data sources are opened, since only they know how large their blobs
/// are, and handed to the layers that they feed.
final class NetAssembly {
  let dialect: TrainingDialect
  let settings: SolverSettings
  let threads: Int
  private let random: RandomSource
  private let seed: UInt64
  private var streams: UInt64 = 1

  /// - Parameter settings: the solver's, for a net that one trains.
  init(
    dialect: TrainingDialect, settings: SolverSettings = SolverSettings(), seed: UInt64,
    threads: Int
  ) {
    self.dialect = dialect
    self.settings = settings
    self.threads = threads
    self.seed = seed
    random = RandomSource(seed: seed)
  }

  /// A net that can be run.
  ///
  /// - Parameter sharing: the parameters of the net that is trained, for its test nets.
  func net(
    _ prototxt: Prototxt, state: NetState, sharing parameters: [Parameter]? = nil
  ) throws(Diagnostic) -> (definition: TrainingNet, net: ExecutedNet) {
    var opened: [any BatchSource] = []
    let phase: TrainingNet.Phase = state.phase == .train ? .train : .test
    var definition = try TrainingNetReader.read(
      prototxt, state: state, dialect: dialect, solver: settings
    ) { (source, layer, location) throws(Diagnostic) in
      let batches = try self.open(source, of: layer, phase: phase, at: location)
      opened.append(batches)
      return batches.shapes
    }
    if settings.debugInfo { definition.debugInfo = true }
    // Layers ask for what was opened in the order in which the reader met them; it asked for no other sources, since
    // their layers say how large the blobs are.
    var next = opened.makeIterator()
    let net = try ExecutedNet(
      definition, sharing: parameters,
      sources: { (layer) throws(Diagnostic) in
        guard case .data(let source) = layer.operation else {
          preconditionFailure("\(layer.title) makes no data")
        }
        switch source {
        case .database, .images, .hdf5:
          guard let opened = next.next() else {
            preconditionFailure("\(layer.title) has no data source")
          }
          return opened
        case .dummy, .memory, .input:
          return try self.open(source, of: layer.name, phase: phase, at: layer.location)
        }
      }, random: stream(), threads: threads)
    return (definition, net)
  }

  private func stream() -> RandomSource {
    defer { streams += 1 }
    return RandomSource(seed: seed, stream: streams)
  }

  private func open(
    _ source: DataSource, of layer: String, phase: TrainingNet.Phase, at location: SourceLocation?
  ) throws(Diagnostic) -> any BatchSource {
    do {
      return try Datasets.open(source, of: layer, phase: phase, random: stream()) {
        (path) throws(Diagnostic) in try MeanFile.read(contentsOf: path)
      }
    } catch {
      // A message that already names a place in a text file keeps it; others say which layer asked.
      guard error.location == nil, error.file == nil else { throw error }
      throw .error(error.message, at: location)
    }
  }
}
