import IR

/// Opens the sources that data layers read.
public enum Datasets {
  /// What reads a mean image (a BlobProto file) as channels x height x width.
  public typealias MeanReader = (String) throws(Diagnostic) -> Tensor

  /// Opens a source and looks at its first record, which gives the shapes.
  ///
  /// A database or list of pictures has two tops, data and labels; `next` takes the first alone, too.
  /// Batches of these are made in advance, on a thread of their own.
  ///
  /// - Parameters:
  ///   - layer: the layer's name, for messages.
  ///   - phase: in training, crops are random.
  ///   - random: for crops, mirroring, shuffling and fillers; the same numbers give the same batches.
  /// - Throws: one line that names the source; also for `memory` and `input`, whose batches the
  ///   program hands over (see `HandedOver`).
  public static func open(
    _ source: DataSource, of layer: String, phase: TrainingNet.Phase, random: RandomSource,
    loadMean: MeanReader
  ) throws(Diagnostic) -> any BatchSource {
    switch source {
    case .database(let settings):
      return Prefetching(
        try DatabaseSource(
          settings, layer: layer, phase: phase, random: random, loadMean: loadMean),
        batches: settings.prefetch)
    case .images(let settings):
      return Prefetching(
        try ImageListSource(
          settings, layer: layer, phase: phase, random: random, loadMean: loadMean),
        batches: defaultPrefetch)
    case .hdf5(let settings):
      return try HDF5Source(settings, layer: layer, random: random)
    case .dummy(let shapes, let fillers):
      return try DummySource(shapes: shapes, fillers: fillers, layer: layer, random: random)
    case .memory, .input:
      throw .error(
        "layer \"\(layer)\" takes its data from a program (MemoryData, Input); "
          + "train with a layer that reads them, such as Data or HDF5Data")
    }
  }

  /// Batches in advance where a layer has no field to say so: Caffe's own default.
  private static let defaultPrefetch = 4
}
