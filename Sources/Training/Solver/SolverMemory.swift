import IR

/// The arrays that an update rule remembers, zero at first: as many per parameter as the rule wants.
final class SolverMemory {
  /// First one per parameter, then, if the rule keeps two, the second of each, as a solverstate has them.
  private(set) var arrays: [UnsafeMutableBufferPointer<Float>] = []
  private let parameterCount: Int

  init(for parameters: [Parameter], perParameter count: Int) {
    parameterCount = parameters.count
    for _ in 0..<count {
      for parameter in parameters {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: parameter.count)
        memory.initialize(repeating: 0)
        arrays.append(memory)
      }
    }
  }

  deinit { for array in arrays { array.deallocate() } }

  /// The elements of a parameter that an update rule works on.
  func slice(of parameter: Parameter, index: Int, range: Range<Int>) -> UpdateSlice? {
    let second = arrays.count > parameterCount ? index + parameterCount : index
    guard let gradient = parameter.gradient.baseAddress,
      let first = arrays[index].baseAddress, let other = arrays[second].baseAddress
    else { return nil }
    return UpdateSlice(
      count: range.count, gradient: gradient + range.lowerBound,
      history: first + range.lowerBound, secondHistory: other + range.lowerBound)
  }
}
