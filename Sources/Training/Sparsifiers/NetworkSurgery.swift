import Foundation
import IR

/// Dynamic network surgery (Guo, Yao and Chen 2016) as their own code does it (dns-y), layer by layer.
///
/// At update 0 each layer takes mean and deviation of the magnitudes of its weights and biases together; they stay. In
/// each forward pass of training, with probability (1 + gamma t)^-power while t < stop, weights up to 0.9 T are pruned
/// and pruned ones above 1.1 T spliced, T = max(mean + rate * deviation, 0). The net computes with masked weights, the
/// updates go to the dense ones.
public final class NetworkSurgery: Sparsifier {
  /// A layer under surgery.
  struct Site {
    var layer: String
    /// The places of its weights and bias.
    var parameters: [Int]
    var gamma: Float
    var power: Float
    var stop: Float
    /// c_rate: deviations above the mean.
    var rate: Float
    var statistics: Statistics?
  }

  /// Of the magnitudes of a layer's weights.
  struct Statistics: Codable {
    var mean: Float
    var deviation: Float
  }

  private struct State: Codable {
    var random: [UInt8]
    var statistics: [String: Statistics]
  }

  private(set) var sites: [Site]
  private(set) var weights: HiddenWeights
  private let parameters: [Parameter]
  private var random: RandomSource
  private var isFirstBatch = true

  /// - Parameters:
  ///   - parameters: of the net; those whose fields ask for this method take part.
  ///   - random: what surgery is drawn from.
  public convenience init(_ parameters: [Parameter], random: RandomSource) {
    var sites: [Site] = []
    for (index, parameter) in parameters.enumerated() {
      guard
        case .original(let gamma, let power, let stop, let rate) =
          parameter.settings.sparsity.surgery
      else { continue }
      if let place = sites.firstIndex(where: { $0.layer == parameter.layer }) {
        sites[place].parameters.append(index)
      } else {
        sites.append(
          Site(
            layer: parameter.layer, parameters: [index], gamma: gamma, power: power, stop: stop,
            rate: rate))
      }
    }
    self.init(sites, of: parameters, random: random)
  }

  init(_ sites: [Site], of parameters: [Parameter], random: RandomSource) {
    self.sites = sites
    self.parameters = parameters
    self.random = random
    weights = HiddenWeights(sites.flatMap(\.parameters), of: parameters)
  }

  public var name: String { "network surgery" }
  public var hidesDenseWeights: Bool { true }
  public func mask(of index: Int) -> [Bool]? { weights.masks[index] }
  public func adopt(_ mask: [Bool], of index: Int) -> Bool { weights.adopt(mask, of: index) }

  public func beginIteration(_ progress: TrainingProgress) { isFirstBatch = true }

  public func beforeForward(_ progress: TrainingProgress) {
    // The fork multiplies gathered gradients by the mask before it adds those of the next batch.
    if !isFirstBatch { weights.maskGradients() }
    isFirstBatch = false
    let t = Float(progress.iteration)
    takeStatistics()
    for place in sites.indices {
      let site = sites[place]
      let draw = random.unit()
      if powf(1 + site.gamma * t, -site.power) > draw, t < site.stop { operate(on: site) }
    }
    weights.hide()
  }

  public func afterBackward(_ progress: TrainingProgress) { weights.reveal() }
  public func beforeTest() { weights.hide() }
  public func afterTest() { weights.reveal() }

  private func operate(on site: Site) {
    guard let statistics = site.statistics else { return }
    let threshold = max(statistics.mean + site.rate * statistics.deviation, 0)
    guard threshold.isFinite else { return }
    for index in site.parameters {
      weights.update(index) { value, isKept in
        isKept ? abs(value) > 0.9 * threshold : abs(value) > 1.1 * threshold
      }
    }
  }

  private func statistics(of site: Site) -> Statistics {
    var (count, sum, squares) = (0, 0.0, 0.0)
    for index in site.parameters {
      guard let mask = weights.masks[index] else { continue }
      for (value, isKept) in zip(parameters[index].values, mask) where isKept && value != 0 {
        count += 1
        sum += Double(abs(value))
        squares += Double(value) * Double(value)
      }
    }
    guard count > 0 else { return Statistics(mean: 0, deviation: 0) }
    let mean = sum / Double(count)
    let variance = (squares - Double(count) * mean * mean) / Double(count)
    return Statistics(mean: Float(mean), deviation: Float(max(variance, 0).squareRoot()))
  }

  /// Changes c_rate of a site.
  func setRate(_ rate: Float, site: Int) { sites[site].rate = rate }

  /// Takes the statistics of all sites that have none yet.
  func takeStatistics() {
    for place in sites.indices where sites[place].statistics == nil {
      sites[place].statistics = statistics(of: sites[place])
    }
  }

  /// Lets nothing live on behind the masks.
  func forget() { weights.forget() }

  public var state: [UInt8] {
    var statistics: [String: Statistics] = [:]
    for site in sites { statistics[site.layer] = site.statistics }
    return MethodState.bytes(of: State(random: random.bytes, statistics: statistics))
  }

  public func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    guard let random = RandomSource(bytes: saved.random) else {
      throw .error("what the snapshot says about \(name) can not be read")
    }
    try weights.restore(masks)
    self.random = random
    for place in sites.indices { sites[place].statistics = saved.statistics[sites[place].layer] }
  }
}
