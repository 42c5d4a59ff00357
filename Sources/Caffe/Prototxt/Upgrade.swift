import IR

/// Brings nets and solvers of older Caffe versions into the current form.
///
/// The steps are those that Caffe takes when it loads a file, in Caffe's order. Everything keeps
/// its place in the file, so later errors still point at what the user wrote.
public enum Upgrade {
  /// The net or solver in its current form; nets inside a solver are brought up as well.
  ///
  /// - Throws: what Caffe refuses to upgrade, with its place.
  public static func current(_ prototxt: Prototxt) throws(Diagnostic) -> Prototxt {
    var result = prototxt
    switch prototxt.kind {
    case .net: result.message = try net(prototxt.message)
    case .solver: result.message = try solver(prototxt.message)
    }
    return result
  }

  /// A net with `layer` entries only, its inputs as `Input` layers, of whatever generation it was.
  ///
  /// - Precondition: `message` is a `NetParameter`.
  public static func net(_ message: TextMessage) throws(Diagnostic) -> TextMessage {
    precondition(message.type == "NetParameter", "\(message.type) is no net")
    var net = message
    if net.messages("layers").contains(where: { $0.has("layer") }) { net = try fromV0(net) }
    if net.has("layers") { net = try fromV1(net) }
    net = try withInputLayer(net)
    return mappingLayers(of: net) { layer in
      withFixedStatistics(withNormalization(layer))
    }
  }

  /// A solver that names its method in `type`, with current nets inside.
  ///
  /// - Precondition: `message` is a `SolverParameter`.
  public static func solver(_ message: TextMessage) throws(Diagnostic) -> TextMessage {
    precondition(message.type == "SolverParameter", "\(message.type) is no solver")
    if message.has("solver_type"), message.has("type") {
      throw .error(
        "solver_type and type both name the method; keep type",
        at: message.location(of: "solver_type"))
    }
    var fields: [TextMessage.Field] = []
    for var field in message.fields {
      switch (field.name, field.value) {
      case ("solver_type", .name(let name)):
        field.name = "type"
        field.value = .string(solverTypes[name] ?? name)
      case ("net_param", .message(let inner)), ("train_net_param", .message(let inner)),
        ("test_net_param", .message(let inner)):
        field.value = .message(try net(inner))
      default: break
      }
      fields.append(field)
    }
    return message.replacingFields(fields)
  }

  private static let solverTypes = [
    "SGD": "SGD", "NESTEROV": "Nesterov", "ADAGRAD": "AdaGrad", "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta", "ADAM": "Adam",
  ]

  static func mappingLayers(of net: TextMessage, _ change: (TextMessage) -> TextMessage)
    -> TextMessage
  {
    net.replacingFields(
      net.fields.map { field in
        guard field.name == "layer", case .message(let layer) = field.value else { return field }
        var changed = field
        changed.value = .message(change(layer))
        return changed
      })
  }

  /// `input` with its shapes as one layer of type Input, in front of all others.
  ///
  /// Inputs of which no shape is given are dropped, as Caffe does.
  private static func withInputLayer(_ net: TextMessage) throws(Diagnostic) -> TextMessage {
    guard net.has("input") else { return net }
    let shapes = net.messages("input_shape")
    let dims = net.integers("input_dim")
    let inputs = net.fields.filter { $0.name == "input" }
    var result = net
    for name in ["input", "input_shape", "input_dim"] { result.remove(name) }
    guard !shapes.isEmpty || !dims.isEmpty, let first = inputs.first else { return result }

    guard shapes.isEmpty || dims.isEmpty else {
      throw .error(
        "input_shape and input_dim both size the inputs; keep input_shape",
        at: net.location(of: "input_dim"))
    }
    let given = shapes.isEmpty ? dims.count : shapes.count * 4
    guard given == inputs.count * 4 else {
      throw .error(
        "\(inputs.count) inputs with \(shapes.isEmpty ? dims.count : shapes.count) "
          + (shapes.isEmpty
            ? "input_dim; each input needs 4" : "input_shape; each input needs one"),
        at: net.location(of: shapes.isEmpty ? "input_dim" : "input_shape"))
    }

    var layer = TextMessage(type: "LayerParameter", file: net.file, position: first.position)
    layer.append("name", .string("input"))
    layer.append("type", .string("Input"))
    for input in inputs { layer.append(input, as: "top") }
    var parameters = TextMessage(type: "InputParameter", file: net.file, position: first.position)
    for index in inputs.indices {
      parameters.append("shape", .message(shape(of: index, in: net, shapes: shapes)))
    }
    layer.append("input_param", .message(parameters))

    var fields = result.fields
    let place = fields.firstIndex { $0.name == "layer" } ?? fields.endIndex
    fields.insert(
      TextMessage.Field(
        name: "layer", value: .message(layer), position: first.position,
        valuePosition: first.position),
      at: place)
    return result.replacingFields(fields)
  }

  private static func shape(of index: Int, in net: TextMessage, shapes: [TextMessage])
    -> TextMessage
  {
    if !shapes.isEmpty { return shapes[index] }
    let dims = net.fields.filter { $0.name == "input_dim" }[(4 * index)..<(4 * index + 4)]
    var shape = TextMessage(
      type: "BlobShape", file: net.file, position: dims.first?.position ?? .none)
    for dim in dims { shape.append(dim, as: "dim") }
    return shape
  }

  /// dns-y and old Caffe have only `normalize`: false divides by the batch, true by what is valid.
  private static func withNormalization(_ layer: TextMessage) -> TextMessage {
    guard layer.has("loss_param") else { return layer }
    var loss = layer.message("loss_param")
    guard loss.has("normalize") else { return layer }
    if !loss.has("normalization") {
      loss.append(
        "normalization", .name(loss.bool("normalize") ? "VALID" : "BATCH_SIZE"),
        at: loss.fields.first { $0.name == "normalize" }?.position)
    }
    loss.remove("normalize")
    var result = layer
    result.set("loss_param", .message(loss))
    return result
  }

  /// The three statistics of a BatchNorm layer are never trained: multipliers given for all three
  /// become 0, as Caffe sets them.
  private static func withFixedStatistics(_ layer: TextMessage) -> TextMessage {
    guard layer.string("type") == "BatchNorm", layer.count("param") == 3 else { return layer }
    return layer.replacingFields(
      layer.fields.map { field in
        guard field.name == "param", case .message(var parameter) = field.value else {
          return field
        }
        parameter.set("lr_mult", .float(0))
        parameter.set("decay_mult", .float(0))
        var changed = field
        changed.value = .message(parameter)
        return changed
      })
  }
}
