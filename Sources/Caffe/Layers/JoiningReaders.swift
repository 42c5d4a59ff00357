import IR

/// Readers of the layers that join, part and copy blobs.
enum JoiningReaders {
  static func concat(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("concat_param")
    return [.concat(Concat(axis: try layer.axis(of: parameters, deprecated: "concat_dim")))]
  }

  static func slice(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("slice_param")
    let points = parameters.integers("slice_point")
    let tops = layer.tops.count
    guard points.isEmpty || points.count == tops - 1 else {
      throw layer.refusal(
        "\(points.count) values of slice_point for \(tops) tops; give \(tops - 1)",
        at: "slice_point", of: parameters)
    }
    return [
      .slice(
        Slice(
          axis: try layer.axis(of: parameters, deprecated: "slice_dim"), points: points,
          parts: tops))
    ]
  }

  static func split(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.split(Split(copies: layer.tops.count))]
  }

  static func silence(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.silence(Silence())]
  }

  static func tile(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("tile_param")
    return [
      .tile(
        Tile(
          axis: parameters.integer("axis"), tiles: try layer.count("tiles", of: parameters)))
    ]
  }

  static func batchReindex(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    [.batchReindex(BatchReindex())]
  }

  static func parameter(_ layer: LayerDefinition) throws(Diagnostic) -> [Operation] {
    let parameters = layer.message.message("parameter_param")
    let shape = try layer.fitting(at: "shape", of: parameters) { () throws(ShapeError) in
      try Shape(parameters.message("shape").integers("dim"))
    }
    return [.parameter(ParameterBlob(shape: shape))]
  }
}
