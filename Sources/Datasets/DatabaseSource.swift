import IR
import Images

/// Batches of the records of an LMDB or LevelDB, in the order of their keys, round and round.
///
/// Tops: data [batch, channels, height, width] and labels [batch]; one top alone is the data.
final class DatabaseSource: BatchSource {
  let shapes: [Shape]
  private let settings: DataSource.Database
  private let origin: Origin
  private let cursor: any RecordCursor
  private let transform: PixelTransform
  private var random: RandomSource

  private static let stateKind: UInt8 = 1

  /// Opens the database and takes shapes from its first record.
  init(
    _ settings: DataSource.Database, layer: String, phase: TrainingNet.Phase,
    random: RandomSource, loadMean: (String) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) {
    let origin = Origin(settings.path, layer: layer)
    guard settings.batch > 0 else { throw origin.error("a batch_size of \(settings.batch)") }
    guard !(settings.transform.forcesColor && settings.transform.forcesGray) else {
      throw origin.error("force_color and force_gray exclude each other")
    }
    self.settings = settings
    self.origin = origin
    self.random = random
    cursor = try settings.backend.open(origin)
    let record = try cursor.current()
    let first = try Self.size(of: record, settings, origin)
    transform = try PixelTransform(
      settings.transform, isTraining: phase == .train, first: first, origin: origin,
      loadMean: loadMean)
    shapes = try Self.shapes(settings.batch, transform.output, origin)
    if settings.randomSkip > 0 {
      for _ in 0..<self.random.index(below: settings.randomSkip) { try cursor.advance() }
    }
  }

  /// The shapes of data and labels.
  static func shapes(
    _ batch: Int, _ size: PictureSize, _ origin: Origin
  ) throws(Diagnostic) -> [Shape] {
    do throws(ShapeError) {
      return [
        try Shape([batch, size.channels, size.height, size.width]), try Shape([batch]),
      ]
    } catch {
      throw origin.error("a batch of \(batch): \(error)")
    }
  }

  private static func size(
    of record: Record, _ settings: DataSource.Database, _ origin: Origin
  ) throws(Diagnostic) -> PictureSize {
    do throws(DatumFlaw) {
      let datum = try DatumView(record.value)
      if datum.isEncoded { return try image(datum).size(as: color(settings)) }
      return PictureSize(channels: datum.channels, height: datum.height, width: datum.width)
    } catch {
      throw origin.error(error.reason, record: record.key)
    }
  }

  /// What encoded pictures are turned into. Raw ones stay what they are, as in Caffe.
  private static func color(_ settings: DataSource.Database) -> Image.Color? {
    if settings.transform.forcesGray { return .gray }
    return settings.transform.forcesColor || settings.forcesEncodedColor ? .rgb : nil
  }

  static func image(_ datum: DatumView) throws(DatumFlaw) -> Image {
    do throws(ImageError) {
      return try ImageDecoder.decode([UInt8](datum.data), name: "the picture")
    } catch {
      throw DatumFlaw("\(error)")
    }
  }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    let count = shapes[0].count / settings.batch
    for item in 0..<settings.batch {
      let record = try cursor.current()
      let target = UnsafeMutableBufferPointer(
        rebasing: tops[0][item * count..<(item + 1) * count])
      do throws(DatumFlaw) {
        let datum = try DatumView(record.value)
        try fill(target, from: datum)
        if tops.count > 1 { tops[1][item] = Float(datum.label) }
      } catch {
        throw origin.error(error.reason, record: record.key)
      }
      try cursor.advance()
    }
  }

  private func fill(
    _ target: UnsafeMutableBufferPointer<Float>, from datum: DatumView
  ) throws(DatumFlaw) {
    if datum.isEncoded {
      let image = try Self.image(datum)
      let color = Self.color(settings)
      let size = image.size(as: color)
      if let flaw = transform.flaw(of: size) {
        // Collections of pictures usually have some gray ones among them.
        let isMixed = size.channels != shapes[0][1]
        throw DatumFlaw(isMixed ? flaw + "; write force_color: true in transform_param" : flaw)
      }
      image.planes(as: color).withUnsafeBufferPointer {
        transform.apply(.bytes($0), size: size, into: target, random: &random)
      }
      return
    }
    let size = PictureSize(channels: datum.channels, height: datum.height, width: datum.width)
    if let flaw = transform.flaw(of: size) { throw DatumFlaw(flaw) }
    if datum.data.isEmpty {
      datum.floats.withUnsafeBufferPointer {
        transform.apply(.floats($0), size: size, into: target, random: &random)
      }
    } else {
      datum.data.withMemoryRebound(to: UInt8.self) {
        transform.apply(.bytes($0), size: size, into: target, random: &random)
      }
    }
  }

  var position: [UInt8] {
    var state = SourceStateWriter(Self.stateKind)
    state.append(random.bytes)
    // Where the database has become unreadable there is no position to come back to.
    state.append((try? cursor.current()).map { [UInt8]($0.key) } ?? [])
    return state.bytes
  }

  func move(to position: [UInt8]) throws(Diagnostic) {
    guard var state = SourceStateReader(position, Self.stateKind), let random = state.random(),
      let key = state.string(), state.isAtEnd
    else { throw origin.error("the stored position is not one of a database") }
    guard try cursor.move(to: key) else {
      let name = key.withUnsafeBytes { Origin.quoted($0) }
      throw origin.error("has no record \(name) to go on from; is it another database?")
    }
    self.random = random
  }
}
