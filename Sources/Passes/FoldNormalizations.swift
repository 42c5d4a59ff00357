import IR

/// Folds BatchNorm with stored statistics, Scale and Bias into the layer before them, or into one Scale.
///
/// With s = gamma / sqrt(variance + epsilon), y = (W x + b - mean) * s + beta becomes W' = W s and
/// b' = (b - mean) s + beta, computed in double and rounded once; it holds for all-zero W too.
public struct FoldNormalizations: Pass {
  public let name = "fold-normalizations"

  public init() {}

  public func run(_ graph: Graph) throws(PassError) -> PassOutcome {
    var result = PassOutcome(graph: graph)
    for id in graph.order {
      guard let affine = ChannelAffine(of: id, in: result.graph) else { continue }
      let input = result.graph[id].inputs[0]
      if let producer = target(of: input, in: result.graph) {
        absorb(id, affine, into: producer, &result)
      } else if case .batchNorm = result.graph[id].operation {
        rewriteAsScale(id, affine, &result)
      }
    }
    return result
  }

  /// The layer that can take an affine map of its output: it is the only one to see that output.
  private func target(of value: ValueID, in graph: Graph) -> NodeID? {
    guard let producer = graph.producer(of: value), !graph.isOutput(value),
      graph.consumers(of: value).count == 1
    else { return nil }
    switch graph[producer].operation {
    case .convolution(let layer):
      let isOpen = layer.activation == nil && !layer.addsToInput && layer.axis == 1
      return isOpen ? producer : nil
    case .deconvolution(let layer): return layer.axis == 1 ? producer : nil
    case .innerProduct(let layer):
      return layer.activation == nil && graph[value].shape.axes == 2 ? producer : nil
    case .scale:
      // A Scale with one input and a value per channel, as `rewriteAsScale` makes them.
      return ChannelAffine(of: producer, in: graph) == nil ? nil : producer
    case .borderBias(let layer):
      // (x + t) s + h = x s + h + t s: its table is scaled, and the layer before takes the rest.
      let isOpen =
        layer.activation == nil && target(of: graph[producer].inputs[0], in: graph) != nil
      return isOpen ? producer : nil
    case .argMax, .batchNorm, .batchReindex, .bias, .concat, .constant, .crop,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn, .parameter,
      .pooling, .preLU, .reduction, .repack, .reshape, .silence, .slice, .softmax,
      .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }

  private func absorb(
    _ id: NodeID, _ affine: ChannelAffine, into producer: NodeID, _ result: inout PassOutcome
  ) {
    let node = result.graph[id]
    let target = scale(producer, by: affine, in: &result.graph)
    result.graph.update(target) { target in
      target.fused.append(FusedLayer(name: node.name, type: node.sourceType))
      target.fused += node.fused
    }
    result.graph.adopt(node.outputs[0], asOutput: 0, of: producer)
    result.graph.remove(id)
    result.findings.append(
      Finding(
        node, .fused(into: result.graph[target].name),
        "a scale and a shift per channel fold into the weights and the bias"))
  }

  /// Scales and shifts what a layer makes; returns the layer that took the shift.
  private func scale(_ id: NodeID, by affine: ChannelAffine, in graph: inout Graph) -> NodeID {
    guard case .borderBias = graph[id].operation else {
      graph.update(id) { $0.scaleOutputChannels(by: affine) }
      return id
    }
    graph.update(id) { node in
      node.parameters[0] = node.parameters[0].scaled { index, count in
        affine.scale[index / (count / affine.scale.count)]
      }
    }
    guard let behind = graph.producer(of: graph[id].inputs[0]) else {
      preconditionFailure("`target(of:in:)` found a layer before the BorderBias")
    }
    return scale(behind, by: affine, in: &graph)
  }

  private func rewriteAsScale(_ id: NodeID, _ affine: ChannelAffine, _ result: inout PassOutcome) {
    result.graph.update(id) { node in
      node.operation = .scale(Scale(axis: 1, spannedAxes: 1, hasBias: true))
      node.parameters = affine.tensors
    }
    result.findings.append(
      Finding(result.graph[id], .kept, "it became one scale and shift per channel"))
  }
}

/// y = scale[c] * x + shift[c] for every channel c of axis 1.
struct ChannelAffine {
  var scale: [Double]
  var shift: [Double]

