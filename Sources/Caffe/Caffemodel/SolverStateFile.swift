import Foundation
import IR

/// What a .solverstate of Caffe holds: how far training came, and the solver's memory.
public struct SolverStateFile: Hashable, Sendable {
  /// Updates made.
  public var iteration: Int
  /// The .caffemodel written with it; empty if none is named.
  public var learnedNet: String
  /// The step of a learning rate policy that counts them.
  public var currentStep: Int
  /// Momentum and the like, one blob per parameter and kind.
  public var history: [Blob]

  /// Reads the file at `path`, up to 2 GB.
  ///
  /// - Throws: one line that says what is wrong with the file.
  public init(contentsOf path: String) throws(Diagnostic) {
    try self.init(data: BinaryFile.contents(of: path), file: path)
  }

  /// Decodes the bytes of a file that error messages shall call `file`.
  public init(data: Data, file: String) throws(Diagnostic) {
    let state = try BinaryFile.decode(
      WireSolverState.self, as: .solverState, from: data, file: file, what: "a binary solverstate")
    guard state.hasIter else {
      throw .error("names no iteration; is it a binary solverstate?", file: file)
    }
    iteration = Int(state.iter)
    learnedNet = state.learnedNet
    currentStep = Int(state.currentStep)
    history = []
    for (index, wire) in state.history.enumerated() {
      do {
        history.append(try Blob(wire))
      } catch {
        throw .error("history \(index): \(error)", file: file)
      }
    }
  }
}
