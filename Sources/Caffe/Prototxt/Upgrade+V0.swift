import IR

extension Upgrade {
  /// `layers { layer { type: "conv" } }` to V1 layers, padding layers folded into what follows.
  static func fromV0(_ net: TextMessage) throws(Diagnostic) -> TextMessage {
    let folded = try withoutPaddingLayers(net)
    var fields: [TextMessage.Field] = []
    for var field in folded.fields {
      if field.name == "layers", case .message(let layer) = field.value {
        field.value = .message(try v1Layer(layer))
      }
      fields.append(field)
    }
    return folded.replacingFields(fields)
  }

  /// A `padding` layer's pad belongs to the convolution or pooling that reads it.
  private static func withoutPaddingLayers(_ net: TextMessage) throws(Diagnostic) -> TextMessage {
    var paddings: [String: TextMessage] = [:]
    var fields: [TextMessage.Field] = []
    for var field in net.fields {
      guard field.name == "layers", case .message(var layer) = field.value else {
        fields.append(field)
        continue
      }
      if layer.message("layer").string("type") == "padding" {
        let tops = layer.strings("top")
        guard layer.count("bottom") == 1, tops.count == 1 else {
          throw .error("a padding layer needs one bottom and one top", at: layer.location)
        }
        paddings[tops[0]] = layer
        continue
      }
      let source = layer.strings("bottom").first { paddings[$0] != nil }
      if let source, let padding = paddings[source] { layer = try layer.taking(padding: padding) }
      // A blob that is written anew is no padded blob any more.
      for top in layer.strings("top") { paddings[top] = nil }
      field.value = .message(layer)
      fields.append(field)
    }
    return net.replacingFields(fields)
  }

  private static func v1Layer(_ old: TextMessage) throws(Diagnostic) -> TextMessage {
    var layer = TextMessage(type: "V1LayerParameter", file: old.file, position: old.position)
    let inner = old.message("layer")
    let type = inner.string("type")
    for field in inner.fields where field.name == "name" { layer.append(field) }
    guard let typeName = v0Types[type] else {
      throw .error(
        "unknown layer type \(Spelling.quoted(type))"
          + Spelling.hint(for: type, among: v0Types.keys.sorted()),
        at: inner.location(of: "type"))
    }
    layer.append("type", .name(typeName), at: inner.fields.first { $0.name == "type" }?.position)
    for field in old.fields where field.name != "layer" {
      guard field.name != "name", field.name != "type" else {
        throw .error(
          "\(field.name) belongs inside \"layer\" here, which has its own; remove it",
          at: old.sourceLocation(field.position))
      }
      layer.append(field)
    }
    for field in inner.fields {
      switch field.name {
      case "name", "type": break
      case "blobs", "blobs_lr", "weight_decay": layer.append(field)
      case "hdf5_output_param":
        guard type == "hdf5_output" else { throw misplaced(field, type, in: inner) }
        layer.append(field)
      default:
        guard let (group, name) = v0Fields["\(type).\(field.name)"] else {
          throw misplaced(field, type, in: inner)
        }
        var parameters = layer.message(group)
        parameters.append(field, as: name)
        layer.set(group, .message(parameters), at: field.position)
      }
    }
    return layer
  }

  private static func misplaced(_ field: TextMessage.Field, _ type: String, in inner: TextMessage)
    -> Diagnostic
  {
    .error(
      "a layer of type \(Spelling.quoted(type)) has no \(field.name); remove it",
      at: inner.sourceLocation(field.position))
  }

  private static let v0Types = [
    "accuracy": "ACCURACY", "bnll": "BNLL", "concat": "CONCAT", "conv": "CONVOLUTION",
    "data": "DATA", "dropout": "DROPOUT", "euclidean_loss": "EUCLIDEAN_LOSS",
    "flatten": "FLATTEN", "hdf5_data": "HDF5_DATA", "hdf5_output": "HDF5_OUTPUT",
    "im2col": "IM2COL", "images": "IMAGE_DATA", "infogain_loss": "INFOGAIN_LOSS",
    "innerproduct": "INNER_PRODUCT", "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS", "pool": "POOLING", "relu": "RELU",
    "sigmoid": "SIGMOID", "softmax": "SOFTMAX", "softmax_loss": "SOFTMAX_LOSS",
    "split": "SPLIT", "tanh": "TANH", "window_data": "WINDOW_DATA",
  ]

