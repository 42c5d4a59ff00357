import IR

/// Weights of the Winograd domain lie in files point by point, as SkimCaffe writes them; here filter by filter.
extension ParameterSlot {
  /// The shape that files have.
  var storedShape: Shape { domain == .plain ? shape : WinogradDomain.turned(shape) }

  /// A tensor in the order of files, from the one here, or back: the same exchange of axes.
  func exchanged(_ tensor: Tensor) -> Tensor {
    domain == .plain ? tensor : WinogradDomain.turned(tensor)
  }
}
