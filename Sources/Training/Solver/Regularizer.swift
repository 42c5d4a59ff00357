/// A penalty on weights: it adds its gradient to the parameters' gradients.
///
/// The solver asks it for every parameter, in pieces; several regularizers add up.
public protocol Regularizer: AnyObject {
  /// Gets ready for an iteration, before any value changes: what a penalty needs to know of whole arrays (norms of
  /// groups) is computed here.
  func prepare(_ parameters: [Parameter])

  /// Adds the penalty's gradient to elements of a parameter's gradient.
  ///
  /// Pieces are handed in from several threads.
  ///
  /// - Parameters:
  ///   - index: the parameter's place in `parameters`.
  ///   - reportsTerm: whether the result is wanted.
  /// - Returns: the penalty of these elements, or 0 if it is not wanted.
  func add(
    to parameter: Parameter, index: Int, range: Range<Int>, reportsTerm: Bool
  ) -> Double
}

extension Regularizer {
  public func prepare(_ parameters: [Parameter]) {}
}
