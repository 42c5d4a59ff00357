import IR

/// What a solver file says: the settings, and which nets they are for.
public struct SolverDefinition: Sendable {
  /// Where the definition of a net stands.
  public enum NetSource: Sendable {
    /// In a file; the path is as the solver says it, relative to the working folder.
    case file(path: String, location: SourceLocation?)
    /// In the solver file itself.
    case written(Prototxt)
  }

  /// A net, and for what state it is instantiated.
  public struct Net: Sendable {
    public var source: NetSource
    var phase: NetState.Phase
    /// `train_state` or `test_state`, which has the last word.
    var override: TextMessage?

    /// The state in which the net is read: its phase, then what the net says, then what the solver says.
    ///
    /// - Parameter prototxt: the definition that `source` names.
    public func state(for prototxt: Prototxt) -> NetState {
      var state = NetState(phase: phase)
      if prototxt.message.has("state") { state = state.merging(prototxt.message.message("state")) }
      if let override { state = state.merging(override) }
      return state
    }

    /// The definition, read from its file if it has one.
    ///
    /// - Throws: as `Prototxt.read`; a missing file is an error at the place that names it.
    public func prototxt(allowUnknownFields: Bool = false) throws(Diagnostic) -> Prototxt {
      switch source {
      case .written(let prototxt): return prototxt
      case .file(let path, let location):
        do {
          return try Prototxt.read(path, as: .net, allowUnknownFields: allowUnknownFields)
        } catch {
          guard error.location == nil else { throw error }
          throw .error("the net \(Spelling.quoted(path)): \(error.message)", at: location)
        }
      }
    }
  }

  public var settings: SolverSettings
  public var trainNet: Net
  /// As many as `settings.tests`, in the same order.
  public var testNets: [Net]
  /// Caffemodels to start from (`weights`), paths as the solver says them.
  public var weights: [String]
  /// Warnings and notes about the file.
  public var findings: [Diagnostic]
}

extension TrainingDialect {
  /// The dialect that a solver and its nets show; plain Caffe if they show none.
  ///
  /// - Returns: the dialect, and a note that says which field decided it.
  public static func detected(in files: [Prototxt]) -> (dialect: TrainingDialect, note: Diagnostic?)
  {
    guard let evidence = Dialect.detected(in: files.map(\.message)),
      let dialect = TrainingDialect(rawValue: evidence.dialect.rawValue), dialect != .bvlc
    else { return (.bvlc, nil) }
    return (
      dialect,
      .note(
        "trained by the rules of \(dialect.rawValue), because of \(evidence.what); "
          + "--dialect bvlc asks for Caffe's own",
        at: evidence.location)
    )
  }
}
