import Foundation
import IR

/// Dynamic network surgery whose c_rate follows a target: at each look it is the number of deviations at which the wanted
/// share of weights lies below the thresholds of their layers.
///
/// Surgery goes on to the end of the time for zeros, with a probability that falls to two fifths; biases are left alone.
final class SteeredSurgery: SteeredMethod {
  private let groups: TargetGroups
  private let parameters: [Parameter]
  private let surgery: NetworkSurgery
  /// The sites of each scope.
  private let sites: [[Int]]
  private var rates: [Float] = []
  private var isFinished = false

  init(
    _ groups: TargetGroups, _ parameters: [Parameter], _ plan: SparsifyingPlan,
    random: RandomSource
  ) {
    self.groups = groups
    self.parameters = parameters
    var made: [NetworkSurgery.Site] = []
    var sites: [[Int]] = []
    for scope in groups.scopes {
      var own: [Int] = []
      for place in scope.sets {
        let index = groups.sets[place].members[0].parameter
        own.append(made.count)
        made.append(
          NetworkSurgery.Site(
            layer: parameters[index].layer, parameters: [index],
            gamma: 1.5 / Float(max(plan.end, 1)), power: 1, stop: Float(plan.end),
            rate: -.infinity))
      }
      sites.append(own)
    }
    self.sites = sites
    surgery = NetworkSurgery(made, of: parameters, random: random)
  }

  let name = "steered network surgery"
  var strengths: [Float] { rates }
  var hidesDenseWeights: Bool { !isFinished }
  func mask(of index: Int) -> [Bool]? { isFinished ? nil : surgery.mask(of: index) }
  func adopt(_ mask: [Bool], of index: Int) -> Bool { surgery.adopt(mask, of: index) }

  func steer(_ states: [ScopeState], _ progress: TrainingProgress) {
    surgery.takeStatistics()
    rates = zip(sites, states).map { sites, state in
      let rate = self.rate(for: state.wanted, sites)
      for site in sites { surgery.setRate(rate, site: site) }
      return rate
    }
  }

  /// By halving: the share of weights up to mean + rate * deviation grows with the rate.
  private func rate(for share: Double, _ sites: [Int]) -> Float {
    guard share > 0 else { return -.infinity }
    var (low, high): (Float, Float) = (-4, 60)
    for _ in 0..<30 {
      let middle = (low + high) / 2
      if self.share(below: middle, sites) < share { low = middle } else { high = middle }
    }
    return high
  }

  private func share(below rate: Float, _ sites: [Int]) -> Double {
    var (below, count) = (0, 0)
    for place in sites {
      let site = surgery.sites[place]
      guard let statistics = site.statistics else { continue }
      let threshold = statistics.mean + rate * statistics.deviation
      for index in site.parameters {
        let values = parameters[index].values
        count += values.count
        for value in values where abs(value) <= threshold { below += 1 }
      }
    }
    return Double(below) / Double(max(count, 1))
  }

  func beginIteration(_ progress: TrainingProgress) { surgery.beginIteration(progress) }
  func beforeForward(_ progress: TrainingProgress) { surgery.beforeForward(progress) }
  func afterBackward(_ progress: TrainingProgress) { surgery.afterBackward(progress) }
  func beforeTest() { surgery.beforeTest() }
  func afterTest() { surgery.afterTest() }

  func finish() {
    surgery.forget()
    isFinished = true
  }

  private struct State: Codable {
    var surgery: [UInt8]
    var rates: [Float]
    var isFinished: Bool
  }

  var state: [UInt8] {
    MethodState.bytes(of: State(surgery: surgery.state, rates: rates, isFinished: isFinished))
  }

  func restore(_ state: [UInt8], masks: [[Bool]?]) throws(Diagnostic) {
    let saved: State = try MethodState.value(of: state, name)
    isFinished = saved.isFinished
    rates = saved.rates
    guard !isFinished else { return }
    try surgery.restore(saved.surgery, masks: masks)
    for (sites, rate) in zip(sites, rates) {
      for site in sites { surgery.setRate(rate, site: site) }
    }
  }
}
