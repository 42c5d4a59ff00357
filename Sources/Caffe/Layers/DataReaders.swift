import IR

/// A blob that a data layer makes.
struct DataBlob {
  /// What is known of its size.
  enum Size {
    /// All extents.
    case known([Int])
    /// The number of items; the rest only the data source knows.
    case open(items: Int)
    /// Labels, one or more per item: nothing that a compiled net could want.
    case labels
  }

  var top: String
  var size: Size
  /// What was assumed about the size, if anything.
  var note: String?
}

/// Readers of the layers that feed a net.
enum DataReaders {
  /// Input: one shape for all tops, or one each; without a shape the size is open.
  static func input(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("input_param")
    let shapes = parameters.messages("shape").map { $0.integers("dim") }
    return try blobs(of: layer, shapes: shapes, in: parameters)
  }

  /// DummyData: as Input, or num, channels, height and width, one for all tops or one each.
  static func dummyData(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("dummy_data_param")
    let shapes = parameters.messages("shape").map { $0.integers("dim") }
    let axes = ["num", "channels", "height", "width"].map { parameters.integers($0) }
    guard shapes.isEmpty else {
      guard axes.allSatisfy(\.isEmpty) else {
        throw layer.refusal("shape and num both size the blobs; keep shape")
      }
      return try blobs(of: layer, shapes: shapes, in: parameters)
    }
    let tops = layer.tops.count
    for (name, extents) in zip(["num", "channels", "height", "width"], axes)
    where extents.count != 1 && extents.count != tops {
      throw layer.refusal("\(extents.count) values of \(name) for \(tops) tops")
    }
    let legacy = (0..<tops).map { top in axes.map { $0.count == 1 ? $0[0] : $0[top] } }
    return try blobs(of: layer, shapes: legacy, in: parameters)
  }

  private static func blobs(
    of layer: LayerDefinition, shapes: [[Int]], in parameters: TextMessage
  ) throws(Diagnostic) -> [DataBlob] {
    let tops = layer.tops
    guard shapes.count <= 1 || shapes.count == tops.count else {
      throw layer.refusal(
        "\(shapes.count) shapes for \(tops.count) tops; give one, or one for each",
        at: "shape", of: parameters)
    }
    return tops.enumerated().map { index, top in
      guard let first = shapes.first else { return DataBlob(top: top, size: .open(items: 1)) }
      return DataBlob(top: top, size: .known(shapes.count == 1 ? first : shapes[index]))
    }
  }

  /// Data: images from a database, as large as they are cropped.
  static func data(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("data_param")
    let crop = layer.message.message("transform_param").integer("crop_size")
    return imagesAndLabels(
      layer, items: parameters.integer("batch_size"), height: crop, width: crop, channels: nil)
  }

  /// ImageData: image files, cropped or resized.
  static func imageData(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("image_data_param")
    let crop = layer.message.message("transform_param").integer("crop_size")
    return imagesAndLabels(
      layer, items: parameters.integer("batch_size"),
      height: crop > 0 ? crop : parameters.integer("new_height"),
      width: crop > 0 ? crop : parameters.integer("new_width"),
      channels: parameters.bool("is_color") ? 3 : 1)
  }

  /// WindowData: windows of colour images, warped to the crop size.
  static func windowData(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("window_data_param")
    let transform = layer.message.message("transform_param")
    let crop =
      transform.has("crop_size")
      ? transform.integer("crop_size") : parameters.integer("crop_size")
    return imagesAndLabels(
      layer, items: parameters.integer("batch_size"), height: crop, width: crop, channels: 3)
  }

  private static func imagesAndLabels(
    _ layer: LayerDefinition, items: Int, height: Int, width: Int, channels: Int?
  ) -> [DataBlob] {
    let transform = layer.message.message("transform_param")
    let items = max(items, 1)
    var images = DataBlob(top: layer.tops[0], size: .open(items: items))
    if height > 0, width > 0 {
      let told = channels ?? channelCount(from: transform)
      images.size = .known([items, told ?? 3, height, width])
      if told == nil { images.note = "taken as three channels" }
    }
    return [images] + layer.tops.dropFirst().map { DataBlob(top: $0, size: .labels) }
  }

  /// The channels that the preprocessing betrays.
  private static func channelCount(from transform: TextMessage) -> Int? {
    if transform.bool("force_gray") { return 1 }
    if transform.bool("force_color") { return 3 }
    let means = transform.count("mean_value")
    return means > 1 ? means : nil
  }

  /// MemoryData: what the program hands over.
  static func memoryData(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let parameters = layer.message.message("memory_data_param")
    let extents = ["batch_size", "channels", "height", "width"].map { parameters.integer($0) }
    return [
      DataBlob(top: layer.tops[0], size: .known(extents)),
      DataBlob(top: layer.tops[1], size: .labels),
    ]
  }

  /// HDF5Data: sizes stand in the files only.
  static func hdf5Data(_ layer: LayerDefinition) throws(Diagnostic) -> [DataBlob] {
    let items = max(layer.message.message("hdf5_data_param").integer("batch_size"), 1)
    return layer.tops.map { DataBlob(top: $0, size: .open(items: items)) }
  }
}
