import IR

/// The sparsifying methods of forks that the fields of a layer ask for.
struct ForkMethods {
  let layer: LayerDefinition
  let dialect: TrainingDialect
  let solver: SolverSettings

  /// - Throws: the first field that would change training in a way that is not supported.
  func requireNoneActs() throws(Diagnostic) {
    let message = layer.message
    switch layer.type {
    case "CConvolution", "CInnerProduct":
      throw layer.refusal("training with network surgery is not supported", at: "type")
    case "Winograd":
      throw layer.refusal(
        "training in the Winograd domain is not supported; use Convolution", at: "type")
    default: break
    }
    guard message.enumName("connectivity_mode") == "CONNECTED" else {
      throw layer.refusal(
        "connectivity_mode \(message.enumName("connectivity_mode")) is not supported when training",
        at: "connectivity_mode")
    }
    guard dialect != .skim || solver.regularization != .l1 else {
      throw pruningRefusal(at: message.location)
    }
    for spec in message.messages("param") { try requireNoneActs(spec) }
    try requireNoSurgery()
  }

  private func requireNoneActs(_ spec: TextMessage) throws(Diagnostic) {
    let fork = solver.forkFields
    let strengths: [(field: String, own: Float, global: Float)] = [
      ("breadth_decay_mult", spec.float("breadth_decay_mult"), fork.breadthDecay),
      (
        "kernel_shape_decay_mult", spec.float("kernel_shape_decay_mult"), fork.kernelShapeDecay
      ),
      ("force_mult", spec.float("force_mult"), fork.forceDecay),
    ]
    for strength in strengths where strength.own != 0 && strength.global != 0 {
      throw layer.refusal(
        "\(strength.field) acts together with the solver's decay, which is not supported",
        at: strength.field, of: spec)
    }
    for block in spec.messages("block_group_lasso")
    where block.float("block_decay_mult") != 0 && fork.blockGroupDecay != 0 {
      throw layer.refusal("group lasso is not supported", of: block)
    }
    guard spec.string("decay_proto").isEmpty else {
      throw layer.refusal(
        "a decay of its own for each weight is not supported", at: "decay_proto", of: spec)
    }
    guard dialect != .skim || spec.string("regularization_type") != "L1" else {
      throw pruningRefusal(at: spec.location(of: "regularization_type"))
    }
  }

  private func pruningRefusal(at location: SourceLocation?) -> Diagnostic {
    .error(
      "\(layer.title): L1 of SkimCaffe prunes weights, which is not supported; --dialect bvlc makes "
        + "it a penalty only", at: location)
  }

  /// The reimplementation of network surgery masks every convolution and inner product unless told otherwise.
  private func requireNoSurgery() throws(Diagnostic) {
    guard dialect == .dnsAgain else { return }
    let fields = ["Convolution": "convolution_param", "InnerProduct": "inner_product_param"]
    guard let field = fields[layer.type] else { return }
    guard !layer.message.message(field).bool("sparsity_term") else {
      throw layer.refusal(
        "training with network surgery is not supported; --dialect bvlc trains it plainly")
    }
  }
}
