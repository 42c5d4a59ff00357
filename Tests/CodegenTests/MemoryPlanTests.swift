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

  @Test
  func `a chain of sums works in one place, inside of what joins it, and views of it are copies`()
    throws
  {
    let lowered = try sums()
    let graph = lowered.graph
    let plan = plan(lowered)
    let trunk = graph.liveValues.filter { value in
      graph.order.contains { graph[$0].addsToInput && graph[$0].inputs[1] == value }
        || graph.producer(of: value).map { graph[$0].addsToInput } == true
    }
    #expect(trunk.count == 4)
    let join = try #require(graph.order.first { graph[$0].name == "join" })
    #expect(Set((trunk + graph[join].outputs).map { plan.starts[$0] }).count == 1)
    #expect(plan.idleNodes == [join])
    var simulation = ArenaSimulation(lowered, plan) { worksInPlace($0, lowered) }
    simulation.run()
    #expect(simulation.failures == [])
  }

  @Test func `what is added to stays until then, in networks of many sums`() throws {
    var options = RandomNetwork.Options()
    options.kinds = [.residual, .inception, .slicing, .fanOut, .activation]
    var found = 0
    for seed in 0..<150 {
      let graph = try RandomNetwork(seed: UInt64(seed), options: options).graph
      let target = Target(architecture: "test", lanes: [4, 8, 16][seed % 3])
      let lowered = try LoweredNetwork.lower(graph, for: target)
      var simulation = ArenaSimulation(lowered, plan(lowered)) { worksInPlace($0, lowered) }
      simulation.run()
      #expect(simulation.failures == [], "\(lowered.graph)")
      found += lowered.graph.order.count { lowered.graph[$0].addsToInput }
    }
    #expect(found > 10, "\(found)")
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

  /// Three residual blocks, whose sum is joined with something else; a view of the trunk lives longer than it.
  private func sums() throws -> LoweredGraph {
    var graph = Graph(name: "sums")
    let data = graph.addInput(name: "data", shape: try Shape([1, 2, 9, 9]))
    func add(_ operation: Operation, _ name: String, _ inputs: [ValueID]) throws -> ValueID {
      let slots = try operation.layer.parameters(for: inputs.map { graph[$0].shape })
      let node = try graph.append(
        operation, name: name, inputs: inputs,
        parameters: slots.map { Tensor(shape: $0.shape, repeating: 1) }, outputNames: [name])
      return graph[node].outputs[0]
    }
    let layer = Convolution(filters: 2, window: Window(kernel: [1, 1]))
    var trunk = try add(.lrn(LRN(region: .acrossChannels)), "trunk", [data])
    let view = try add(.flatten(Flatten()), "view", [trunk])
    for index in 0..<3 {
      let inner = try add(.elementwise(Elementwise(.tanh)), "inner\(index)", [trunk])
      let branch = try add(.convolution(layer), "branch\(index)", [inner])
      let sum = Eltwise(.sum(coefficients: [1, 1]))
      trunk = try add(.eltwise(sum), "sum\(index)", [trunk, branch])
    }
    let other = try add(.lrn(LRN(region: .acrossChannels)), "other", [data])
    let join = try add(.concat(Concat()), "join", [trunk, other])
    let score = try add(.innerProduct(InnerProduct(outputs: 3)), "score", [view])
    graph.setOutputs([join, score])
    try graph.settleBatch()
    return try LoweredNetwork.lower(graph, for: Target(architecture: "test", lanes: 8))
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
