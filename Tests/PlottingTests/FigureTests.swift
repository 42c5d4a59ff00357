import Foundation
import IR
import TestSupport
import Testing

@testable import Plotting

struct FigureTests {
  private func log(_ name: String, curves: Int = 1) throws -> TrainingLog {
    var log = TrainingLog(name: name)
    for iteration in 0..<10 {
      log.add(
        3 / Double(iteration + 1), at: iteration, to: "training loss", .loss, isOfTests: false)
      for curve in 0..<curves {
        log.add(
          Double(iteration * (curve + 1)), at: iteration, to: "layer \(curve)", .sparsity,
          isOfTests: false)
      }
    }
    return log
  }

  private func drawn(_ logs: [TrainingLog], _ ending: String) throws -> Data {
    let path = "\(NSTemporaryDirectory())/sparsec-figure-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Figure(logs).write(to: path, ending: ending)
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func `both formats are written`() throws {
    let logs = [try log("a")]
    let svg = try drawn(logs, "svg")
    #expect(svg.starts(with: Array("<?xml".utf8)))
    #expect(String(decoding: svg, as: UTF8.self).hasSuffix("</svg>\n"))
    let png = try drawn(logs, "PNG")
    #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    #expect(try drawn(logs, "png") == png)
  }

  /// Strokes of one colour are curves and their marks in the legend.
  @Test func `every curve is drawn, and stands in the legend until that is full`() throws {
    func strokes(_ color: String, _ logs: [TrainingLog]) throws -> Int {
      String(decoding: try drawn(logs, "svg"), as: UTF8.self).split(separator: "<path").count {
        $0.contains("stroke=\"\(color)\"") || $0.contains("stroke:\(color)")
          || $0.contains("stroke:rgb(\(color)")
      }
    }
    // Blue comes first in each panel: loss and sparsity, each with its mark.
    let blue = "0%,44.7%,69.8%"
    #expect(try strokes(blue, [log("a")]) == 4)
    #expect(try strokes(blue, [log("a"), log("b")]) == 4)
    // Of 40 curves, six are blue; of 60, nine are, six of which are in the first 39.
    #expect(try strokes(blue, [log("a", curves: 40)]) == 2 + 6 + 6)
    #expect(try strokes(blue, [log("a", curves: 60)]) == 2 + 9 + 6)
  }

  @Test func `a file that cannot be written is told`() throws {
    let figure = Figure([try log("a")])
    for (path, ending) in [("/no/where.svg", "svg"), ("/no/where.png", "png")] {
      let error = #expect(throws: Diagnostic.self) { try figure.write(to: path, ending: ending) }
      #expect(error?.description.hasPrefix("\(path): cannot be drawn") == true)
    }
    let error = #expect(throws: Diagnostic.self) { try figure.write(to: "x.pdf", ending: "pdf") }
    #expect(error?.description.contains(".svg or .png") == true)
  }

  @Test func `axes hold all values between whole steps`() {
    var generator = SeededGenerator(seed: 2)
    for _ in 0..<2000 {
      let scale = pow(10, Double(generator.integer(-5...7)))
      let one = Double.random(in: -1...1, using: &generator) * scale
      let other = generator.chance(0.1) ? one : Double.random(in: -1...1, using: &generator) * scale
      let axis = Axis(linear: min(one, other)...max(one, other), marks: generator.integer(2...9))
      #expect((-1e-9...1 + 1e-9).contains(axis.position(of: one)))
      #expect((-1e-9...1 + 1e-9).contains(axis.position(of: other)))
      #expect((2...14).contains(axis.ticks.count))
      #expect(Set(axis.ticks.map(\.text)).count == axis.ticks.count, "\(axis.ticks.map(\.text))")
      #expect(axis.position(of: axis.ticks[0].value) == 0)
    }
  }

  @Test func `marks are short, and logarithmic where values span decades`() {
    #expect(Axis(linear: 0...160_000, marks: 8).ticks.map(\.text).last == "160k")
    #expect(Axis(linear: 0...10, marks: 5).ticks.map(\.text) == ["0", "2", "4", "6", "8", "10"])
    #expect(
      Axis(linear: 0.62...0.79, marks: 4).ticks.map(\.text) == [
        "0.60", "0.65", "0.70", "0.75", "0.80",
      ])
    let loss = Axis.fitting(0.004...2.3, marks: 6)
    #expect(loss.isLogarithmic)
    #expect(loss.ticks.map(\.text) == ["0.001", "0.01", "0.1", "1", "10"])
    #expect(abs(loss.position(of: 0.1) - 0.5) < 1e-12)
    #expect(!Axis.fitting(0...2.3, marks: 6).isLogarithmic)
    #expect(!Axis.fitting(0.1...2.3, marks: 6).isLogarithmic)
  }
}
