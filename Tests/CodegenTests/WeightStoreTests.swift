import Codegen
import Foundation
import TestSupport
import Testing

struct WeightStoreTests {
  @Test func `arrays of every kind are aligned, and hold what was stored`() throws {
    var random = SeededGenerator(seed: 9)
    var store = WeightStore()
    var expected: [(place: Int, bytes: [UInt8])] = []
    for _ in 0..<200 {
      let count = random.integer(0...40)
      let numbers = (0..<count).map { _ in UInt32(truncatingIfNeeded: random.next()) }
      let address: String
      let type: String
      let bytes: [UInt8]
      switch random.integer(0...4) {
      case 0:
        (address, type) = (store.append(floats: numbers.map(Float.init(bitPattern:))), "float")
        bytes = numbers.flatMap(little)
      case 1:
        (address, type) = (store.append(offsets: numbers.map(Int32.init(bitPattern:))), "int32_t")
        bytes = numbers.flatMap(little)
      case 2:
        (address, type) = (store.append(counts: numbers), "uint32_t")
        bytes = numbers.flatMap(little)
      case 3:
        (address, type) = (store.append(words: numbers, as: "struct rows"), "struct rows")
        bytes = numbers.flatMap(little)
      default:
        let taps = numbers.map { Tap(offset: Int32(bitPattern: $0), value: Float(bitPattern: ~$0)) }
        (address, type) = (store.append(taps: taps), "struct tap")
        bytes = numbers.flatMap { little($0) + little(~$0) }
      }
      let prefix = "(const \(type) *)(sparsec_weights + "
      try #require(address.hasPrefix(prefix) && address.hasSuffix(")"))
      expected.append((try #require(Int(address.dropFirst(prefix.count).dropLast())), bytes))
    }
    for (place, bytes) in expected {
      #expect(place % WeightStore.alignment == 0)
      try #require(place + bytes.count <= store.bytes.count)
      #expect(Array(store.bytes[place..<place + bytes.count]) == bytes)
    }
  }

  /// The bytes of a number on a little-endian machine.
  private func little(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
  }
}
