import Foundation
import IR
import TestSupport
import Testing

@testable import Training

/// SkimCaffe's pruning against its formulas, taken one by one.
@Suite struct SkimPruningTests {
  private func parameter(
    _ shape: [Int], _ kind: Regularization?, seed: UInt64 = 1, scale: Float = 1,
    domain: WeightDomain = .plain
  ) throws -> Parameter {
    var settings = TrainingParameter(
      slot: ParameterSlot("weights", try Shape(shape), domain: domain), filler: .constant(0))
    settings.regularization = kind
    settings.decayFactor = 2
    let parameter = Parameter(layer: "l", index: 0, settings: settings)
    var random = RandomSource(seed: seed)
    for i in parameter.values.indices { parameter.values[i] = scale * Float(random.normal()) }
    return parameter
  }

  private func update(
    _ parameter: Parameter, _ fields: ForkFields, rate: Float = 0.1, decay: Float = 0.01,
    rounds: Int = 1
  ) throws -> [(before: [Float], update: [Float], after: [Float])] {
    var settings = SolverSettings()
    settings.dialect = .skim
    settings.baseRate = rate
    settings.weightDecay = decay
    settings.momentum = 0.5
    settings.regularization = .l1
    settings.snapshotsGradients = true
    settings.forkFields = fields
    let net = try FakeNet.definition(columns: 2)
    let methods = TrainingMethods([parameter], in: net, settings, random: RandomSource(seed: 1))
    let solver = Solver(
      settings: settings, parameters: [parameter], regularizers: methods.regularizers,
      sparsifiers: methods.sparsifiers)
    var random = RandomSource(seed: 9)
    return (0..<rounds).map { _ in
      let before = Array(parameter.values)
      for i in parameter.gradient.indices { parameter.gradient[i] = Float(random.normal()) }
      _ = solver.update()
      return (before, Array(parameter.gradient), Array(parameter.values))
    }
  }

  @Test(arguments: [1, 10] as [Float])
  func `L1 prunes up to the threshold that the update allows`(_ factor: Float) throws {
    var fields = ForkFields()
    fields.pruneThreshold = 0.05
    fields.maximumThresholdFactor = factor
    // No type of its own: the solver's.
    let parameter = try parameter([40, 30], nil)
    let (before, update, after) = try update(parameter, fields)[0]
    var pruned = 0
    for i in before.indices {
      let value = before[i] - update[i]
      let limit = factor < 2 ? 0.05 : 1 / (abs(update[i]) / 0.05 + 1 / (factor * 0.05))
      #expect(after[i] == (abs(value) <= limit ? 0 : value) || abs(abs(value) - limit) < 1e-6)
      if after[i] == 0 { pruned += 1 }
    }
    #expect(pruned > 20 && pruned < 600)
  }

  /// Published for 3x3: 1/|row of A4| is 1, 1/2, 1/2, 1/sqrt 85, 1/sqrt 85, 1.
  @Test(arguments: [true, false])
  func `transforms are pruned by what their points say`(_ adjusts: Bool) throws {
    var fields = ForkFields()
    fields.pruneThreshold = 0.4
    fields.adjustsWinogradThreshold = adjusts
    let parameter = try parameter([3, 2, 6, 6], .l1, domain: .winograd(kernel: 3))
    let (before, update, after) = try update(parameter, fields)[0]
    let far = Float(85).squareRoot()
    let norms: [Float] = [1, 2, 2, far, far, 1]
    for i in before.indices {
      let value = before[i] - update[i]
      let factor = adjusts ? 1 / (norms[i / 6 % 6] * norms[i % 6]) : 1
      guard abs(abs(value) - 0.4 * factor) > 1e-5 else { continue }
      #expect(after[i] == (abs(value) <= 0.4 * factor ? 0 : value))
    }
    #expect(after.contains(0))
  }

  @Test func `L2 prunes nothing`() throws {
    var fields = ForkFields()
    fields.pruneThreshold = 0.5
    let (_, _, after) = try update(try parameter([20, 20], .l2), fields)[0]
    #expect(!after.contains(0))
  }

  @Test func `ISTA shrinks by rate times strength`() throws {
    let parameter = try parameter([20, 20], .softThreshold)
    let (before, update, after) = try update(parameter, ForkFields(), rate: 2, decay: 0.05)[0]
    for i in before.indices {
      let value = before[i] - update[i]
      let left = max(abs(value) - 2 * 0.05 * 2, 0)
      #expect(abs(after[i] - (value < 0 ? -left : left)) < 1e-6)
    }
    #expect(after.contains(0))
  }

