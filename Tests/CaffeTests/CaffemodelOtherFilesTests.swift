import Foundation
import IR
import Testing

@testable import Caffe

/// Mean images and solver states, the other binary files that Caffe writes.
struct CaffemodelOtherFilesTests {
  private let values = (1...12).map(Float.init)

  private func mean(_ wire: Wire) -> Result<Tensor, Diagnostic> {
    Result { () throws(Diagnostic) in try MeanFile.read(data: wire.data, file: "mean.binaryproto") }
  }

  @Test func `reads a mean in every form`() throws {
    let old = Wire().number(1, 1).number(2, 3).number(3, 2).number(4, 2)
    let expected = Tensor(shape: try Shape([3, 2, 2]), values: values)
    let forms = [
      old.packed(5, values), old.unpacked(5, values),
      old.packedDoubles(8, values.map(Double.init)),
      Wire.blob([1, 3, 2, 2], values), Wire.blob([3, 2, 2], values),
      Wire().packed(5, values).shape([3, 2, 2]),
      Wire().message(1, old.packed(5, values)), Wire().message(1, Wire.blob([3, 2, 2], values)),
    ]
    for form in forms { #expect(try mean(form).get() == expected) }
  }

  @Test func `says what is no mean`() {
    let blob = Wire.blob([3, 2, 2], values)
    let cases = [
      (Wire(), "is empty; it should be a mean image in binaryproto"),
      (
        Wire.blob([12], values),
        "is no mean image: shape [12] is not that of one image (1, channels, height, width)"
      ),
      (
        Wire.blob([2, 3, 2, 1], values),
        "is no mean image: shape [2,3,2,1] is not that of one image (1, channels, height, width)"
      ),
      (Wire().message(1, blob).message(1, blob), "holds 2 arrays; a mean image is one"),
      (
        Wire.blob([3, 2, 3], values),
        "is no mean image: shape [3,2,3] wants 18 values, but 12 are stored"
      ),
    ]
    for (wire, message) in cases {
      #expect(throws: Diagnostic.error(message, file: "mean.binaryproto")) {
        try mean(wire).get()
      }
    }
  }

  @Test func `summarises a solver state`() throws {
    let wire = Wire().number(1, 500).text(2, "lenet_iter_500.caffemodel")
      .message(3, Wire.blob([2, 2], [1, 2, 3, 4])).message(3, Wire.blob([2], [5, 6])).number(4, 3)
    let state = try SolverStateFile(data: wire.data, file: "s")
    #expect(state.iteration == 500)
    #expect(state.learnedNet == "lenet_iter_500.caffemodel")
    #expect(state.currentStep == 3)
    #expect(state.history.map(\.values) == [[1, 2, 3, 4], [5, 6]])
    for length in 0..<wire.bytes.count {
      let cut = try? SolverStateFile(data: wire.data.prefix(length), file: "s")
      #expect((cut?.history.count ?? 0) <= 2)
    }
    #expect(
      throws: Diagnostic.error("names no iteration; is it a binary solverstate?", file: "s")
    ) { try SolverStateFile(data: Wire().text(2, "x").data, file: "s") }
    #expect(
      throws: Diagnostic.error("history 0: shape [3] wants 3 values, but 1 are stored", file: "s")
    ) { try SolverStateFile(data: Wire().number(1, 1).message(3, .blob([3], [1])).data, file: "s") }
  }
}
