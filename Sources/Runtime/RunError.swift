import CSparsec

/// Why a compiled network could not be run. The text says what is wrong and what to do.
public enum RunError: Error, Hashable, Sendable, CustomStringConvertible {
  /// This CPU lacks instructions that the network was compiled for; the text names them.
  case unsupportedCPU(String)
  /// A number or an array that does not suit the network.
  case badArgument(String)
  /// The system refused memory.
  case outOfMemory(String)
  /// The system refused threads.
  case threadsFailed(String)

  public var description: String {
    switch self {
    case .unsupportedCPU(let text), .badArgument(let text), .outOfMemory(let text),
      .threadsFailed(let text):
      text
    }
  }

  /// The error behind a status that is not SPARSEC_OK.
  init(status: CInt, message: String) {
    switch sparsec_status(UInt32(bitPattern: status)) {
    case SPARSEC_UNSUPPORTED_CPU: self = .unsupportedCPU(message)
    case SPARSEC_OUT_OF_MEMORY: self = .outOfMemory(message)
    case SPARSEC_THREADS_FAILED: self = .threadsFailed(message)
    default: self = .badArgument(message)
    }
  }
}
