import Foundation
import IR

/// What methods remember, as bytes: JSON with sorted keys, so that the same state has the same bytes.
enum MethodState {
  static func bytes<State: Encodable>(of state: State) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(state) else {
      preconditionFailure("states are numbers, texts and lists")
    }
    return [UInt8](data)
  }

  /// - Throws: if the bytes are not such a state.
  static func value<State: Decodable>(of bytes: [UInt8], _ method: String) throws(Diagnostic)
    -> State
  {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let state = try? decoder.decode(State.self, from: Data(bytes)) else {
      throw .error("what the snapshot says about \(method) can not be read")
    }
    return state
  }
}
