import IR

/// Weights of the Winograd domain lie in files point by point, as SkimCaffe writes them; here filter by filter.
extension ParameterSlot {
  /// The shape that files have.
  var storedShape: Shape { domain == .plain ? shape : WinogradDomain.turned(shape) }

  /// As files have it.
  func stored(_ tensor: Tensor) -> Tensor {
    domain == .plain ? tensor : WinogradDomain.turned(tensor)
  }

  /// As the net has it, from a file's.
  func arranged(_ tensor: Tensor) -> Tensor {
    domain == .plain ? tensor : WinogradDomain.turned(tensor)
  }
}
