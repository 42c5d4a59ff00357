import IR
import TestSupport
import Testing

@testable import Codegen

struct MemoryPlanTests {
  @Test(arguments: 0..<300)
  func `every value is where its readers look for it`(seed: Int) throws {
    let lowered = try LoweredNetwork(seed: seed).lowered
    let plan = plan(lowered)
    var simulation = ArenaSimulation(lowered, plan) { worksInPlace($0, lowered) }
    simulation.run()
    #expect(simulation.failures == [], "\(lowered.graph)")
  }

  @Test func `the simulation finds whatever is written over an input that must stay`() throws {
    var options = RandomNetwork.Options()
    options.kinds = [.residual, .normalization, .activation]
    var found = 0
    for seed in 0..<30 {
      let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
      let target = Target(architecture: "test", lanes: 8)
      let lowered = try LoweredNetwork.lower(graph, for: target, passes: false)
      let sound = MemoryPlan(lowered) { _ in false }
      let careless = MemoryPlan(lowered) { _ in true }
      var simulations = [sound, careless].map { plan in
        ArenaSimulation(lowered, plan) { _ in false }
      }
      for index in simulations.indices { simulations[index].run() }
      #expect(simulations[0].failures == [])
      #expect(simulations[1].failures.isEmpty == (careless.starts == sound.starts))
      found += simulations[1].failures.isEmpty ? 0 : 1
    }
    #expect(found > 10)
  }

  @Test(arguments: 0..<60)
  func `places are aligned, and inside of the arena with room behind them`(seed: Int) throws {
    let lowered = try LoweredNetwork(seed: seed).lowered
    let plan = plan(lowered)
    for value in lowered.graph.liveValues {
      let start = try #require(plan.starts[value])
      #expect(start >= 0)
      #expect(start + lowered.pitches(of: value).size + MemoryPlan.slack <= plan.size)
      guard let producer = lowered.graph.producer(of: value) else {
        #expect(start % 16 == 0)
        continue
      }
      // Parts of dense arrays begin where they begin; nothing else does.
      let isPart = lowered.layouts[value] == .dense
      #expect(isPart || start % 16 == 0, "\(lowered.graph[producer].name)")
    }
  }

  @Test func `a chain of equal layers works in two places`() throws {
    let lowered = try chain(length: 8, inPlace: false)
    let plan = plan(lowered)
    let starts = Set(lowered.graph.liveValues.compactMap { plan.starts[$0] })
    #expect(starts.count == 2)
    #expect(plan.idleNodes == [])
  }

  @Test func `element by element a chain works in one place, but never over a result`() throws {
    let lowered = try chain(length: 8, inPlace: true)
    let plan = plan(lowered)
    #expect(Set(lowered.graph.liveValues.compactMap { plan.starts[$0] }).count == 1)
    var observed = lowered
    let middle = lowered.graph.liveValues[4]
    observed.graph.setOutputs(lowered.graph.outputs + [middle])
    let other = self.plan(observed)
    let after = lowered.graph.liveValues[5]
    #expect(other.starts[middle] != other.starts[after])
  }

  @Test func `branches of a concat are made in its output, parts of a slice stay in its input`()
    throws
  {
    var graph = Graph(name: "net")
    let data = graph.addInput(name: "data", shape: try Shape([1, 4, 3, 3]))
    let cut = try graph.append(
      .slice(Slice(points: [1], parts: 2)), name: "cut", inputs: [data], outputNames: ["a", "b"])
    var branches: [ValueID] = []
    for part in graph[cut].outputs {
      let branch = try graph.append(
        .lrn(LRN(region: .acrossChannels)), name: "lrn\(part.index)", inputs: [part],
        outputNames: ["lrn\(part.index)"])
      branches += graph[branch].outputs
    }
    let join = try graph.append(
      .concat(Concat()), name: "join", inputs: branches, outputNames: ["join"])
    graph.setOutputs(graph[join].outputs)
    try graph.settleBatch()
    let lowered = try LoweredNetwork.lower(graph, for: Target(architecture: "test", lanes: 8))
    let plan = plan(lowered)
    #expect(plan.idleNodes == [cut, join])
    let whole = try #require(plan.starts[graph[join].outputs[0]])
    #expect(branches.map { plan.starts[$0] } == [whole, whole + 9])
    let input = try #require(plan.starts[data])
    #expect(graph[cut].outputs.map { plan.starts[$0] } == [input, input + 9])
  }

  @Test func `a value lives from the step that makes it to the last that reads it`() throws {
    let lowered = try chain(length: 3, inPlace: true)
    let values = lowered.graph.liveValues
    let liveness = Liveness(lowered.graph)
    #expect(values.map { liveness[$0] } == [-1...0, 0...1, 1...2, 2...3])
    var graph = lowered.graph
    let unread = graph.addInput(name: "unread", shape: .scalar)
    graph.setOutputs([values[1]])
    let other = Liveness(graph)
    #expect(other[unread] == -1...(-1))
    #expect(other[values[1]] == 0...3)
    #expect(other[values[3]] == 2...2)
  }

  // MARK: Making

  private func plan(_ lowered: LoweredGraph) -> MemoryPlan {
    MemoryPlan(lowered) { worksInPlace($0, lowered) }
  }

  private func worksInPlace(_ node: NodeID, _ lowered: LoweredGraph) -> Bool {
    lowered.kernels[node].map { KernelCatalog.kernel(named: $0.kernel).worksInPlace } ?? false
  }

  /// Layers of one shape behind each other: TanH, or LRN, which cannot work in place.
  private func chain(length: Int, inPlace: Bool) throws -> LoweredGraph {
    var graph = Graph(name: "chain")
    var last = graph.addInput(name: "data", shape: try Shape([1, 2, 4, 4]))
    for index in 0..<length {
      let node = try graph.append(
        inPlace
          ? .elementwise(Elementwise(.tanh)) : .lrn(LRN(region: .acrossChannels)),
        name: "layer\(index)", inputs: [last], outputNames: ["layer\(index)"])
      last = graph[node].outputs[0]
    }
    graph.setOutputs([last])
    try graph.settleBatch()
    return try LoweredNetwork.lower(graph, for: Target(architecture: "test", lanes: 8))
  }
}
