import IR
import Passes
import Testing

/// The chooser with kernels made up for the purpose.
struct ChooseKernelsTests {
  /// Convolutions have a slow kernel for dense values and a fast one that wants a halo; inner products read
  /// dense values; everything else takes any planes.
  struct Kernels: KernelSource {
    /// Whether the fast kernel wants one row pitch on both ends.
    var keepsRowPitch = false
    /// Of a copy of any value.
    var copySeconds = 0.0

    func copySeconds(of value: ValueID, in graph: Graph) -> Double { copySeconds }

    func candidates(for node: NodeID, in graph: Graph) -> [KernelCandidate] {
      switch graph[node].operation {
      case .convolution(let layer):
        let pad = layer.window.pad
        var fast = KernelCandidate(
          kernel: "fast", fit: .fits(cost: 1),
          inputs: [.planes(Halo(top: pad[0], bottom: pad[0], gap: pad[1]))], outputs: [.anyPlanes],
          reason: "made up")
        fast.keepsRowPitch = keepsRowPitch
        return [
          KernelCandidate(
            kernel: "slow", fit: .fits(cost: 2), inputs: [.dense], outputs: [.denseOnly]),
          fast, KernelCandidate(kernel: "never", fit: .declines(because: "it is a Tuesday")),
        ]
      case .innerProduct:
        return [
          KernelCandidate(
            kernel: "dot", fit: .fits(cost: 1), inputs: [.dense], outputs: [.denseOnly])
        ]
      default:
        return [
          KernelCandidate(
            kernel: "any", fit: .fits(cost: 1),
            inputs: graph[node].inputs.map { _ in .planes(.none) },
            outputs: graph[node].outputs.map { _ in .anyPlanes })
        ]
      }
    }
  }

  static let padded = Convolution(
    filters: 2, window: Window(kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1]))

  private func twoConvolutions() throws -> (graph: Graph, first: NodeID, second: NodeID) {
    var (graph, data) = try Graph.image()
    let one = try graph.add(.convolution(Self.padded), "one", [data])
    let relu = try graph.add(.elementwise(Elementwise(.relu(slope: 0))), "relu", [one])
    let two = try graph.add(.convolution(Self.padded), "two", [relu])
    graph.setOutputs([two])
    return (graph, graph.order[0], graph.order[2])
  }

  @Test(arguments: [0, 0.5, 0.9, 1.1, 5])
  func `a kernel is not worth a copy that takes longer than it saves`(seconds: Double) throws {
    // The network's input is dense; the fast kernel saves a second, but wants a halo.
    let (graph, first, second) = try twoConvolutions()
    let lowered = try ChooseKernels(source: Kernels(copySeconds: seconds)).run(graph)
    #expect(lowered.kernels[first]?.kernel == (seconds > 1 ? "slow" : "fast"))
    // Between the two a copy is not needed in any case: the ReLU writes any planes.
    #expect(lowered.kernels[second]?.kernel == "fast")
    let copies = lowered.graph.order.count { lowered.graph[$0].sourceType == "Repack" }
    #expect(copies == (seconds > 1 ? 0 : 1))
    let reason = try #require(lowered.kernels[first]?.reason)
    #expect(reason.contains("not with the copies it takes") == (seconds > 1))
  }

  @Test func `a wish is kept, whatever its copies take`() throws {
    let (graph, first, _) = try twoConvolutions()
    let chooser = ChooseKernels(source: Kernels(copySeconds: 100), forced: ["one": "fast"])
    #expect(try chooser.run(graph).kernels[first]?.kernel == "fast")
  }

  @Test func `takes the cheapest kernel and keeps the losers with their reasons`() throws {
    let (graph, first, _) = try twoConvolutions()
    let choice = try #require(try ChooseKernels(source: Kernels()).run(graph).kernels[first])
    #expect(choice.kernel == "fast")
    #expect(choice.reason == "made up")
    #expect(choice.candidates.map(\.kernel) == ["slow", "fast", "never"])
    #expect(choice.candidates[2].fit == .declines(because: "it is a Tuesday"))
  }

  @Test func `producers write the halo that readers want, through layers that do not mind`() throws
  {
    let (graph, first, _) = try twoConvolutions()
    let lowered = try ChooseKernels(source: Kernels()).run(graph)
    let halo = Layout.planes(Halo(top: 1, bottom: 1, gap: 1))
    #expect(lowered.layouts[graph[first].outputs[0]] == halo)
    // Only the network's input, which callers give dense, has to be copied.
    let repacks = lowered.graph.layers.filter { $0.hasSuffix(":Repack") }
    #expect(repacks == ["one:Repack"])
    try lowered.graph.verify()
  }

  @Test func `kernels that want it get one row pitch on both ends`() throws {
    var (graph, data) = try Graph.image()
    let padded = try graph.add(.convolution(Self.padded), "padded", [data])
    let point = Convolution(filters: 2, window: Window(kernel: [1, 1]))
    let middle = try graph.add(.convolution(point), "middle", [padded])
    let last = try graph.add(.convolution(point), "last", [middle])
    let flat = try graph.add(.innerProduct(InnerProduct(outputs: 3)), "flat", [last])
    graph.setOutputs([flat])
    let plain = try ChooseKernels(source: Kernels()).run(graph)
    #expect([padded, middle, last].map { plain.layouts[$0] } == [.dense, .dense, .dense])
    let lowered = try ChooseKernels(source: Kernels(keepsRowPitch: true)).run(graph)
    let gap = Layout.planes(Halo(top: 0, bottom: 0, gap: 1))
    // The inner product needs rows without gaps: the last convolution has to move its sums.
    #expect([padded, middle, last].map { lowered.layouts[$0] } == [gap, gap, .dense])
    #expect(lowered.graph.layers.filter { $0.hasSuffix(":Repack") } == ["padded:Repack"])
  }

  @Test func `readers that need the same layout share one copy`() throws {
    var (graph, data) = try Graph.image()
    let one = try graph.add(.convolution(Self.padded), "one", [data])
    let two = try graph.add(.convolution(Self.padded), "two", [data])
    let flat = try graph.add(.innerProduct(InnerProduct(outputs: 3)), "flat", [data])
    graph.setOutputs([one, two, flat])
    let lowered = try ChooseKernels(source: Kernels()).run(graph)
    #expect(lowered.graph.layers.filter { $0.hasSuffix(":Repack") } == ["one:Repack"])
  }

  @Test func `a wish is granted, or refused with the kernel's reason`() throws {
    let (graph, first, second) = try twoConvolutions()
    let lowered = try ChooseKernels(source: Kernels(), forced: ["one": "slow"]).run(graph)
    #expect(lowered.kernels[first]?.kernel == "slow")
    #expect(lowered.kernels[second]?.kernel == "fast")
    try expectRefusal(["one": "never"], "impossible: it is a Tuesday")
    try expectRefusal(
      ["one": "magic"], "no such kernel for a Convolution layer; there are slow, fast")
    try expectRefusal(["three": "slow"], "no layer of this name is compiled")
  }

  private func expectRefusal(_ forced: [String: String], _ text: String) throws {
    let graph = try twoConvolutions().graph
    #expect {
      _ = try ChooseKernels(source: Kernels(), forced: forced).run(graph)
    } throws: { error in
      "\(error)".contains(text)
    }
  }
}
