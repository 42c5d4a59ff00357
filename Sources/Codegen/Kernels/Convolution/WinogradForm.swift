import IR

/// How convolution_winograd.h computes a layer: the size of its tiles and how many at a time; the memory it works
/// in and the time it takes.
struct WinogradForm {
  /// Extents of a layer, for one item.
  struct Layer {
    var groups: Int
    /// Of a group.
    var channels: Int
    var filters: Int
    var height: Int
    var width: Int
    /// Rows and columns of the filters.
    var taps: Int
    /// Whether the weights come transformed, for tiles of `WinogradDomain.tile`.
    var isTransformed = false

    /// The windows that there are for it.
    var windows: [Int] {
      isTransformed ? [WinogradDomain.points(kernel: taps)] : WinogradForm.windows(taps: taps)
    }
  }

  let layer: Layer
  /// Rows and columns of the windows that give a tile.
  let window: Int
  /// Rows of tiles of a band.
  let tileRows: Int
  let filtersBlock: Int
  let channelsBlock: Int
  private let lanes: Int

  /// Filters that are multiplied at a time, and channels whose weights for these fill a vector, as in winograd.h.
  static func filters(lanes: Int) -> Int { lanes == 16 ? 8 : 4 }
  static func channels(lanes: Int) -> Int { lanes / filters(lanes: lanes) }

  /// The windows that there are for square filters of so many rows; none for others.
  static func windows(taps: Int) -> [Int] { taps == 3 ? [4, 6, 8] : taps == 5 ? [6, 8] : [] }

  init(_ layer: Layer, window: Int, _ target: Target) {
    self.layer = layer
    self.window = window
    lanes = target.lanes
    // Measured: hardly any difference between 16 and 64 filters and 32 and 512 channels; sums of few channels
    // are rounded less.
    filtersBlock = min(32, roundUp(layer.filters, Self.filters(lanes: lanes)))
    channelsBlock = min(64, roundUp(layer.channels, Self.channels(lanes: lanes)))
    // Many tiles, since weights are transformed once for all tiles of a band; but the windows shall stay in
    // the third-level cache, and the tiles of all bands be about as many.
    let tile = window - layer.taps + 1
    let rows = (layer.height + tile - 1) / tile
    let columns = (layer.width + tile - 1) / tile
    let floats = (5 << 20) / 4 / (window * window * layer.channels)
    let most = min(max(1, min(Self.mostTiles, floats) / columns), rows)
    let bands = (rows + most - 1) / most
    tileRows = (rows + bands - 1) / bands
  }

  /// Tiles of a band at most: MAX_WINOGRAD_TILES of convolution_winograd.h, less a vector.
  static let mostTiles = 240

  private var tile: Int { window - layer.taps + 1 }
  private var rows: Int { (layer.height + tile - 1) / tile }
  private var columns: Int { (layer.width + tile - 1) / tile }
  private var entries: Int { window * window }
  private var slabs: Int { (layer.channels + channelsBlock - 1) / channelsBlock }
  private var blocks: Int { roundUp(layer.filters, Self.filters(lanes: lanes)) }

  /// Whether a row of tiles fits into a band, and what a band needs into 32 MB.
  var isPossible: Bool { columns <= Self.mostTiles && scratchFloats <= 8 << 20 }

  /// Whether the tiles cover the output exactly, so that windows meet nothing beyond the padding.
  var coversExactly: Bool { layer.height % tile == 0 && layer.width % tile == 0 }

  /// Vectors that hold the tiles of `rows` rows.
  private func vectors(_ rows: Int) -> Int { (rows * columns + lanes - 1) / lanes }

  /// Floats that each part works in: `winograd_scratch` of convolution_winograd.h.
  var scratchFloats: Int {
    let tiles = vectors(tileRows) * lanes
    let windows = slabs * entries * (channelsBlock * tiles + 16)
    let filters = entries * (filtersBlock * channelsBlock + 16)
    let products = entries * (filtersBlock * tiles + 16)
    let pitch = roundUp(columns * tile + layer.taps + 1, 4)
    let plane = (tileRows * tile + layer.taps - 1) * pitch + 16
    return [windows, filters, products, plane].reduce(0) { $0 + roundUp($1, 16) }
  }

