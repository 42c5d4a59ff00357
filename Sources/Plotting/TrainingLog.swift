import Foundation
import IR

/// What a log tells of a training run: values over iterations.
public struct TrainingLog: Hashable, Sendable {
  /// What the values of a curve are; each has an axis of its own.
  public enum Quantity: String, Hashable, Sendable, CaseIterable {
    case loss
    case accuracy
    /// In percent.
    case sparsity = "sparsity, %"
  }

  public struct Point: Hashable, Sendable {
    public var iteration: Int
    public var value: Double

    public init(iteration: Int, value: Double) {
      self.iteration = iteration
      self.value = value
    }
  }

  public struct Curve: Hashable, Sendable {
    /// As legends say it: `training loss`, `test accuracy`, `conv1 rows`.
    public var name: String
    public var quantity: Quantity
    /// Whether its values come from tests, which are fewer.
    public var isOfTests: Bool
    /// In ascending order of iterations, all values finite.
    public var points: [Point] = []

    public init(name: String, quantity: Quantity, isOfTests: Bool) {
      self.name = name
      self.quantity = quantity
      self.isOfTests = isOfTests
    }
  }

  /// What legends call the log.
  public var name: String
  /// In the order in which they begin.
  public private(set) var curves: [Curve] = []
  private var indices: [Curve: Int] = [:]

  init(name: String) { self.name = name }

  /// Reads a log of Caffe, of its forks, or of `sparsec train` in either style.
  ///
  /// - Parameters:
  ///   - bytes: its text; bytes that are no UTF-8 are passed over.
  ///   - file: its name for messages, whose last part becomes the log's name.
  /// - Throws: one line, if nothing in it can be drawn, or a line of JSON is damaged.
  public init(_ bytes: [UInt8], file: String) throws(Diagnostic) {
    let name = (file as NSString).lastPathComponent
    let first = bytes.first { !Self.blanks.contains($0) }
    self =
      first == UInt8(ascii: "{")
      ? try JSONLog.read(bytes, file: file, name: name) : CaffeLog.read(bytes, name: name)
    guard curves.contains(where: { !$0.points.isEmpty }) else {
      throw .error("has no losses, accuracies or sparsities of a training run in it", file: file)
    }
  }

  /// What a run that has gone wrong may print is beyond what can be drawn beside anything else.
  private static let limit = 1e30

  private static let blanks: Set<UInt8> = [9, 10, 13, 32]

  /// Adds a value to the curve of a name. Values that cannot be drawn are passed over.
  ///
  /// A run that went on from a snapshot repeats iterations: the later values count.
  mutating func add(
    _ value: Double, at iteration: Int, to name: String, _ quantity: Quantity, isOfTests: Bool
  ) {
    guard abs(value) < Self.limit, iteration >= 0 else { return }
    let curve = Curve(name: name, quantity: quantity, isOfTests: isOfTests)
    let index: Int
    if let known = indices[curve] {
      index = known
    } else {
      index = curves.count
      indices[curve] = index
      curves.append(curve)
    }
    while let last = curves[index].points.last, last.iteration >= iteration {
      curves[index].points.removeLast()
    }
    curves[index].points.append(Point(iteration: iteration, value: value))
  }

  /// What an output's name, and what else is known of it, say that it is.
  static func quantity(ofOutput name: String, isInObjective: Bool) -> Quantity {
    isInObjective || name.lowercased().contains("loss") ? .loss : .accuracy
  }
}
