import IR

/// A net that runs: forward and backward, on oneDNN.
///
/// The results are bit by bit the same in every run with the same parameters, batches, random state and number of
/// threads. One thread at a time may use it.
public final class ExecutedNet: TrainedNet {
  public let net: TrainingNet
  public let parameters: [Parameter]
  /// For every layer the arrays that it uses, shared ones too, in the order of its slots.
  public let parametersByLayer: [[Parameter]]
  /// Whether the passes measure how long each layer takes.
  public var timesLayers = false
  /// What the passes took while `timesLayers`, summed, per layer.
  public internal(set) var layerTimes: [LayerTime]
  /// Mean absolute values seen by the last forward and backward pass, in the order in which they arose; only if the
  /// net's `debugInfo` is set.
  public internal(set) var debugValues: [DebugValue] = []

  let engine: Engine
  let wiring: NetWiring
  let plan: GradientPlan
  let blobs: [Blob]
  /// Blobs whose gradient begins with what the objective itself contributes, or with zeros because no layer passes
  /// one to them.
  let begunBlobs: [Blob]
  let inputs: [[LayerInput]]
  let executions: [any LayerExecution]

  /// Makes a net ready to run.
  ///
  /// - Parameters:
  ///   - sharing: the learned arrays of the train net, for a test net: matched by layer name and index, or by shared
  ///     name.
  ///   - sources: makes the source of a data layer's batches.
  ///   - random: what fillers, dropout and stochastic pooling draw from; each layer gets a stream of its own.
  ///   - threads: how many threads compute, at least 1.
  /// - Throws: if a layer cannot be trained, does not fit its bottoms, or its source cannot be opened.
  public init(
    _ net: TrainingNet, sharing: [Parameter]? = nil,
    sources: (TrainingLayer) throws(Diagnostic) -> any BatchSource, random: RandomSource,
    threads: Int
  ) throws(Diagnostic) {
    let engine = try Engine(threads: threads)
    let wiring = try NetWiring(net)
    let plan = try GradientPlan(net, wiring)
    let streams = RandomStreams(random)
    let table = try ParameterTable(net, sharing: sharing, streams: streams)
    let chains = LayerChains(net, wiring, plan)
    func learned(_ layer: Int) -> [LayerParameter] {
      zip(table.byLayer[layer], plan.parameters[layer]).map {
        LayerParameter(parameter: $0, wantsGradient: plan.runs[layer] && $1)
      }
    }
    let blobs = wiring.wires.map { wire in
      Blob(
        name: wire.name, shape: wire.shape, readers: wire.readers.count,
        lossWeight: wire.lossWeight, receivesGradient: plan.reaches(wire))
    }
    var inputs: [[LayerInput]] = []
    var executions: [any LayerExecution] = []
    for (index, layer) in net.layers.enumerated() {
      if chains.isAbsorbed(index) {
        inputs.append([])
        executions.append(AbsorbedExecution())
        continue
      }
      let read = wiring.bottoms[index].enumerated().map { place, wire in
        LayerInput(
          blobs[wire], slot: place,
          wantsGradient: plan.runs[index] && plan.bottoms[index][place],
          addsGradient: plan.isBegun(wiring.wires[wire], layer: index, bottom: place),
          engine: engine)
      }
      let context = LayerContext(
        layer: layer, inputs: read,
        outputs: wiring.tops[chains.last(of: index)].map { blobs[$0] },
        parameters: learned(index),
        absorbed: AbsorbedLayers(
          scale: chains.chains[index]?.scale.map(learned) ?? [],
          rectifies: chains.chains[index]?.rectifier != nil),
        isTraining: net.phase == .train,
        wantsBackward: plan.runs[index] && (net.phase == .train || net.forcesBackward),
        mayWorkInPlace: wiring.isInPlace(index) && read[0].blob.isFree, engine: engine,
        random: streams.layer(index))
      executions.append(try makeExecution(context, sources: sources))
      for input in read { try input.prepare() }
      inputs.append(read)
    }
    self.net = net
    self.engine = engine
    self.wiring = wiring
    self.plan = plan
    self.blobs = blobs
    begunBlobs = blobs.indices.filter { index in
      plan.runs[wiring.wires[index].producer]
        && (!blobs[index].receivesGradient || blobs[index].lossWeight != 0)
    }.map { blobs[$0] }
    self.inputs = inputs
    self.executions = executions
    parameters = table.owned
    parametersByLayer = table.byLayer
    layerTimes = net.layers.map { LayerTime(layer: $0.name, type: $0.typeName) }
  }

  public var outputs: [NetOutput] {
    wiring.wires.indices.compactMap { index in
      let wire = wiring.wires[index]
      guard wire.readers.isEmpty, wiring.latest[wire.name] == index,
        !TrainingLayer.isAutomatic(wire.name)
      else { return nil }
      return NetOutput(
        name: wire.name, values: plainValues(blobs[index]), lossWeight: wire.lossWeight)
    }
  }
}

extension Blob {
  /// Whether its only reader may write over it.
  fileprivate var isFree: Bool { readers == 1 && !isNeededByProducer && lossWeight == 0 }
}
