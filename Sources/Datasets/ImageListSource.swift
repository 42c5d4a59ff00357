import IR
import Images

/// Batches of the pictures that a file lists, round and round.
///
/// Tops: data [batch, channels, height, width] and labels [batch]; one top alone is the data. With
/// shuffling, every round has an order of its own.
final class ImageListSource: BatchSource {
  let shapes: [Shape]
  private let settings: DataSource.ImageList
  private let origin: Origin
  private let entries: [LabelledPaths.Entry]
  private let transform: PixelTransform
  private var random: RandomSource
  private var order: EpochOrder
  private var index = 0

  private static let stateKind: UInt8 = 2

  /// Reads the list and takes shapes from its first picture.
  init(
    _ settings: DataSource.ImageList, layer: String, phase: TrainingNet.Phase,
    random: RandomSource, loadMean: (String) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) {
    let origin = Origin(settings.path, layer: layer)
    guard settings.batch > 0 else { throw origin.error("a batch_size of \(settings.batch)") }
    guard (settings.height > 0) == (settings.width > 0), settings.height >= 0 else {
      throw origin.error("new_height and new_width go together")
    }
    self.settings = settings
    self.origin = origin
    self.random = random
    entries = try LabelledPaths(contentsOf: origin).entries
    order = EpochOrder(
      count: entries.count, isShuffled: settings.shuffles, seed: self.random.next())
    if settings.randomSkip > 0 {
      let skip = self.random.index(below: settings.randomSkip)
      guard skip < entries.count else {
        throw origin.error("lists \(entries.count) pictures, and rand_skip may skip more")
      }
      index = skip
    }
    let first = try Self.image(entries[order[index]], settings, origin)
    transform = try PixelTransform(
      settings.transform, isTraining: phase == .train, first: first.size(as: Self.color(settings)),
      origin: origin, loadMean: loadMean)
    shapes = try DatabaseSource.shapes(settings.batch, transform.output, origin)
  }

  private static func color(_ settings: DataSource.ImageList) -> Image.Color {
    settings.isColor ? .rgb : .gray
  }

  private static func image(
    _ entry: LabelledPaths.Entry, _ settings: DataSource.ImageList, _ origin: Origin
  ) throws(Diagnostic) -> Image {
    do throws(ImageError) {
      let image = try ImageDecoder.decode(contentsOf: settings.root + entry.path)
      guard settings.height > 0 else { return image }
      return image.resized(width: settings.width, height: settings.height)
    } catch {
      throw Self.failure(entry, "\(error)", origin)
    }
  }

  private static func failure(
    _ entry: LabelledPaths.Entry, _ message: String, _ origin: Origin
  ) -> Diagnostic {
    var failure = origin.error(message)
    failure.location = SourceLocation(file: origin.path, line: entry.line, column: 1)
    return failure
  }

  func next(into tops: [UnsafeMutableBufferPointer<Float>]) throws(Diagnostic) {
    let count = shapes[0].count / settings.batch
    let color = Self.color(settings)
    for item in 0..<settings.batch {
      let entry = entries[order[index]]
      let image = try Self.image(entry, settings, origin)
      let size = image.size(as: color)
      if let flaw = transform.flaw(of: size) {
        throw Self.failure(entry, "\(settings.root + entry.path) \(flaw)", origin)
      }
      let target = UnsafeMutableBufferPointer(
        rebasing: tops[0][item * count..<(item + 1) * count])
      image.planes(as: color).withUnsafeBufferPointer {
        transform.apply(.bytes($0), size: size, into: target, random: &random)
      }
      if tops.count > 1 { tops[1][item] = Float(entry.label) }
      index += 1
      if index == entries.count {
        index = 0
        order.advance()
      }
    }
  }

  var position: [UInt8] {
    var state = SourceStateWriter(Self.stateKind)
    state.append(entries.count)
    state.append(random.bytes)
    state.append(order)
    state.append(index)
    return state.bytes
  }

  func move(to position: [UInt8]) throws(Diagnostic) {
    guard var state = SourceStateReader(position, Self.stateKind),
      state.number(in: entries.count..<entries.count + 1) != nil, let random = state.random(),
      let order = state.order(count: entries.count, isShuffled: settings.shuffles),
      let index = state.number(in: 0..<entries.count), state.isAtEnd
    else { throw origin.error("the stored position is not one of this list") }
    (self.random, self.order, self.index) = (random, order, index)
  }
}