  @Test func `spliced weights come back`() throws {
    var fields = ForkFields()
    fields.pruneThreshold = 0.6
    let parameter = try parameter([4, 3, 3, 3], .l1WithSplicing)
    var dense = Array(parameter.values)
    var cameBack = 0
    for (before, update, after) in try update(parameter, fields, rate: 0.5, rounds: 8) {
      for i in dense.indices {
        dense[i] -= update[i]
        #expect(after[i] == (abs(dense[i]) > 0.6 ? dense[i] : 0))
        if before[i] == 0, after[i] != 0 { cameBack += 1 }
      }
    }
    #expect(cameBack > 0)
  }

  // MARK: - The Winograd domain

  /// G (x) G by its definition, one row per point.
  private func matrix(_ extent: Int) throws -> [[Double]] {
    let g = try #require(WinogradDomain.transform(kernel: extent))
    return g.flatMap { row in g.map { other in row.flatMap { a in other.map { a * $0 } } } }
  }

  @Test(arguments: [3, 5])
  func `the penalty pulls the transformed kernel`(_ extent: Int) throws {
    let a = try matrix(extent)
    let parameter = try parameter([2, 3, extent, extent], .l1Winograd)
    let penalty = WinogradPenalty(strength: 0.25, usual: .l2)
    penalty.prepare([parameter])
    let term = penalty.add(
      to: parameter, index: 0, range: 0..<parameter.count, reportsTerm: true)
    let area = extent * extent
    var sum = 0.0
    for kernel in 0..<6 {
      let w = (0..<area).map { Double(parameter.values[kernel * area + $0]) }
      let v = a.map { zip($0, w).reduce(0) { $0 + $1.0 * $1.1 } }
      sum += v.reduce(0) { $0 + abs($1) }
      for i in 0..<area {
        let gradient = zip(a, v).reduce(0) { $0 + $1.0[i] * ($1.1 > 0 ? 1 : -1) }
        #expect(abs(Double(parameter.gradient[kernel * area + i]) - 0.5 * gradient) < 1e-5)
      }
    }
    #expect(abs(term - 0.5 * sum * Double(area) / Double(a.count)) < 1e-6 * term)
  }

  @Test func `the published sensitivities of a 3x3 kernel`() throws {
    let kernels = try #require(WinogradKernels(extent: 3))
    let norms = [2.1375, 2.7463, 2.7463, 1.2365, 1.2365, 1.0750]
    for (point, value) in kernels.sensitivity.enumerated() {
      #expect(abs(value - norms[point / 6] * norms[point % 6]) < 2e-3)
    }
  }

  @Test(arguments: [3, 5], [0, 20] as [Float])
  func `pruning takes the nearest kernel`(_ extent: Int, _ factor: Float) throws {
    var fields = ForkFields()
    fields.pruneThreshold = 0.08
    fields.winogradSparsityFactor = factor
    let parameter = try parameter([1, 2, extent, extent], .l1Winograd)
    let a = try matrix(extent)
    let (old, area) = (Array(parameter.values).map(Double.init), extent * extent)
    let pruning = WinogradPruning(fields, usual: .l2, parameters: [parameter])
    pruning.endIteration(
      TrainingProgress(iteration: 0, maximumIterations: 1, rate: 1, clipsGradients: false))
    let kernels = try #require(WinogradKernels(extent: extent))
    for kernel in 0..<2 {
      let w = Array(old[kernel * area..<(kernel + 1) * area])
      let x = (0..<area).map { Double(parameter.values[kernel * area + $0]) }
      func transformed(_ w: [Double]) -> [Double] {
        a.map { zip($0, w).reduce(0) { $0 + $1.0 * $1.1 } }
      }
      let v = transformed(w)
      let pruned = v.indices.filter { abs(v[$0]) <= 0.08 * kernels.sensitivity[$0] }
      #expect(!pruned.isEmpty)
      // The gradient of what is minimised is zero at the result.
      let now = transformed(x)
      for i in 0..<area {
        var slope = 0.0
        if factor == 0 {
          for point in v.indices {
            slope += a[point][i] * (now[point] - (pruned.contains(point) ? 0 : v[point]))
          }
        } else {
          slope = x[i] - w[i]
          for point in pruned { slope += 400 * a[point][i] * now[point] }
        }
        #expect(abs(slope) < 1e-4, "kernel \(kernel), \(i): \(slope)")
      }
    }
  }
}
