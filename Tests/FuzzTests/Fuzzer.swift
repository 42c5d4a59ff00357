import Foundation
import IR
import Images
import Passes
import TestSupport

@testable import Caffe

/// Damages inputs and hands them to what reads them; each case depends on the seed and its number
/// only.
struct Fuzzer {
  enum Target: CaseIterable {
    case prototxt, caffemodel, image, record, log
  }

  /// What became of a case, and all that is wrong with that.
  struct Outcome {
    var target: Target
    var isAccepted = false
    var complaints: [String] = []
  }

  let seed: UInt64

  func run(_ number: Int) -> Outcome {
    var random = SeededGenerator(seed: (seed &* 0xd134_2543_de82_ef95) ^ UInt64(number))
    // A generator's first numbers are alike for alike seeds of other generators, not of this one.
    let target = random.pick([
      Target.prototxt, .prototxt, .caffemodel, .image, .record, .log,
    ])
    var outcome = Outcome(target: target)
    do {
      switch target {
      case .prototxt: try readPrototxt(&outcome, &random)
      case .caffemodel: try readCaffemodel(&outcome, &random)
      case .image: try readImage(&outcome, &random)
      case .record: try readRecord(&outcome, &random)
      case .log: try readLog(&outcome, &random)
      }
      outcome.isAccepted = true
    } catch let error as Diagnostic {
      if error.level != .error { outcome.complaints.append("thrown, but no error: \(error)") }
      check(line: "\(error)", &outcome)
    } catch let error as ImageError {
      check(line: "\(error)", &outcome)
    } catch {
      outcome.complaints.append("an error of no type that is promised: \(error)")
    }
    return outcome
  }

  /// A message is one short line that names its file.
  private func check(line: String, _ outcome: inout Outcome, isAboutAFile: Bool = true) {
    let isOneLine = !line.unicodeScalars.contains {
      $0.properties.generalCategory == .control || $0.properties.generalCategory == .lineSeparator
    }
    if !isOneLine { outcome.complaints.append("control characters in: \(line.debugDescription)") }
    if line.isEmpty || line.utf8.count >= 500 {
      outcome.complaints.append("\(line.utf8.count) bytes: \(line)")
    }
    if isAboutAFile, !line.hasPrefix("f.") { outcome.complaints.append("no file named: \(line)") }
  }

  private func check(_ findings: [Diagnostic], _ outcome: inout Outcome) {
    for finding in findings { check(line: "\(finding)", &outcome) }
  }

  // MARK: - Definitions

  private func readPrototxt(_ outcome: inout Outcome, _ random: inout SeededGenerator) throws {
    let file = random.pick(PrototxtCorpus.files)
    let other = random.pick(PrototxtCorpus.files)
    let bytes =
      random.chance(0.7)
      ? TextMutation.damage(file, other: other, using: &random)
      : ByteMutation.damage(file, other: other, using: &random)
    let tolerates = random.chance(0.5)
    let prototxt = try Prototxt.parse(
      bytes: bytes, file: "f.prototxt", allowUnknownFields: tolerates)
    check(prototxt.warnings, &outcome)
    let current = try Upgrade.current(prototxt)
    checkText(of: current, &outcome)
    switch prototxt.kind {
    case .net:
      readForTraining(prototxt, dialect: random.pick(TrainingDialect.allCases), &outcome)
      try lower(prototxt, weights: [], &outcome)
    case .solver:
      let solver = try SolverReader.read(prototxt)
      check(solver.findings, &outcome)
      for net in [solver.trainNet] + solver.testNets {
        guard case .written(let inner) = net.source else { continue }
        readForTraining(inner, dialect: .bvlc, &outcome)
      }
    }
  }

  /// Whatever a net is for, it is read for training or refused with one line.
  private func readForTraining(
    _ prototxt: Prototxt, dialect: TrainingDialect, _ outcome: inout Outcome
  ) {
    for phase in [NetState.Phase.train, .test] {
      do {
        let net = try TrainingNetReader.read(
          prototxt, state: NetState(phase: phase), dialect: dialect
        ) { (_, _, location) throws(Diagnostic) in
          guard let shape = try? Shape([4, 3, 16, 16]) else {
            throw .error("no shape", at: location)
          }
          return [shape, .vector(4)]
        }
        for layer in net.layers
        where layer.tops.count != layer.outputShapes.count
          || layer.tops.count != layer.lossWeights.count
          || layer.bottoms.count != layer.inputShapes.count
        {
          outcome.complaints.append("\(layer.title) is not sound")
        }
      } catch {
        check(line: "\(error)", &outcome)
      }
    }
  }

