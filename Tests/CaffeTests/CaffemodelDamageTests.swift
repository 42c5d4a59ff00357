import Foundation
import IR
import Testing

@testable import Caffe

/// Damaged files end in one line, never in a crash; what is read is never larger than the file.
struct CaffemodelDamageTests {
  /// A small model that uses everything the reader knows.
  private var models: [Data] {
    let weights = Wire.blob([2, 3], [1, 2, 3, 4, 5, 6])
    let bias = Wire.blob([2], [7, 8])
    let old = Wire().number(1, 1).number(2, 1).number(3, 1).number(4, 2).unpacked(5, [1, 2])
    var group = Wire()
    group.tag(99, 3)
    group = group.number(1, 300)
    group.tag(99, 4)
    var current = Wire.net([
      Wire.layer("conv", "CConvolution", [weights, bias, weights, bias]),
      Wire.layer("fc", "InnerProduct", [Wire().shape([1]).packedDoubles(8, [2.5]), old]),
    ])
    current.bytes += group.bytes
    let v1 = Wire().message(2, Wire().text(4, "c").number(5, 4).message(6, old))
    let v0 = Wire().message(2, Wire().message(1, Wire().text(1, "c").message(50, old)))
    return [current.data, v1.data, v0.data]
  }

  /// Reads `data`; the number of values read, or nil if it was refused in one line.
  private func values(_ data: Data) -> Int? {
    do {
      let model = try Caffemodel(data: data, file: "f")
      var count = 0
      for layer in model.layers {
        _ = try? layer.matched(
          to: layer.blobs.map { ParameterSlot("weights", $0.shape) }, file: "f")
        count += layer.blobs.map(\.tensor.count).reduce(0, +)
      }
      return count
    } catch {
      #expect("\(error)".hasPrefix("f: "))
      #expect(!"\(error)".contains("\n"))
      return nil
    }
  }

  @Test func `a file cut off at any byte is refused or read up to a whole layer`() throws {
    for model in models {
      let whole = try #require(values(model))
      for length in 0..<model.count {
        if let count = values(model.prefix(length)) { #expect(count <= whole) }
      }
    }
  }

  @Test func `reads bytes that do not start at index 0`() throws {
    for model in models {
      let shifted = (Data([1, 2, 3]) + model).dropFirst(3)
      #expect(values(shifted) == values(model))
    }
  }

  @Test func `thousands of random changes never crash it`() {
    var random = SeededGenerator(seed: 20_261_121)
    var refused = 0
    for model in models {
      for _ in 0..<3000 {
        var bytes = model
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          let at = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<5, using: &random) {
          case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          case 2: bytes.insert(0xff, at: at)
          case 3: bytes.remove(at: at)
          default: bytes.append(contentsOf: bytes[at...].prefix(40))
          }
          if bytes.isEmpty { bytes = Data([0]) }
        }
        // A packed value takes four bytes, and there is no shorter way to store one.
        if let count = values(bytes) { #expect(count <= bytes.count / 4) } else { refused += 1 }
      }
    }
    #expect(refused > 1000)
  }

  @Test func `random bytes never crash it`() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      let count = Int.random(in: 0..<64, using: &random)
      _ = values(Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
    }
  }
}
