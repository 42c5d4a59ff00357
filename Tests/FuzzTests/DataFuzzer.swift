import IR
import Images
import TestSupport

@testable import Datasets
@testable import Plotting

/// Records and logs to damage.
enum DataCorpus {
  static let records: [[UInt8]] =
    [
      Datum(size: (3, 4, 5), data: (0..<60).map { UInt8($0) }, label: 7).serialized,
      Datum(size: (1, 28, 28), data: [UInt8](repeating: 9, count: 784), label: -1, isEncoded: false)
        .serialized,
      // Floats, packed and one by one.
      [0x08, 1, 0x10, 1, 0x18, 3, 0x32, 8, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1, 0x35, 0, 0, 0, 0],
    ]
    // A few only: damage to these is found by what fuzzes pictures.
    + ImageCorpus.files.prefix(3).map {
      Datum(size: nil, data: $0, label: 3, isEncoded: true).serialized
    }

  static let logs: [[UInt8]] = [caffe, json].map { Array($0.utf8) }

  private static let head = "I0314 11:32:07.457612 30884 solver.cpp:230] "

  private static let caffe =
    head + """
      Initializing net from parameters: 
      name: "net"
      layer {
        name: "conv1"
        type: "Convolution"
      }
      layer {
        name: "ip1"
        type: "InnerProduct"
        inner_product_param {
          bias_term: false
        }
      }

      """
    + [
      "Iteration 0, Testing net (#0)", "    Test net output #0: accuracy = 0.1",
      "    Test net output #1: loss = 2.3 (* 1 = 2.3 loss)",
      "Iteration 100 (12.5 iter/s, 8s/100 iters), loss = 1.5",
      "    Train net output #0: top1 = 0.75", "Iteration 100, lr = 0.01",
      "    Element Sparsity %: 50\t0\t25\t", "     Column Sparsity %: -1\t-1\t75\t",
      "IP Sparsity: 0.5", "Iteration 200, loss = 1e-3", "    Sparsity %: 1 2 3 4 ",
    ].map { head + $0 + "\n" }.joined()

  private static let json = """
    {"kind": "start"}
    {"kind": "train", "iteration": 0, "loss": 2.5, "learning_rate": 0.01, "outputs": {"loss": 2.5}}
    {"kind": "test", "iteration": 100, "outputs": {"accuracy": 0.5, "loss": 2}}
    {"kind": "sparsity", "iteration": 100, "sparsity": {"conv1": 0.25, "ip": 1}}

    """
}

extension Fuzzer {
  /// A record as a net reads it, from its bytes to its pixels.
  func readRecord(_ outcome: inout Outcome, _ random: inout SeededGenerator) throws {
    let records = DataCorpus.records
    let record = ByteMutation.damage(
      random.pick(records), other: random.pick(records), using: &random)
    let origin = Origin("f.lmdb")
    try record.withUnsafeBytes { bytes in
      do throws(DatumFlaw) {
        let datum = try DatumView(bytes)
        try readPixels(datum, origin, &outcome, &random)
      } catch {
        throw origin.error(error.reason, record: UnsafeRawBufferPointer(rebasing: bytes.prefix(8)))
      }
    }
  }

  private func readPixels(
    _ datum: DatumView, _ origin: Origin, _ outcome: inout Outcome,
    _ random: inout SeededGenerator
  ) throws(DatumFlaw) {
    guard datum.isEncoded else {
      let count = datum.data.isEmpty ? datum.floats.count : datum.data.count
      if count != datum.channels * datum.height * datum.width || count == 0 {
        outcome.complaints.append("\(count) values of a size that is another")
      }
      return
    }
    let image = try DatabaseSource.image(datum)
    for color in [Image.Color?.none, .gray, .rgb] {
      let size = image.size(as: color)
      let planes = image.planes(as: color)
      if planes.count != size.channels * size.height * size.width {
        outcome.complaints.append("\(planes.count) pixels for \(size)")
      }
    }
  }

  /// A log, and what is drawn of it.
  func readLog(_ outcome: inout Outcome, _ random: inout SeededGenerator) throws {
    let logs = DataCorpus.logs
    let (one, other) = (random.pick(logs), random.pick(logs))
    let bytes =
      random.chance(0.5)
      ? TextMutation.damage(one, other: other, using: &random)
      : ByteMutation.damage(one, other: other, using: &random)
    let log = try TrainingLog(bytes, file: "f.log")
    for curve in log.curves {
      let iterations = curve.points.map(\.iteration)
      if iterations != Array(Set(iterations)).sorted() || !curve.points.allSatisfy(\.value.isFinite)
      {
        outcome.complaints.append("a curve that can not be drawn: \(curve)")
      }
    }
    _ = Figure([log])
  }
}
