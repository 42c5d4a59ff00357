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
  /// All but those with group lasso or masks.
  static let scnn = [
    "adadelta", "adagrad", "adam", "bn_sgd", "connected_from_pruned", "l1_local", "lr_exp",
    "lr_inv", "lr_multistep", "lr_poly", "lr_sigmoid", "lr_step", "nesterov", "rmsprop",
    "sgd_clip", "sgd_itersize2", "sgd_l1", "sgd_l1_strong", "sgd_l2", "sgd_nomom",
  ].map { "scnn/\($0)" }

  /// A case: its solver, and weights and gradients by parameter, one row for each stored update.
  private struct Trace {
    let settings: SolverSettings
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

    /// Row `k` of an array, in the parameter's own shape.
    func row(_ k: Int, of array: NumPyArray, _ parameter: Parameter) -> ArraySlice<Float> {
      array.values[k * parameter.count..<(k + 1) * parameter.count]
    }
  }

  @Test(arguments: bvlc + scnn)
  func `every stored update is made`(_ name: String) throws {
    let trace = try Trace(name)
    let solver = Solver(settings: trace.settings, parameters: trace.parameters, threads: 2)
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

  @Test func `no case of plain Caffe is left out`() throws {
    let folder = try #require(SharedFiles.find("golden/training/bvlc"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names.map { "bvlc/\($0)" }) == Set(Self.bvlc))
  }
}
