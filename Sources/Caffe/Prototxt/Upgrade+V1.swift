import IR

extension Upgrade {
  /// `layers` with enum types to `layer` with type names.
  static func fromV1(_ net: TextMessage) throws(Diagnostic) -> TextMessage {
    guard !net.has("layer") else {
      throw .error(
        "the net has both \"layer\" and \"layers\", two generations of the format; use \"layer\"",
        at: net.location(of: "layers"))
    }
    var fields: [TextMessage.Field] = []
    for var field in net.fields {
      if field.name == "layers", case .message(let layer) = field.value {
        field.name = "layer"
        field.value = .message(try currentLayer(layer))
      }
      fields.append(field)
    }
    return net.replacingFields(fields)
  }

  private static func currentLayer(_ old: TextMessage) throws(Diagnostic) -> TextMessage {
    var layer = TextMessage(type: "LayerParameter", file: old.file, position: old.position)
    let parameters = parameterSpecs(old)
    for field in withMovedTransform(old).fields {
      switch (field.name, field.value) {
      case ("type", .name(let name)):
        layer.append(
          "type", .string(typeName(v1: name)), at: field.valuePosition)
      case ("param", _), ("blob_share_mode", _), ("blobs_lr", _), ("weight_decay", _): break
      case ("layer", _):
        throw .error(
          "a layer that is half of the oldest form: it has a \"layer\" inside",
          at: old.location(of: "layer"))
      default: layer.append(field)
      }
    }
    for parameter in parameters {
      layer.append("param", .message(parameter), at: parameter.position)
    }
    return layer
  }

  private static func typeName(v1 name: String) -> String {
    let cases = Schema.caffe.enumerations["V1LayerType"]?.cases ?? []
    guard let number = cases.first(where: { $0.name == name })?.number else { return name }
    return OldLayerTypes.current(v1: Int(number))
  }

  /// The lists of names, share modes and multipliers as one entry per blob.
  private static func parameterSpecs(_ old: TextMessage) -> [TextMessage] {
    let renamed = [
      "param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult",
      "weight_decay": "decay_mult",
    ]
    var specs: [TextMessage] = []
    var given: [String: Int] = [:]
    for field in old.fields {
      guard let name = renamed[field.name] else { continue }
      let index = given[field.name, default: 0]
      given[field.name] = index + 1
      if index == specs.count {
        specs.append(TextMessage(type: "ParamSpec", file: old.file, position: field.position))
      }
      specs[index].append(field, as: name)
    }
    return specs
  }

  /// Old data layers preprocess in their own parameters; now `transform_param` says how.
  private static func withMovedTransform(_ old: TextMessage) -> TextMessage {
    let dataParameters = ["data_param", "image_data_param", "window_data_param"]
    let moved = ["scale", "mean_file", "crop_size", "mirror"]
    var result = old
    for name in dataParameters where old.has(name) {
      var data = old.message(name)
      let fields = data.fields.filter { moved.contains($0.name) }
      guard !fields.isEmpty else { continue }
      var transform = result.message("transform_param")
      for field in fields {
        transform.set(field.name, field.value, at: field.position)
        data.remove(field.name)
      }
      result.set(name, .message(data))
      result.set("transform_param", .message(transform), at: fields.first?.position)
    }
    return result
  }
}
