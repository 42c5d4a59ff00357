import IR

/// The learned arrays of a net: which layer uses which.
struct ParameterTable {
  /// Each array once, in the order of the layers that own them.
  private(set) var owned: [Parameter] = []
  /// For every layer the arrays that it uses.
  private(set) var byLayer: [[Parameter]] = []

  /// Finds shared arrays, those of the train net first, and fills new ones.
  ///
  /// - Parameter sharing: the arrays of the train net, for a test net.
  /// - Throws: if sharers disagree about a shape.
  init(_ net: TrainingNet, sharing: [Parameter]?, streams: RandomStreams) throws(Diagnostic) {
    let taken = SharedParameters(sharing ?? [])
    var named: [String: Parameter] = [:]
    for (number, layer) in net.layers.enumerated() {
      var used: [Parameter] = []
      for (index, settings) in layer.parameters.enumerated() {
        let parameter: Parameter
        if let owner = named[settings.sharedName], !settings.sharedName.isEmpty {
          parameter = owner
        } else if let trained = taken.find(layer: layer.name, index: index, settings) {
          parameter = trained
        } else {
          parameter = Parameter(layer: layer.name, index: index, settings: settings)
          var random = streams.filler(layer: number, parameter: index)
          do throws(ShapeError) {
            try parameter.fill(by: settings.filler, random: &random)
          } catch {
            throw .error("\(layer.title), \(settings.slot.name): \(error)", at: layer.location)
          }
        }
        try Self.check(parameter, fits: settings, layer)
        if !owned.contains(where: { $0 === parameter }) { owned.append(parameter) }
        if !settings.sharedName.isEmpty { named[settings.sharedName] = parameter }
        used.append(parameter)
      }
      byLayer.append(used)
    }
  }

  private static func check(
    _ parameter: Parameter, fits settings: TrainingParameter, _ layer: TrainingLayer
  ) throws(Diagnostic) {
    let wanted = settings.slot.shape
    let fits =
      settings.sharesByCount ? parameter.count == wanted.count : parameter.shape == wanted
    guard !fits else { return }
    throw .error(
      "\(layer.title) has \(settings.slot.name) of shape \(wanted), but shares those of layer "
        + "\"\(parameter.layer)\", which have shape \(parameter.shape)", at: layer.location)
  }
}

extension Parameter {
  /// Gives it the values it starts with; of the Winograd domain, transforms of kernels that start so.
  fileprivate func fill(by filler: Filler, random: inout RandomSource) throws(ShapeError) {
    let slot = settings.slot
    guard case .winograd(let kernel) = slot.domain else {
      try filler.check(slot.shape)
      return filler.fill(values, shape: slot.shape, random: &random)
    }
    let kernels = try Shape([slot.shape[0], slot.shape[1], kernel, kernel])
    try filler.check(kernels)
    let storage = FloatStorage(kernels.count)
    let filled = UnsafeMutableBufferPointer(start: storage.pointer, count: kernels.count)
    filler.fill(filled, shape: kernels, random: &random)
    guard let transforms = WinogradDomain.transformed(Tensor(shape: kernels, values: Array(filled)))
    else { preconditionFailure("layers have the kernels that have transforms") }
    fill(with: transforms)
  }
}

/// The arrays of the train net as a test net finds them.
private struct SharedParameters {
  private struct Place: Hashable {
    var layer: String
    var index: Int
  }
  private var byPlace: [Place: Parameter] = [:]
  private var byName: [String: Parameter] = [:]

  init(_ parameters: [Parameter]) {
    for parameter in parameters {
      byPlace[Place(layer: parameter.layer, index: parameter.index)] = parameter
      let name = parameter.settings.sharedName
      if !name.isEmpty { byName[name] = parameter }
    }
  }

  /// By place, or by name where another layer owns it.
  func find(layer: String, index: Int, _ settings: TrainingParameter) -> Parameter? {
    byPlace[Place(layer: layer, index: index)]
      ?? (settings.sharedName.isEmpty ? nil : byName[settings.sharedName])
  }
}

/// Independent random numbers for every part of a net that needs some.
struct RandomStreams {
  private let seed: UInt64

  init(_ random: RandomSource) {
    var random = random
    seed = random.next()
  }

  /// What a layer draws from while it runs.
  func layer(_ layer: Int) -> RandomSource { RandomSource(seed: seed, stream: UInt64(layer) * 64) }

  /// What a learned array is filled from.
  func filler(layer: Int, parameter: Int) -> RandomSource {
    RandomSource(seed: seed, stream: UInt64(layer) * 64 + 1 + UInt64(parameter))
  }
}
