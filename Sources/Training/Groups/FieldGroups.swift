import IR

/// The groups that the fields of structured sparsity learning ask for.
public struct FieldGroups {
  let parameters: [Parameter]
  let net: TrainingNet

  public init(_ parameters: [Parameter], in net: TrainingNet) {
    self.parameters = parameters
    self.net = net
  }

  /// Sets of groups with their strengths: the tiles of `block_group_lasso`, rows where `breadth_decay` acts, and columns
  /// within each group of a convolution where `kernel_shape_decay` does. Empty if nothing acts.
  public func groups(_ fields: ForkFields) -> [WeightGroups] {
    var result: [WeightGroups] = []
    var spans: ChannelSpans?
    for (index, parameter) in parameters.enumerated() {
      let own = parameter.settings.sparsity
      func add(_ tiling: Tiling, _ strength: Float) {
        guard strength != 0 else { return }
        result.append(WeightGroups([.init(parameter: index, tiling: tiling)], strength: strength))
      }
      for block in own.blocks {
        add(
          Tiling(of: parameter.shape, height: block.height, width: block.width),
          block.factor * fields.blockGroupDecay)
      }
      let rows = own.rowFactor * fields.breadthDecay
      if fields.spansGroups, rows != 0 {
        let known = spans ?? ChannelSpans(parameters, in: net)
        spans = known
        // Several filters of one span: the first one's groups stand for all.
        if let members = known.members(startingAt: index) {
          result.append(WeightGroups(members, strength: rows))
        }
      } else {
        add(Tiling(of: parameter.shape, height: 1), rows)
      }
      let bands = net.convolutionGroups(of: parameter)
      let height = max(1, Tiling(of: parameter.shape).rows / bands)
      add(
        Tiling(of: parameter.shape, height: height, width: 1),
        own.columnFactor * fields.kernelShapeDecay)
    }
    return result
  }
}

extension TrainingNet {
  /// Into how many bands the groups of a convolution divide the rows of its weights; 1 for anything else.
  func convolutionGroups(of parameter: Parameter) -> Int {
    guard parameter.settings.slot.name == "weights",
      let layer = layers.first(where: { $0.name == parameter.layer })
    else { return 1 }
    switch layer.operation {
    case .operation(.convolution(let convolution)),
      .operationPerBottom(.convolution(let convolution)):
      return convolution.groups
    default: return 1
    }
  }
}
