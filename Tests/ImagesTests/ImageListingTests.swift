import CImageEncoders
import Foundation
import Testing

@testable import Images

struct ImageListingTests {
  /// A folder that is gone when the test is over.
  private final class TemporaryFolder {
    private let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("sparsec-images-\(UUID().uuidString)")

    var path: String { url.path }

    init() throws {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
      try Data(bytes).write(to: url.appendingPathComponent(name))
    }

    deinit { try? FileManager.default.removeItem(at: url) }
  }

  @Test func `takes the images of a folder in order and names the rest`() throws {
    let folder = try TemporaryFolder()
    let image = png([7], width: 1, height: 1, depth: 8, color: .gray)
    for name in ["b.png", "a.png", "Z.jpeg", "no extension", "é.png"] {
      try folder.add(name, image)
    }
    try folder.add("notes.jpg", Array("not an image".utf8))
    try folder.add("empty.png", [])
    mkdir("\(folder.path)/more", 0o755)
    mkfifo("\(folder.path)/pipe.png", 0o644)
    symlink("a.png", "\(folder.path)/c.png")

    let listing = try ImageListing(["given.txt", folder.path])
    let names = ["Z.jpeg", "a.png", "b.png", "c.png", "no extension", "é.png"]
    #expect(listing.files == ["given.txt"] + names.map { "\(folder.path)/\($0)" })
    #expect(
      listing.omissions.map(\.description) == [
        "\(folder.path)/empty.png: not a JPEG or PNG image, passed over",
        "\(folder.path)/more: a folder inside a folder, passed over",
        "\(folder.path)/notes.jpg: not a JPEG or PNG image, passed over",
        "\(folder.path)/pipe.png: not a file, passed over",
      ])
    for file in listing.files.dropFirst() {
      #expect(try ImageDecoder.decode(contentsOf: file).samples == [7])
    }
  }
}
