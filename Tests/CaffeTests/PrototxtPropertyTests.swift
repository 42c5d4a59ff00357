import Foundation
import IR
import Testing

@testable import Caffe

/// Builds random messages from the schema.
private struct MessageMaker {
  var random: SeededGenerator

  mutating func message(_ type: String, depth: Int) -> TextMessage {
    var message = TextMessage(type: type)
    for name in Schema.caffe.fieldNames[type] ?? [] where Int.random(in: 0..<6, using: &random) == 0
    {
      let field = Schema.caffe.field(name, of: type)
      let count = field.isRepeated ? Int.random(in: 1...3, using: &random) : 1
      for _ in 0..<count {
        if let value = value(field.kind, depth: depth) { message.append(name, value) }
      }
    }
    return message
  }

  private mutating func value(_ kind: Schema.Kind, depth: Int) -> TextMessage.Value? {
    switch kind {
    case .int32: return .integer(Int64(Int32.random(in: .min ... .max, using: &random)))
    case .uint32: return .integer(Int64(UInt32.random(in: .min ... .max, using: &random)))
    case .int64: return .integer(Int64.random(in: .min ... .max, using: &random))
    case .float:
      return .float(Float(bitPattern: quietened(UInt32(truncatingIfNeeded: random.next()))))
    case .double:
      let value = Double(bitPattern: random.next())
      return .double(value.isNaN ? .nan : value)
    case .bool: return .bool(Bool.random(using: &random))
    case .string: return .string(string())
    case .enumeration(let name):
      return (Schema.caffe.enumerations[name]?.cases.randomElement(using: &random)?.name)
        .map { .name($0) }
    case .message(let name): return depth > 0 ? .message(message(name, depth: depth - 1)) : nil
    }
  }

  /// All NaNs have one spelling, hence one pattern.
  private func quietened(_ bits: UInt32) -> UInt32 {
    Float(bitPattern: bits).isNaN ? Float.nan.bitPattern : bits
  }

  private mutating func string() -> String {
    let alphabet: [Unicode.Scalar] = ["a", "/", "\"", "\\", "'", "\n", "\u{1}", "\u{7f}", "é", "😀"]
    var result = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...8, using: &random) {
      if let scalar = alphabet.randomElement(using: &random) { result.append(scalar) }
    }
    return String(result)
  }
}

@Suite struct PrototxtPropertyTests {
  @Test func `printed text reads back as the same message`() throws {
    var maker = MessageMaker(random: SeededGenerator(seed: 1))
    var fields = 0
    for index in 0..<400 {
      let kind: Prototxt.Kind = index % 2 == 0 ? .net : .solver
      let message = maker.message(
        kind == .net ? "NetParameter" : "SolverParameter", depth: 4)
      let text = message.text
      if text.isEmpty { continue }
      fields += text.utf8.count
      let again = try Prototxt.parse(text: text + "# end", file: "f", as: kind).message
      #expect(again == message)
      #expect(again.text == text)
    }
    #expect(fields > 10_000)
  }

  private static let seeds = [
    """
    name: "LeNet" input: "data" input_shape { dim: 1 dim: 28 } # comment
    layer { name: 'conv' type: "Convolution" bottom: "data" top: "conv" param { lr_mult: 1.5e-3 }
      convolution_param < num_output: 0x14 kernel_size: [5, 5]; weight_filler { type: "xavier" } > }
    """,
    """
    layers { layer { name: "pad" type: "padding" pad: 2 } bottom: "a" top: "b" }
    layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 biasterm: false
      blobs { data: [1.5, -2, inf] num: 1 } } bottom: "b" top: "c" }
    """,
    """
    net: "x.prototxt" base_lr: .01 lr_policy: "step" test_iter: 100 solver_mode: GPU
    train_state { phase: TRAIN stage: "a\\n\\x41" "b" } random_seed: -1 net_param { state {} }
    """,
  ]

  @Test(.timeLimit(.minutes(2)))
  func `any bytes are read or refused with one line, and quickly`() {
    var random = SeededGenerator(seed: 2)
    let spice = Array("{}<>[]:;,\"'\\#-.0x9eEfn_\n\u{0}".utf8) + [0xC3, 0xFF]
    var refused = 0
    for round in 0..<6000 {
      var bytes = Array(Self.seeds[round % Self.seeds.count].utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.removeSubrange(place..<end)
        case 1:
          bytes.insert(
            contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 2: bytes.removeSubrange(end...)
        case 3: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
        default: bytes.insert(spice.randomElement(using: &random) ?? 0, at: place)
        }
      }
      do {
        let read = try Prototxt.parse(bytes: bytes, file: "f", allowUnknownFields: round % 2 == 0)
        _ = try Upgrade.current(read).message.text
      } catch {
        refused += 1
        #expect(error.level == .error)
        #expect(!error.description.contains("\n"))
      }
    }
    #expect(refused > 1000 && refused < 6000)
  }

  @Test func `every prefix of a file is read or refused`() {
    for seed in Self.seeds {
      let bytes = Array(seed.utf8)
      for length in 0..<bytes.count {
        do {
          _ = try Prototxt.parse(bytes: Array(bytes[..<length]), file: "f")
        } catch {
          #expect(error.level == .error)
        }
      }
    }
  }
}

/// Needs the published files beside the checkout; without them there is nothing to read.
@Suite(.enabled(if: SharedFiles.areThere, "../shared/models/prototxt is missing"))
struct PrototxtPublishedFilesTests {
  private static let folder = "models/prototxt"

  @Test func `there are 161 published files`() {
    #expect(SharedFiles.prototxts(in: Self.folder).count == 161)
  }

  @Test(arguments: SharedFiles.prototxts(in: folder))
  func `a published file is read, printed and read again`(_ file: String) throws {
    let read = try Prototxt.read(SharedFiles.path(Self.folder, file))
    #expect(read.warnings.isEmpty)
    #expect((read.kind == .solver) == file.contains("solver"))
    let again = try Prototxt.parse(text: read.message.text, file: file, as: read.kind)
    #expect(again.message == read.message)

    let current = try Upgrade.current(read)
    #expect(try Upgrade.current(current) == current)
    let printed = try Prototxt.parse(text: current.message.text, file: file, as: read.kind)
    #expect(printed.message == current.message)
    #expect(!current.message.has("layers") && !current.message.has("input"))
    if read.kind == .net {
      #expect(try !current.message.layers(in: NetState()).isEmpty)
    }
  }
}