  /// What a node computes, if it is such a map; nil otherwise.
  init?(of id: NodeID, in graph: Graph) {
    let node = graph[id]
    let shape = graph[node.inputs.first ?? node.outputs[0]].shape
    guard node.inputs.count == 1, shape.axes >= 2 else { return nil }
    switch node.operation {
    case .batchNorm(let layer):
      guard layer.usesStoredStatistics else { return nil }
      (scale, shift) = layer.scaleAndShift(node.parameters)
    case .scale(let layer):
      guard layer.coversChannels(of: shape) else { return nil }
      scale = node.parameters[0].values.map(Double.init)
      shift =
        layer.hasBias
        ? node.parameters[1].values.map(Double.init)
        : [Double](repeating: 0, count: scale.count)
    case .bias(let layer):
      guard Scale(axis: layer.axis, spannedAxes: layer.spannedAxes).coversChannels(of: shape)
      else { return nil }
      shift = node.parameters[0].values.map(Double.init)
      scale = [Double](repeating: 1, count: shift.count)
    case .argMax, .batchReindex, .borderBias, .concat, .constant, .convolution, .crop,
      .deconvolution, .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .innerProduct,
      .lrn, .mvn, .parameter, .pooling, .preLU, .reduction, .repack, .reshape, .silence, .slice,
      .softmax, .spatialPyramidPooling, .split, .tile:
      return nil
    }
  }

  /// The map as the parameters of a Scale with bias.
  var tensors: [Tensor] {
    let shape = Shape.vector(scale.count)
    return [
      Tensor(shape: shape, values: scale.map(Float.init)),
      Tensor(shape: shape, values: shift.map(Float.init)),
    ]
  }
}

extension Node {
  /// Changes the layer so that its output channel c is scaled and shifted.
  fileprivate mutating func scaleOutputChannels(by affine: ChannelAffine) {
    let hadBias: Bool
    switch operation {
    case .convolution(var layer):
      hadBias = layer.hasBias
      layer.hasBias = true
      operation = .convolution(layer)
      parameters[0] = parameters[0].scaled { index, count in
        affine.scale[index / (count / layer.filters)]
      }
    case .deconvolution(var layer):
      hadBias = layer.hasBias
      layer.hasBias = true
      operation = .deconvolution(layer)
      let perFilter = layer.window.taps
      let filtersPerGroup = layer.filters / layer.groups
      let channelsPerGroup = parameters[0].shape[0] / layer.groups
      parameters[0] = parameters[0].scaled { index, _ in
        let channel = index / (perFilter * filtersPerGroup)
        let filter = index / perFilter % filtersPerGroup
        return affine.scale[channel / channelsPerGroup * filtersPerGroup + filter]
      }
    case .innerProduct(var layer):
      hadBias = layer.hasBias
      layer.hasBias = true
      operation = .innerProduct(layer)
      parameters[0] = parameters[0].scaled { index, count in
        affine.scale[
          layer.isTransposed ? index % layer.outputs : index / (count / layer.outputs)]
      }
    case .scale(var layer):
      hadBias = layer.hasBias
      layer.hasBias = true
      operation = .scale(layer)
      parameters[0] = parameters[0].scaled { index, _ in affine.scale[index] }
    case .argMax, .batchNorm, .batchReindex, .bias, .borderBias, .concat, .constant, .crop,
      .elementwise, .eltwise, .embed, .flatten, .identity, .im2col, .lrn, .mvn, .parameter,
      .pooling, .preLU, .reduction, .repack, .reshape, .silence, .slice, .softmax,
      .spatialPyramidPooling, .split, .tile:
      preconditionFailure("only layers that `target(of:in:)` names are changed")
    }
    let bias = hadBias ? parameters[1].values : [Float](repeating: 0, count: affine.scale.count)
    let shifted = zip(bias, zip(affine.scale, affine.shift)).map { bias, affine in
      Float(Double(bias) * affine.0 + affine.1)
    }
    let tensor = Tensor(shape: .vector(shifted.count), values: shifted)
    if hadBias { parameters[1] = tensor } else { parameters.append(tensor) }
  }
}

extension Tensor {
  /// Every element times a factor that depends on its index and the number of elements; zeros stay zeros.
  fileprivate func scaled(_ factor: (Int, Int) -> Double) -> Tensor {
    var result = values
    for index in result.indices where result[index] != 0 {
      result[index] = Float(Double(result[index]) * factor(index, result.count))
    }
    return Tensor(shape: shape, values: result)
  }
}
