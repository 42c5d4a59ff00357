import IR

/// Which nets a solver trains and tests, by Caffe's rules of precedence.
struct SolverNets {
  let fields: SolverFields

  struct TestNet {
    var net: SolverDefinition.Net
    var iterations: Int
  }

  private var message: TextMessage { fields.message }

  /// The one net that is trained.
  func trainNet() throws(Diagnostic) -> SolverDefinition.Net {
    let names = ["train_net_param", "train_net", "net_param", "net"]
    let given = names.filter { message.has($0) }
    guard let name = given.first else {
      throw fields.missing("no net is named; give net, or train_net and test_net")
    }
    guard given.count == 1 else {
      throw fields.refusal(
        "\(given[0]) and \(given[1]) both say what to train; keep one", at: given[1])
    }
    let state = message.has("train_state") ? message.message("train_state") : nil
    return SolverDefinition.Net(
      source: source(name, 0), phase: .train, override: state)
  }

  /// Nets of their own for tests come first (those written in the solver, then files), then one instance of `net`
  /// for each `test_iter` that is left.
  func testNets() throws(Diagnostic) -> [TestNet] {
    let own = [
      ("test_net_param", message.count("test_net_param")), ("test_net", message.count("test_net")),
    ]
    var sources = own.flatMap { name, count in (0..<count).map { source(name, $0) } }
    let iterations = message.integers("test_iter")
    let generic = ["net_param", "net"].first { message.has($0) }
    guard iterations.count >= sources.count else {
      throw .error(
        "\(iterations.count) test_iter for \(sources.count) test nets; give one for each",
        at: message.location(of: iterations.isEmpty ? own.first { $0.1 > 0 }?.0 ?? "" : "test_iter")
      )
    }
    if let generic {
      for _ in sources.count..<iterations.count { sources.append(source(generic, 0)) }
    } else if iterations.count > sources.count {
      throw fields.refusal(
        "\(iterations.count) test_iter for \(sources.count) test nets; give as many of each",
        at: "test_iter", index: sources.count)
    }
    let states = message.messages("test_state")
    guard states.isEmpty || states.count == sources.count else {
      throw fields.refusal(
        "\(states.count) test_state for \(sources.count) test nets; give none, or one for each",
        at: "test_state")
    }
    for (index, count) in iterations.enumerated() where count < 1 {
      throw fields.refusal(
        "test_iter is \(count); it must be at least 1", at: "test_iter", index: index)
    }
    return sources.indices.map { index in
      TestNet(
        net: SolverDefinition.Net(
          source: sources[index], phase: .test, override: states.isEmpty ? nil : states[index]),
        iterations: iterations[index])
    }
  }

  /// Updates between two tests; needed if there is something to test.
  func testInterval(tests: Int) throws(Diagnostic) -> Int {
    let interval = try fields.integer("test_interval", atLeast: 0)
    guard tests == 0 || interval > 0 else {
      throw fields.refusal(
        "test_iter without test_interval; say how many updates lie between two tests",
        at: "test_iter")
    }
    return interval
  }

  private func source(_ field: String, _ index: Int) -> SolverDefinition.NetSource {
    if field.hasSuffix("_param") {
      let nets = message.messages(field)
      return .written(Prototxt(kind: .net, message: nets[index], warnings: []))
    }
    return .file(
      path: message.strings(field)[index], location: message.location(of: field, index: index))
  }
}
