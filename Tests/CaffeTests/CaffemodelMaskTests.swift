import IR
import Testing

@testable import Caffe

/// Masks, shapes of old files and the Winograd domain, on the way into a net.
struct CaffemodelMaskTests {
  private func blob(_ extents: [Int], _ values: [Float], isLegacy: Bool = false) throws -> Blob {
    Blob(Tensor(shape: try Shape(extents), values: values), isLegacy: isLegacy)
  }

  private func levels(_ findings: [Diagnostic]) -> [Diagnostic.Level] { findings.map(\.level) }

  @Test func `four blobs are weights, bias and a mask of each`() throws {
    let layer = LayerBlobs(
      name: "c", type: "CConvolution",
      blobs: [
        try blob([2, 1, 1, 2], [1, 2, 3, 4]), try blob([2], [5, 6]),
        try blob([2, 1, 1, 2], [1, 0, 0, 1]), try blob([2], [0, 1]),
      ])
    #expect(layer.maskLayout == .weightsAndBias)
    let (blobs, findings) = layer.effectiveBlobs(file: "f")
    #expect(blobs.map(\.values) == [[1, 0, 0, 4], [0, 6]])
    #expect(
      findings.map(\.description) == [
        "f: note: layer \"c\": its masks set 2 of 4 weights and 1 of 2 biases to zero"
      ])
  }

  @Test(arguments: ["Convolution", "InnerProduct", "CInnerProduct"])
  func `three blobs are weights, bias and a mask of the weights`(_ type: String) throws {
    let layer = LayerBlobs(
      name: "c", type: type,
      blobs: [try blob([1, 3], [1, 2, 3]), try blob([1], [5]), try blob([1, 3], [0, 1, 1])])
    #expect(layer.maskLayout == .weightsBesideBias)
    let (blobs, findings) = layer.effectiveBlobs(file: "f")
    #expect(blobs.map(\.values) == [[0, 2, 3], [5]])
    #expect(levels(findings) == [.note])
  }

  @Test func `two blobs of one shape are weights and their mask`() throws {
    let blobs = [try blob([1, 3], [1, 2, 3]), try blob([1, 3], [0, 1, 1])]
    let plain = LayerBlobs(name: "c", type: "InnerProduct", blobs: blobs)
    #expect(plain.maskLayout == .weightsOnly)
    #expect(plain.effectiveBlobs(file: "f").blobs.map(\.values) == [[0, 2, 3]])
    #expect(levels(plain.effectiveBlobs(file: "f").findings) == [.note])
    // The original fork can not do without a bias, so there it is worth a warning.
    let original = LayerBlobs(name: "c", type: "CInnerProduct", blobs: blobs)
    #expect(levels(original.effectiveBlobs(file: "f").findings) == [.warning, .note])
  }

  @Test func `takes nothing else for a mask`() throws {
    let weights = try blob([1, 2], [1, 2])
    let old = try blob([1, 1, 1, 1], [1], isLegacy: true)
    let cases = [
      LayerBlobs(name: "a", type: "InnerProduct", blobs: [weights, try blob([1], [1])]),
      // Not zeros and ones.
      LayerBlobs(name: "a", type: "InnerProduct", blobs: [weights, weights]),
      // An old inner product of one input and one output.
      LayerBlobs(name: "a", type: "InnerProduct", blobs: [old, old]),
      // Mean, variance and factor of a single channel.
      LayerBlobs(
        name: "a", type: "BatchNorm",
        blobs: [try blob([1], [1]), try blob([1], [1]), try blob([1], [1])]),
      LayerBlobs(
        name: "a", type: "Scale", blobs: [try blob([2], [3, 4]), try blob([2], [1, 0])]),
      LayerBlobs(name: "a", type: "ReLU", blobs: []),
    ]
    for layer in cases {
      #expect(layer.maskLayout == nil)
      let (blobs, findings) = layer.effectiveBlobs(file: "f")
      #expect(blobs == layer.blobs)
      #expect(findings.isEmpty)
    }
  }

  @Test func `multiplies by a mask that was trained by mistake, and warns`() throws {
    let layer = LayerBlobs(
      name: "c", type: "Convolution",
      blobs: [try blob([1, 2], [1, 2]), try blob([1], [5]), try blob([1, 2], [0.5, 1])])
    let (blobs, findings) = layer.effectiveBlobs(file: "f")
    #expect(blobs.map(\.values) == [[0.5, 2], [5]])
    #expect(levels(findings) == [.warning, .note])
  }

  @Test func `aligns old shapes to the right`() throws {
    let old = try blob([1, 1, 2, 3], [1, 2, 3, 4, 5, 6], isLegacy: true)
    for extents in [[2, 3], [1, 2, 3], [1, 1, 2, 3]] {
      #expect(try old.matched(to: Shape(extents)).shape.extents == extents)
    }
    for extents in [[6], [3, 2], [2, 3, 1, 1], [1, 1, 1, 2, 3]] {
      #expect(throws: ShapeError.self) { try old.matched(to: Shape(extents)) }
    }
    let scalar = try blob([1, 1, 1, 1], [1], isLegacy: true)
    #expect(try scalar.matched(to: .scalar).shape == .scalar)
    let current = try blob([1, 1, 2, 3], [1, 2, 3, 4, 5, 6])
    #expect(throws: ShapeError("has shape [1,1,2,3] where the net needs [2,3]")) {
      try current.matched(to: Shape([2, 3]))
    }
  }

  @Test func `says which blob does not fit a net`() throws {
    let layer = LayerBlobs(
      name: "fc", type: "InnerProduct", blobs: [try blob([1, 2], [1, 2]), try blob([1], [5])])
    #expect(
      throws: Diagnostic.error(
        "layer \"fc\" has 2 blobs where the net needs 1 ([1,2]); "
          + "compare its definition with the one that was trained (bias_term?)", file: "f")
    ) { _ = try layer.matched(to: [ParameterSlot("weights", Shape([1, 2]))], file: "f") }
    #expect(
      throws: Diagnostic.error(
        "layer \"fc\": blob 1 has shape [1] where the net needs [2]", file: "f")
    ) {
      _ = try layer.matched(
        to: [ParameterSlot("weights", Shape([1, 2])), ParameterSlot("bias", Shape([2]))], file: "f")
    }
  }

  @Test(arguments: [3, 5])
  func `the way to the Winograd domain and back is the identity`(_ kernel: Int) throws {
    let g = try #require(WinogradDomain.transform(kernel: kernel))
    let tile = kernel + 3
    let shape = try Shape([3, 2, kernel, kernel])
    var random = SeededGenerator(seed: 5)
    let spatial = Tensor(
      shape: shape, values: (0..<shape.count).map { _ in .random(in: -1...1, using: &random) })
    // v[row, column] = sum over i, j of G[row, i] w[i, j] G[column, j], filter by filter.
    var transformed = [Float](repeating: 0, count: tile * tile * 6)
    for row in 0..<tile {
      for column in 0..<tile {
        for filter in 0..<6 {
          var sum = 0.0
          for i in 0..<kernel {
            for j in 0..<kernel {
              let w = spatial.values[(filter * kernel + i) * kernel + j]
              sum += g[row][i] * Double(w) * g[column][j]
            }
          }
          transformed[(row * tile + column) * 6 + filter] = Float(sum)
        }
      }
    }
    let blob = Tensor(shape: try Shape([tile, tile, 3, 2]), values: transformed)
    let layer = LayerBlobs(name: "w", type: "Winograd", blobs: [Blob(blob)])
    let kernels = ParameterSlot("weights", shape)
    let (tensors, findings) = try layer.matched(to: [kernels], file: "f")
    #expect(levels(findings) == [.note])
    for (back, value) in zip(tensors[0].values, spatial.values) {
      #expect(abs(back - value) < 1e-5)
    }
    // A net with weights of the domain takes them as they are, and kernels transformed.
    let transforms = ParameterSlot(
      "weights", try Shape([3, 2, tile, tile]), domain: .winograd(kernel: kernel))
    let own = try layer.matched(to: [transforms], file: "f")
    #expect(own.findings == [])
    #expect(own.tensors[0].shape == transforms.shape)
    for filter in 0..<6 {
      for point in 0..<tile * tile {
        let value = own.tensors[0].values[filter * tile * tile + point]
        #expect(value == transformed[point * 6 + filter])
      }
    }
    let fromKernels = try LayerBlobs(name: "w", type: "Convolution", blobs: [Blob(spatial)])
      .matched(to: [transforms], file: "f").tensors[0]
    for (a, b) in zip(fromKernels.values, own.tensors[0].values) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func `zeros of transforms and of kernels are not each other's`() throws {
    let kernels = ParameterSlot("weights", try Shape([2, 1, 3, 3]))
    let transforms = ParameterSlot(
      "weights", try Shape([2, 1, 6, 6]), domain: .winograd(kernel: 3))
    var stored = LayerBlobs(
      name: "w", type: "Winograd",
      blobs: [try blob([6, 6, 2, 1], [Float](repeating: 1, count: 72))])
    // Every point of the first filter.
    stored.masks[0] = (0..<72).map { $0 % 2 == 0 }
    let turned = try stored.trainingMasks(for: [transforms], file: "f")[0]
    #expect(turned == (0..<72).map { $0 < 36 })
    var spatial = LayerBlobs(
      name: "w", type: "Convolution",
      blobs: [try blob([2, 1, 3, 3], [Float](repeating: 1, count: 18))])
    spatial.masks[0] = (0..<18).map { $0 < 9 }
    #expect(try spatial.trainingMasks(for: [kernels], file: "f")[0] == spatial.masks[0])
    for (layer, slot) in [(stored, kernels), (spatial, transforms)] {
      #expect(throws: Diagnostic.self) { _ = try layer.trainingMasks(for: [slot], file: "f") }
    }
  }

  @Test func `the columns of the 3x3 pseudo-inverse have the published norms`() throws {
    let inverse = try #require(WinogradDomain.inverse(kernel: 3))
    let norms = (0..<6).map { column in
      inverse.map { $0[column] * $0[column] }.reduce(0, +).squareRoot()
    }
    let published = [2.1375, 2.7463, 2.7463, 1.2365, 1.2365, 1.0750]
    for (norm, expected) in zip(norms, published) { #expect(abs(norm - expected) < 1e-4) }
  }

  @Test func `takes nothing else for the Winograd domain`() throws {
    let blob = Tensor(shape: try Shape([6, 6, 2, 1]), repeating: 1)
    for extents in [[2, 2, 3, 3], [2, 1, 3, 5], [2, 1, 5, 5], [1, 2, 3, 3], [2, 9]] {
      #expect(WinogradDomain.spatial(blob, expected: try Shape(extents)) == nil)
    }
  }
}
