import IR

extension Trainer {
  /// What forward passes change: where data sources, random numbers, methods and moving averages stand. A step that
  /// fails has moved some of them.
  struct Standing {
    var netState: [String: [UInt8]]
    var methodState: [String: () -> [UInt8]]
    var averages: [[Float]]
  }

  var standing: Standing {
    // What this one remembers is as large as the net, and changes only with an update.
    let methods = solver.sparsifiers.filter { !($0 is SplicedThreshold) }
    return Standing(
      netState: netState,
      methodState: Dictionary(
        methods.map { ($0.name, $0.deferredState()) }, uniquingKeysWith: { _, last in last }),
      averages: averages.map { Array($0.values) })
  }

  /// The parameters that forward passes write: the statistics of BatchNorm.
  static func averages(of parameters: [Parameter], in definition: TrainingNet) -> [Parameter] {
    let layers = definition.layers.filter {
      if case .batchNorm = $0.operation { return true }
      return false
    }
    let names = Set(layers.map(\.name))
    return parameters.filter { names.contains($0.layer) }
  }

  /// Writes a snapshot of the state before an update or a test in which something broke, so that the run can go on from
  /// it, when that is mended, as if nothing had been wrong.
  ///
  /// - Returns: the failure, and where the state is.
  func rescued(
    _ failure: Diagnostic, from standing: Standing, observer: any TrainingObserver
  ) -> Diagnostic {
    if lastGood?.iteration != iteration, iteration > 0 {
      for (parameter, values) in zip(averages, standing.averages) {
        _ = parameter.values.update(fromContentsOf: values)
      }
      do throws(Diagnostic) {
        var snapshot = try snapshot()
        snapshot.netState = standing.netState
        for (name, state) in standing.methodState { snapshot.methodState[name] = state() }
        try keep(snapshot, observer)
      } catch {
        return Self.extended(
          failure, "no snapshot of iteration \(iteration) could be written: \(error.description)")
      }
    }
    guard let lastGood, lastGood.iteration == iteration else { return failure }
    return Self.extended(
      failure, "iteration \(iteration) is saved: mend this, and go on from \(lastGood.path)")
  }

  private static func extended(_ failure: Diagnostic, _ words: String) -> Diagnostic {
    Diagnostic(
      .error, "\(failure.message); \(words)", at: failure.location, file: failure.file)
  }
}
