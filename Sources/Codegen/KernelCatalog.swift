import IR

/// The list of kernels. A new kernel is one line here.
public struct KernelCatalog: Sendable {
  public let target: Target

  public init(target: Target) { self.target = target }

  public static let kernels: [any Kernel] = [
    // Convolution
    ColumnsConvolution(),
    DenseConvolution(),
    PackedConvolution(),
    DepthwiseConvolution(),
    SparseConvolution(),
    HardCodedConvolution(),
    WinogradConvolution(),
    WindowsConvolution(),
    WindowsDeconvolution(),
    Im2colKernel(),
    // Inner product
    ColumnsInnerProduct(),
    DenseInnerProduct(),
    SparseInnerProduct(),
    // Element by element
    Activation(),
    LearnedReLU(),
    EltwiseKernel(),
    ScalePlanes(),
    ScaleRows(),
    BorderBiasKernel(),
    // Windows
    PoolingKernel(),
    LRNKernel(),
    // Along axes
    SoftmaxKernel(),
    BatchStatistics(),
    MeanVariance(),
    ReductionKernel(),
    ArgMaxKernel(),
    GatherKernel(),
    // Copies
    PlanesRepack(),
    BoxKernel(),
    CopyKernel(),
    ParameterCopy(),
    ConstantCopy(),
    NoKernel(),
  ]

  /// All kernels made for a node's type of layer, with their answers, in the list's order.
  public func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate] {
    Self.kernels.compactMap { kernel in
      var candidate = kernel.candidate(for: node, in: graph, target: target)
      candidate?.isHinted = isHinted(kernel, node, in: graph)
      if let cost = candidate?.cost, let inputs = candidate?.inputs {
        candidate?.fit = .fits(cost: cost + splitSeconds(inputs, of: node, in: graph))
      }
      return candidate
    }
  }

  /// The time for taking inputs apart into the phases that a kernel reads, which no producer writes.
  private func splitSeconds(_ needs: [LayoutNeed], of node: NodeID, in graph: Graph) -> Double {
    let floats = zip(needs, graph[node].inputs).reduce(0) { sum, input in
      guard case .phases = input.0 else { return sum }
      return sum + graph[input.1].shape.count
    }
    // Measured on AMD's third Zen generation: a cycle for a float.
    return target.seconds(Double(floats))
  }

  /// Whether the user's file hints at a kernel for a node.
  private func isHinted(_ kernel: any Kernel, _ node: NodeID, in graph: Graph) -> Bool {
    switch graph[node].kernelHint?.kind {
    case nil: false
    case .dense: kernel.multipliesAll
    case .squeezed: kernel.squeezes
    case .sparse: kernel.cycles(for: node, in: graph, density: 0, target: target) != nil
    }
  }

  /// The share of zeros, scattered over the node's weights, from which on the best kernel that passes over zeros
  /// is predicted to be faster than the best that multiplies all; nil where there are not both.
  public func breakEvenSparsity(of node: NodeID, in graph: Graph) -> Double? {
    let candidates = Dictionary(
      uniqueKeysWithValues: candidates(for: node, in: graph).map { ($0.kernel, $0) })
    func sparse(_ density: Double) -> Double? {
      Self.kernels.compactMap { kernel in
        kernel.cycles(for: node, in: graph, density: density, target: target).map {
          target.seconds($0)
            + splitSeconds(candidates[kernel.name]?.inputs ?? [], of: node, in: graph)
        }
      }.min()
    }
    let dense = Self.kernels.filter(\.multipliesAll).compactMap { candidates[$0.name]?.cost }.min()
    guard let dense, let full = sparse(1), let empty = sparse(0) else { return nil }
    if full <= dense { return 0 }
    if empty >= dense { return 1 }
    // Cost rises with density; twenty halvings are a millionth.
    var (low, high) = (0.0, 1.0)
    for _ in 0..<20 {
      let middle = (low + high) / 2
      if (sparse(middle) ?? 0) < dense { low = middle } else { high = middle }
    }
    return 1 - low
  }

  /// The seconds for copying a value into another layout.
  public func copySeconds(of value: ValueID, in graph: Graph) -> Double {
    target.seconds(PlanesRepack.cycles(floats: graph[value].shape.count))
  }

  /// The kernel of a name.
  ///
  /// - Precondition: the catalog has it.
  static func kernel(named name: String) -> any Kernel {
    guard let kernel = kernels.first(where: { $0.name == name }) else {
      preconditionFailure("the chooser names only kernels of the catalog")
    }
    return kernel
  }
}
