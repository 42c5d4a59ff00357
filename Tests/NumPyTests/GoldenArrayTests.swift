import Foundation
import Testing

@testable import NumPy

// Every array of the golden references. Skipped where the shared data are not at hand.
@Suite(.enabled(if: Goldens.areAvailable, "needs ../shared/golden"))
struct GoldenArrayTests {
  @Test func `reads every golden array`() throws {
    let files = try Goldens.files(ending: ".npy")
    #expect(files.count == 208)
    for file in files {
      let array = try NumPyArray.read(contentsOf: file)
      #expect(array.values.count == array.shape.reduce(1, *), "\(file)")
    }
  }

  @Test func `reads every golden archive`() throws {
    let files = try Goldens.files(ending: ".npz")
    #expect(files.count == 339)
    for file in files {
      let archive = try NumPyArchive.read(contentsOf: file)
      #expect(!archive.keys.isEmpty, "\(file)")
    }
  }

  // Shapes, keys and sums as NumPy 2.4 gives them.
  @Test func `agrees with NumPy on known ones`() throws {
    let input = try NumPyArray.read(
      contentsOf: "\(Goldens.folder)/inference/lenet5_original/input.npy")
    #expect(input.shape == [64, 1, 28, 28])
    #expect(input.values.reduce(0.0) { $0 + Double($1) } == 6773.37109375)

    let labels = try NumPyArray.read(
      contentsOf: "\(Goldens.folder)/inference/lenet300100_original/labels.npy")
    #expect(Array(labels.values.prefix(10)) == [9, 0, 2, 5, 2, 8, 5, 6, 2, 3])

    let blobs = try NumPyArchive.read(
      contentsOf: "\(Goldens.folder)/inference/squeezenet_v1.0_dc/blobs.npz")
    #expect(Array(blobs.keys.prefix(4)) == ["conv1", "pool1", "fire2|concat", "fire3|concat"])

    let weights = try NumPyArchive.read(
      contentsOf: "\(Goldens.folder)/training/bvlc/sgd_nomom/weights_all.npz")
    let first = try #require(weights["conv1|0"])
    #expect(first.shape == [13, 8, 1, 5, 5])
    #expect(abs(first.values.reduce(0.0) { $0 + Double($1) } - 3.6829833277588477) < 1e-12)
  }
}

/// The references beside the repository.
enum Goldens {
  static var folder: String {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return "/\(root)/shared/golden"
  }

  static var areAvailable: Bool { FileManager.default.fileExists(atPath: folder) }

  static func files(ending suffix: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }
  }
}
