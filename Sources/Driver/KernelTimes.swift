import Codegen
import Foundation
import IR

/// Measured times of kernels on layers, kept from one compilation to the next.
///
/// One file per CPU under `$XDG_CACHE_HOME/sparsec` (or `~/.cache/sparsec`). A layer is known by its
/// fingerprint: what it computes, its shapes, its weights, the target and the version of sparsec; never by its
/// name, so equal layers of different networks share their times.
struct KernelTimes: Codable {
  /// The version of the file's form.
  private static let currentFormat = 1

  private var format = KernelTimes.currentFormat
  private var cpu: String
  /// Layer's fingerprint to kernel to seconds.
  private var times: [String: [String: Double]] = [:]

  init(cpu: String) { self.cpu = cpu }

  subscript(layer: String, kernel: String) -> Double? {
    get { times[layer]?[kernel] }
    set { times[layer, default: [:]][kernel] = newValue }
  }

  // MARK: The file

  /// Reads what is known about this machine's CPU. A file that cannot be understood counts as empty, with a
  /// warning.
  static func read() -> (times: KernelTimes, warning: Diagnostic?) {
    let cpu = CPUName.ofThisMachine
    let path = path(for: cpu)
    guard let data = FileManager.default.contents(atPath: path) else {
      return (KernelTimes(cpu: cpu), nil)
    }
    guard let times = try? JSONDecoder().decode(KernelTimes.self, from: data),
      times.format == currentFormat, times.cpu == cpu
    else {
      let warning = Diagnostic.warning(
        "\(path) is no list of kernel times of this version; measuring anew")
      return (KernelTimes(cpu: cpu), warning)
    }
    return (times, nil)
  }

  func write() throws(Diagnostic) {
    let path = Self.path(for: cpu)
    do {
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    } catch {
      throw .error("the folder cannot be made: \(error.localizedDescription)", file: path)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    do {
      try FileInTheMaking.write(Array(try encoder.encode(self)), to: path)
    } catch let error as Diagnostic {
      throw error
    } catch {
      throw .error("the kernel times cannot be written as JSON: \(error)", file: path)
    }
  }

  /// The file for a CPU: its name, in letters that every file system takes.
  private static func path(for cpu: String) -> String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME"] ?? NSTemporaryDirectory()
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(home)/.cache"
    let name = cpu.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return "\(cache)/sparsec/kernel-times-\(String(name)).json"
  }

  // MARK: Fingerprints

  /// What a layer's times depend on.
  static func fingerprint(of id: NodeID, in graph: Graph, _ target: Target) -> String {
    let node = graph[id]
    let layer = node.operation.layer
    var text = "\(Version.text) \(target.architecture) \(target.lanes) \(layer.typeName)"
    for attribute in layer.attributes { text += " \(attribute.name)=\(attribute.value)" }
    text += " \(graph.inputShapes(of: id)) \(graph.outputShapes(of: id))"
    for parameter in node.parameters { text += " \(parameter.shape) \(parameter.stableHash)" }
    return String(Self.hash(text), radix: 16)
  }

  /// FNV-1a, the same in every run.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }
}
