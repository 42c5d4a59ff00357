import IR

/// Writers of the layers that join, part and copy blobs.
enum JoiningWriters {
  static func concat(_ layer: Concat) -> LayerForm {
    LayerForm("Concat", "concat_param") { $0.add("axis", layer.axis) }
  }

  static func slice(_ layer: Slice) -> LayerForm {
    LayerForm("Slice", "slice_param") {
      $0.add("axis", layer.axis)
      $0.add("slice_point", each: layer.points)
    }
  }

  static func tile(_ layer: Tile) -> LayerForm {
    LayerForm("Tile", "tile_param") {
      $0.add("axis", layer.axis)
      $0.add("tiles", layer.tiles)
    }
  }

  static func parameter(_ layer: ParameterBlob, _ blobs: [Tensor]) -> LayerForm {
    LayerForm("Parameter", "parameter_param", blobs: blobs) {
      $0.add("shape", shape: layer.shape.extents)
    }
  }
}