  /// What `convert upgrade` writes must be readable again.
  private func checkText(of prototxt: Prototxt, _ outcome: inout Outcome) {
    // Nothing but unknown fields: nothing tells a net from a solver any more.
    if prototxt.message.fields.isEmpty { return }
    do {
      let again = try Prototxt.parse(
        text: prototxt.message.text, file: "f.prototxt", as: prototxt.kind)
      if again.message != prototxt.message { outcome.complaints.append("its text says otherwise") }
    } catch {
      outcome.complaints.append("its text can not be read: \(error)")
    }
  }

  private func lower(
    _ prototxt: Prototxt, weights: [NetReader.Weights], _ outcome: inout Outcome
  ) throws {
    var options = NetReader.Options()
    options.weightsOptional = true
    // Weights that no file has are zeros, which take their room all the same.
    options.maximumParameters = 1 << 20
    let net = try NetReader.read(prototxt, weights: weights, options: options)
    check(net.findings, &outcome)
    do {
      try net.graph.verify()
      _ = try PassManager(disabled: []).run(net.graph)
    } catch {
      outcome.complaints.append("not sound: \(error)")
    }
  }

  // MARK: - Weights

  private static let weightedNet = Result { () throws(Diagnostic) in
    try Prototxt.parse(text: PrototxtCorpus.weighted, file: "f.prototxt", as: .net)
  }

  private func readCaffemodel(_ outcome: inout Outcome, _ random: inout SeededGenerator) throws {
    let files = CaffemodelCorpus.files
    let data = Data(
      ByteMutation.damage(random.pick(files), other: random.pick(files), using: &random))
    // The other binary files are read alike; whichever of them this is, none may crash.
    for read in [
      { _ = try MeanFile.read(data: data, file: "f.binaryproto") },
      { _ = try SolverStateFile(data: data, file: "f.solverstate") },
    ] {
      do { try read() } catch { check(line: "\(error)", &outcome) }
    }
    let model = try Caffemodel(data: data, file: "f.caffemodel")
    check(model.warnings, &outcome)
    let values = model.layers.flatMap(\.blobs).reduce(0) { $0 + $1.tensor.count }
    if values > data.count / 4 { outcome.complaints.append("\(values) values from nowhere") }
    for layer in model.layers {
      check(layer.effectiveBlobs(file: "f.caffemodel").findings, &outcome)
    }
    checkBytes(of: model.upgraded(), &outcome)
    let weights = NetReader.Weights(model, file: "f.caffemodel")
    try lower(Self.weightedNet.get(), weights: [weights], &outcome)
  }

  /// What our writer makes of a model must be that model.
  private func checkBytes(of model: Caffemodel, _ outcome: inout Outcome) {
    do {
      let again = try Caffemodel(
        data: model.serialized(file: "f.caffemodel"), file: "f.caffemodel")
      // Not all values equal themselves.
      let isSame = again.layers.elementsEqual(model.layers) { a, b in
        a.name == b.name && a.type == b.type && a.blobs.map(\.shape) == b.blobs.map(\.shape)
          && a.blobs.flatMap { $0.values.map(\.bitPattern) }
            == b.blobs.flatMap { $0.values.map(\.bitPattern) }
      }
      if !isSame { outcome.complaints.append("written, it is another model") }
    } catch {
      outcome.complaints.append("written, it can not be read: \(error)")
    }
  }

  // MARK: - Pictures

  private func readImage(_ outcome: inout Outcome, _ random: inout SeededGenerator) throws {
    let files = ImageCorpus.files
    let bytes = ImageMutation.damage(random.pick(files), other: random.pick(files), using: &random)
    let image = try ImageDecoder.decode(bytes, name: "f.image")
    let channels = random.pick([1, 3])
    let preprocessing = try Preprocessing(
      channels: channels, height: random.integer(1...40), width: random.integer(1...40),
      shorterSide: random.integer(40...64), channelOrder: random.pick([.bgr, .rgb, .gray]),
      mean: .channels(channels == 1 ? [100] : [104, 117, 123]), scale: 1 / 256)
    let planes = try preprocessing.planes(of: image)
    let isInRange = planes.allSatisfy { (-1...1).contains($0) }
    if planes.count != preprocessing.count || !isInRange {
      outcome.complaints.append("\(planes.count) values, all of them from -1 to 1: \(isInRange)")
    }
  }
}
