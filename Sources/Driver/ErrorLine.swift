import IR

/// The one line that tells a user about an error of theirs or of the world; nil for other errors.
public func errorLine(_ error: any Error) -> String? {
  (error as? Diagnostic).map { $0.description.onOneLine }
}

extension String {
  /// The text with its line breaks, which names of files may contain, made visible.
  var onOneLine: String {
    String(flatMap { $0.isNewline ? "\\n" : String($0) })
  }
}
