import IR
import TestSupport
import Testing

struct TensorTests {
  @Test func `minus zero is a zero, a denormal and NaN are none`() {
    let values: [Float] = [0, -0.0, 1, -2, .leastNonzeroMagnitude, .nan, 0, .infinity]
    let tensor = Tensor(shape: .vector(8), values: values)
    #expect(tensor.nonzeroCount == 5)
    #expect(tensor.density == 0.625)
  }

  @Test func `the hash is that of FNV-1a, on every machine`() throws {
    #expect(hash([1, 2]) == 0x0833_27da_586b_6fed)
    #expect(hash([2, 1]) == 0x8833_4129_776b_6fed)
    #expect(hash([0]) == 0xaf63_bd4c_8601_b7df)
  }

  @Test func `the hash sees every bit of every value, but not the shape`() throws {
    var random = SeededGenerator(seed: 3)
    let tensor = try Tensor.random([2, 3, 4], seed: 3)
    #expect(tensor.reshaped(to: .vector(24)).stableHash == tensor.stableHash)
    for _ in 0..<200 {
      var values = tensor.values
      let index = random.integer(0...23)
      let bit = UInt32(1) << UInt32(random.integer(0...31))
      values[index] = Float(bitPattern: values[index].bitPattern ^ bit)
      #expect(Tensor(shape: tensor.shape, values: values).stableHash != tensor.stableHash)
    }
    #expect(hash([0]) != hash([-0.0]))
  }

  @Test func `a tensor of one value repeats it`() throws {
    let tensor = Tensor(shape: try Shape([2, 3]), repeating: 1.5)
    #expect(tensor.values == [Float](repeating: 1.5, count: 6))
    #expect(tensor.count == 6)
    #expect(Tensor(shape: .scalar, repeating: 0).density == 0)
  }

  private func hash(_ values: [Float]) -> UInt64 {
    Tensor(shape: .vector(values.count), values: values).stableHash
  }
}