  /// The weights, in the order of convolution_winograd.h.
  func packed(_ weights: [Float]) -> [Float] {
    let (perBlock, perVector) = (Self.filters(lanes: lanes), Self.channels(lanes: lanes))
    let area = layer.isTransformed ? entries : layer.taps * layer.taps
    var result: [Float] = []
    result.reserveCapacity(layer.groups * blocks * roundUp(layer.channels, perVector) * area)
    for group in 0..<layer.groups {
      for block in stride(from: 0, to: layer.filters, by: perBlock) {
        for first in stride(from: 0, to: layer.channels, by: perVector) {
          for tap in 0..<area {
            for lane in 0..<lanes {
              let (channel, filter) = (first + lane / perBlock, block + lane % perBlock)
              let exists = channel < layer.channels && filter < layer.filters
              let row = (group * layer.filters + filter) * layer.channels + channel
              result.append(exists ? weights[row * area + tap] * scale(tap) : 0)
            }
          }
        }
      }
    }
    return result
  }

  /// What a transformed weight is multiplied by: winograd.h has the powers of the points 1/2 and -1/2 where SkimCaffe has
  /// eight times as much.
  private func scale(_ entry: Int) -> Float {
    guard layer.isTransformed, window == 8 else { return 1 }
    func isHalf(_ place: Int) -> Bool { place == 5 || place == 6 }
    return (isHalf(entry / window) ? 8 : 1) * (isHalf(entry % window) ? 8 : 1)
  }

  /// Cycles for one item, fitted to layers of VGG-16, ResNet-50 and -20, CaffeNet and SqueezeNet measured on AMD's
  /// third Zen generation.
  func cycles(_ target: Target) -> Double {
    let transforms = Transforms(window: window, taps: layer.taps)
    let (full, rest) = rows.quotientAndRemainder(dividingBy: tileRows)
    let all = Double(full) * band(tileRows, transforms, target)
    return Double(layer.groups) * (all + (rest > 0 ? band(rest, transforms, target) : 0)) + 3000
  }

  private func band(_ rows: Int, _ transforms: Transforms, _ target: Target) -> Double {
    let vectors = Double(vectors(rows))
    let (channels, filters) = (Double(layer.channels), Double(layer.filters))
    // Where tiles and windows go through a buffer, about a vector and a half of each row.
    let copies = coversExactly ? 0 : Double(rows * tile) * (8 + Double(layer.width) / 8)
    let inputs = channels * (vectors * transforms.windows + copies)
    let outputs = filters * (vectors * transforms.tiles + copies)
    let weightVectors =
      channels * Double(blocks) / Double(Self.filters(lanes: lanes) * Self.channels(lanes: lanes))
    // Multiply-adds and what is around them: loads, more of them for a lone vector of tiles, and the sums of
    // each block of channels.
    let perVector = (vectors == 1 ? 1.5 : 1.1) + 4 / min(channels, Double(channelsBlock))
    let products =
      Double(entries) * channels * Double(blocks) * vectors * perVector
      / target.multiplyAddsPerCycle
    let weights = layer.isTransformed ? Double(entries) : transforms.weights
    return inputs + outputs + weightVectors * weights + products
  }

  /// Cycles for one vector of windows, of tiles and of weights.
  private struct Transforms {
    var windows: Double
    var tiles: Double
    var weights: Double

    init(window: Int, taps: Int) {
      switch window {
      case 4: (windows, tiles, weights) = (100, 85, 80)
      case 6: (windows, tiles, weights) = (280, taps == 3 ? 240 : 140, 160)
      default: (windows, tiles, weights) = (700, taps == 3 ? 750 : 450, 270)
      }
    }
  }
}

/// `count`, rounded up to a multiple of `unit`.
private func roundUp(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
