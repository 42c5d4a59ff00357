import IR

/// Reads where the batches of a data layer come from.
struct DataSourceReader {
  let layer: LayerDefinition

  /// - Throws: what is missing or at odds, or a type of source that only Caffe has.
  func source() throws(Diagnostic) -> DataSource {
    switch layer.type {
    case "Data": return .database(try database())
    case "ImageData": return .images(try images())
    case "HDF5Data": return .hdf5(try hdf5())
    case "MemoryData": return try memory()
    case "DummyData": return try dummy()
    case "Input": return .input(shapes: try knownShapes(DataReaders.input(layer)))
    case "WindowData":
      throw layer.refusal(
        "windows of images are not supported; cut them out and use ImageData", at: "type")
    default: preconditionFailure("\(layer.type) is no data layer")
    }
  }

  private func database() throws(Diagnostic) -> DataSource.Database {
    let parameters = layer.message.message("data_param")
    var database = DataSource.Database(
      path: try path("source", parameters),
      backend: DataSource.Backend(rawValue: parameters.enumName("backend")) ?? .levelDB,
      batch: try layer.count("batch_size", of: parameters))
    database.randomSkip = parameters.integer("rand_skip")
    database.prefetch = try layer.count("prefetch", of: parameters)
    database.forcesEncodedColor = parameters.bool("force_encoded_color")
    database.transform = try transform()
    return database
  }

  private func images() throws(Diagnostic) -> DataSource.ImageList {
    let parameters = layer.message.message("image_data_param")
    var list = DataSource.ImageList(
      path: try path("source", parameters), batch: try layer.count("batch_size", of: parameters))
    list.root = parameters.string("root_folder")
    list.shuffles = parameters.bool("shuffle")
    list.randomSkip = parameters.integer("rand_skip")
    list.height = parameters.integer("new_height")
    list.width = parameters.integer("new_width")
    guard (list.height > 0) == (list.width > 0) else {
      throw layer.refusal(
        "new_height and new_width go together", at: list.height > 0 ? "new_height" : "new_width",
        of: parameters)
    }
    list.isColor = parameters.bool("is_color")
    list.transform = try transform()
    return list
  }

  private func hdf5() throws(Diagnostic) -> DataSource.HDF5Files {
    let parameters = layer.message.message("hdf5_data_param")
    guard !layer.message.has("transform_param") else {
      throw layer.refusal(
        "HDF5Data has no transform_param; transform what the files hold", at: "transform_param")
    }
    var files = DataSource.HDF5Files(
      path: try path("source", parameters), batch: try layer.count("batch_size", of: parameters),
      datasets: layer.tops)
    files.shuffles = parameters.bool("shuffle")
    return files
  }

  private func memory() throws(Diagnostic) -> DataSource {
    let parameters = layer.message.message("memory_data_param")
    var extents: [Int] = []
    for name in ["batch_size", "channels", "height", "width"] {
      extents.append(try layer.count(name, of: parameters))
    }
    let shape = try layer.fitting(of: parameters) { () throws(ShapeError) in try Shape(extents) }
    return .memory(data: shape, label: .vector(extents[0]), transform: try transform())
  }

  private func dummy() throws(Diagnostic) -> DataSource {
    let parameters = layer.message.message("dummy_data_param")
    let shapes = try knownShapes(DataReaders.dummyData(layer))
    var fillers: [Filler] = []
    for message in parameters.messages("data_filler") {
      fillers.append(try FillerReader.filler(message, of: layer))
    }
    guard fillers.count <= 1 || fillers.count == shapes.count else {
      throw layer.refusal(
        "\(fillers.count) data_filler for \(shapes.count) tops; give one, or one for each",
        at: "data_filler", of: parameters)
    }
    if fillers.count < shapes.count {
      fillers = [Filler](repeating: fillers.first ?? .constant(0), count: shapes.count)
    }
    return .dummy(shapes: shapes, fillers: fillers)
  }

  private func knownShapes(_ blobs: [DataBlob]) throws(Diagnostic) -> [Shape] {
    var shapes: [Shape] = []
    for blob in blobs {
      guard case .known(let extents) = blob.size else {
        throw layer.refusal("the shape of blob \(Spelling.quoted(blob.top)) is missing")
      }
      shapes.append(try layer.fitting { () throws(ShapeError) in try Shape(extents) })
    }
    return shapes
  }

  private func path(_ field: String, _ parameters: TextMessage) throws(Diagnostic) -> String {
    let path = parameters.string(field)
    guard !path.isEmpty else {
      throw layer.refusal("\(field) is missing; it says where the data is", of: parameters)
    }
    return path
  }

  private func transform() throws(Diagnostic) -> DataTransform {
    let parameters = layer.message.message("transform_param")
    var transform = DataTransform()
    transform.scale = parameters.float("scale")
    transform.mirrors = parameters.bool("mirror")
    transform.crop = parameters.integer("crop_size")
    transform.meanValues = parameters.floats("mean_value")
    if parameters.has("mean_file") {
      guard transform.meanValues.isEmpty else {
        throw layer.refusal(
          "mean_file and mean_value both say what to subtract; keep one", at: "mean_value",
          of: parameters)
      }
      transform.meanFile = parameters.string("mean_file")
    }
    transform.forcesColor = parameters.bool("force_color")
    transform.forcesGray = parameters.bool("force_gray")
    guard !transform.forcesColor || !transform.forcesGray else {
      throw layer.refusal(
        "force_color and force_gray exclude each other", at: "force_gray", of: parameters)
    }
    transform.isTraining = layer.state.phase == .train
    return transform
  }
}
