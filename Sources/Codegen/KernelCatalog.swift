import IR

/// The list of kernels. A new kernel is one line here.
public struct KernelCatalog: Sendable {
  public let target: Target

  public init(target: Target) { self.target = target }

  public static let kernels: [any Kernel] = [
    // Convolution
    ColumnsConvolution(),
    DenseConvolution(),
    SparseConvolution(),
    WindowsConvolution(),
    WindowsDeconvolution(),
    Im2colKernel(),
    // Inner product
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
    Self.kernels.compactMap { $0.candidate(for: node, in: graph, target: target) }
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
