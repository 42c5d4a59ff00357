/// A kind of kernel that the user's file asks for.
///
/// A hint, no order: it decides between kernels that are about as fast as each other. Files carry hints from the days
/// and machines for which they were written.
public struct KernelHint: Hashable, Sendable {
  /// What a kernel does about zeros among weights.
  public enum Kind: String, Hashable, Sendable {
    /// Multiplies all of them.
    case dense
    /// Leaves out rows and columns that are zero as a whole.
    case squeezed
    /// Passes over each of them.
    case sparse
  }

  public var kind: Kind
  /// As the file has it.
  public var text: String

  public init(_ kind: Kind, text: String) {
    self.kind = kind
    self.text = text
  }
}