  /// Where each field of the flat V0 layer went, by layer type.
  private static let v0Fields: [String: (group: String, name: String)] = {
    let rows: [(types: [String], group: String, names: [(old: String, new: String)])] = [
      (
        ["conv"], "convolution_param",
        [
          ("num_output", "num_output"), ("biasterm", "bias_term"),
          ("weight_filler", "weight_filler"), ("bias_filler", "bias_filler"), ("pad", "pad"),
          ("kernelsize", "kernel_size"), ("group", "group"), ("stride", "stride"),
        ]
      ),
      (
        ["innerproduct"], "inner_product_param",
        [
          ("num_output", "num_output"), ("biasterm", "bias_term"),
          ("weight_filler", "weight_filler"), ("bias_filler", "bias_filler"),
        ]
      ),
      (
        ["pool"], "pooling_param",
        [("pad", "pad"), ("kernelsize", "kernel_size"), ("stride", "stride"), ("pool", "pool")]
      ),
      (["dropout"], "dropout_param", [("dropout_ratio", "dropout_ratio")]),
      (
        ["lrn"], "lrn_param",
        [("local_size", "local_size"), ("alpha", "alpha"), ("beta", "beta"), ("k", "k")]
      ),
      (
        ["data", "images", "window_data"], "transform_param",
        [
          ("scale", "scale"), ("meanfile", "mean_file"), ("cropsize", "crop_size"),
          ("mirror", "mirror"),
        ]
      ),
      (
        ["data"], "data_param",
        [("source", "source"), ("batchsize", "batch_size"), ("rand_skip", "rand_skip")]
      ),
      (["hdf5_data"], "hdf5_data_param", [("source", "source"), ("batchsize", "batch_size")]),
      (
        ["images"], "image_data_param",
        [
          ("source", "source"), ("batchsize", "batch_size"), ("rand_skip", "rand_skip"),
          ("shuffle_images", "shuffle"), ("new_height", "new_height"),
          ("new_width", "new_width"),
        ]
      ),
      (
        ["window_data"], "window_data_param",
        [
          ("source", "source"), ("batchsize", "batch_size"),
          ("det_fg_threshold", "fg_threshold"), ("det_bg_threshold", "bg_threshold"),
          ("det_fg_fraction", "fg_fraction"), ("det_context_pad", "context_pad"),
          ("det_crop_mode", "crop_mode"),
        ]
      ),
      (["infogain_loss"], "infogain_loss_param", [("source", "source")]),
      (["concat"], "concat_param", [("concat_dim", "concat_dim")]),
    ]
    var fields: [String: (group: String, name: String)] = [:]
    for row in rows {
      for type in row.types {
        for name in row.names { fields["\(type).\(name.old)"] = (row.group, name.new) }
      }
    }
    return fields
  }()
}

extension TextMessage {
  /// This V0 convolution or pooling with the pad and the bottom of the padding layer it reads.
  fileprivate func taking(padding: TextMessage) throws(Diagnostic) -> TextMessage {
    var inner = message("layer")
    guard ["conv", "pool"].contains(inner.string("type")), count("bottom") == 1 else {
      throw .error(
        "a padding layer can only feed one convolution or pooling layer", at: padding.location)
    }
    guard let pad = padding.message("layer").fields.first(where: { $0.name == "pad" }) else {
      throw .error("a padding layer without pad", at: padding.location)
    }
    inner.set("pad", pad.value, at: pad.position)
    var result = self
    result.set("layer", .message(inner))
    result.set("bottom", .string(padding.strings("bottom")[0]))
    return result
  }
}
