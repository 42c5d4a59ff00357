import Caffe
import Foundation
import IR
import NumPy
import TestSupport
import Testing

@testable import Training

/// Single updates against what Caffe and scnn computed: from stored weights and stored gradients, carrying only
/// the solver's memory. The README beside the files says why runs are not compared freely.
@Suite(.enabled(if: SharedFiles.find("golden/training") != nil, "needs ../shared/golden"))
struct GoldenUpdateTests {
  static let bvlc = [
    "adadelta", "adagrad", "lr_exp", "lr_inv", "lr_multistep", "lr_poly", "lr_step", "nesterov",
    "rmsprop", "sgd_itersize2", "sgd_l1", "sgd_l1_strong", "sgd_l2", "sgd_nomom",
  ].map { "bvlc/\($0)" }
  static let scnn = [
    "adadelta", "adagrad", "adam", "bgl_cols", "bgl_rows", "bgl_rows_l1", "bgl_strong", "bn_sgd",
    "connected_from_pruned", "disc_grpwise", "disc_grpwise_bgl", "disc_grpwise_bgl2", "l1_local",
    "lr_exp", "lr_inv", "lr_multistep", "lr_poly", "lr_sigmoid", "lr_step", "nesterov", "rmsprop",
    "sgd_clip", "sgd_itersize2", "sgd_l1", "sgd_l1_strong", "sgd_l2", "sgd_nomom",
  ].map { "scnn/\($0)" }

  /// A case: its solver, and weights and gradients by parameter, one row for each stored update.
  private struct Trace {
    let settings: SolverSettings
    let net: TrainingNet
    let parameters: [Parameter]
    let weights: [NumPyArray]
    let gradients: [NumPyArray]

    init(_ name: String) throws {
      let folder = try #require(SharedFiles.find("golden/training/\(name)"))
      let solver = try SolverReader.read(
        Prototxt.read(folder.appending(path: "solver.prototxt").path, as: .solver))
      var settings = solver.settings
      settings.dialect = name.hasPrefix("scnn/") ? .scnn : .bvlc
      let net = try TrainingNetReader.read(
        Prototxt.read(folder.appending(path: "net.prototxt").path, as: .net),
        state: NetState(phase: .train), dialect: settings.dialect, solver: settings
      ) { (_, _, _) throws(Diagnostic) in [] }
      self.settings = settings
      self.net = net
      let parameters = net.layers.flatMap { layer in
        layer.parameters.enumerated().map {
          Parameter(layer: layer.name, index: $0, settings: $1)
        }
      }
      func arrays(_ file: String) throws -> [NumPyArray] {
        let path = folder.appending(path: file).path
        let archive = try NumPyArchive.read(contentsOf: path)
        return try parameters.map { try #require(archive["\($0.layer)|\($0.index)"]) }
      }
      self.parameters = parameters
      weights = try arrays("weights_all.npz")
      gradients = try arrays("grads_all.npz")
    }

    /// With the methods that the files ask for, started from the first stored weights.
    func solver() -> Solver {
      let methods = TrainingMethods(
        parameters, in: net, settings, random: RandomSource(seed: 1))
      let solver = Solver(
        settings: settings, parameters: parameters, regularizers: methods.regularizers,
        sparsifiers: methods.sparsifiers, threads: 2)
      for (index, parameter) in parameters.enumerated() {
        _ = parameter.values.update(fromContentsOf: row(0, of: weights[index], parameter))
      }
      let masks = FixedMasks.connectivity(
        parameters, in: net, isLoaded: parameters.map { _ in true }, dialect: settings.dialect,
        fields: settings.forkFields)
      if masks.contains(where: { $0 != nil }) { solver.add(FixedMasks(masks, of: parameters)) }
      return solver
    }

    /// Row `k` of an array, in the parameter's own shape.
    func row(_ k: Int, of array: NumPyArray, _ parameter: Parameter) -> ArraySlice<Float> {
      array.values[k * parameter.count..<(k + 1) * parameter.count]
    }
  }

  @Test(arguments: bvlc + scnn)
  func `every stored update is made`(_ name: String) throws {
    let trace = try Trace(name)
    let solver = trace.solver()
    let updates = trace.weights[0].shape[0] - 1
    #expect(updates >= 11)
    var worst: Float = 0
    for k in 0..<updates {
      for (index, parameter) in trace.parameters.enumerated() {
        _ = parameter.values.update(
          fromContentsOf: trace.row(k, of: trace.weights[index], parameter))
        let gradient = trace.row(k, of: trace.gradients[index], parameter)
        // What is stored is that of one batch; the solver divides by their number again.
        let batches = Float(trace.settings.batchesPerUpdate)
        _ = parameter.gradient.update(fromContentsOf: gradient.map { $0 * batches })
      }
      _ = solver.update()
      for (index, parameter) in trace.parameters.enumerated() {
        // The forward pass moves statistics, not the solver.
        if parameter.settings.slot.name.contains("sum") || parameter.settings.slot.name == "factor"
        {
          continue
        }
        let expected = trace.row(k + 1, of: trace.weights[index], parameter)
        for (value, stored) in zip(parameter.values, expected) {
          worst = max(worst, abs(value - stored))
          if (value == 0) != (stored == 0) {
            Issue.record("\(parameter.layer) \(parameter.index), update \(k): \(value), \(stored)")
            return
          }
        }
      }
    }
    #expect(worst <= 1e-5)
    #expect(solver.iteration == updates)
  }

  @Test(arguments: ["bvlc", "scnn"])
  func `no case is left out`(_ kind: String) throws {
    let folder = try #require(SharedFiles.find("golden/training/\(kind)"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names.map { "\(kind)/\($0)" }) == Set(kind == "bvlc" ? Self.bvlc : Self.scnn))
  }
}
