import Foundation
import Testing

@testable import NumPy

struct FileReplacementTests {
  private let array = NumPyArray(shape: [2], values: [1, 2])

  @Test func `replaces a file and what a link leads to`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "real.npy")
    symlink("real.npy", "\(folder.path)/link.npy")
    try array.write(to: "\(folder.path)/link.npy")
    #expect(try NumPyArray.read(contentsOf: "\(folder.path)/real.npy") == array)
    #expect(try folder.contents == ["link.npy", "real.npy"])
    var status = stat()
    #expect(lstat("\(folder.path)/link.npy", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
  }

  @Test func `leaves nothing of a file that was not finished`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "a.npy")
    do {
      let file = try FileReplacement("\(folder.path)/a.npy")
      try file.write([9, 9])
      #expect(try folder.contents.count == 2)
    }
    #expect(try folder.contents == ["a.npy"])
    #expect(try folder.bytes(of: "a.npy") == [1, 2, 3])
  }

  @Test func `never replaces a device`() throws {
    try array.write(to: "/dev/null")
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test func `says that a file cannot be written or read`() {
    func message(_ body: () throws -> Void) -> String? {
      #expect(throws: NumPyError.self) { try body() }?.description
    }
    #expect(
      message { try array.write(to: "/no/such/folder/a.npy") }
        == "/no/such/folder/a.npy: cannot be written: No such file or directory")
    #expect(
      message { _ = try NumPyArray.read(contentsOf: "no.npy") }
        == "no.npy: cannot be read: No such file or directory")
    #expect(message { _ = try NumPyArray.read(contentsOf: "/") } == "/: not a regular file")
    #expect(
      message { try array.write(to: "/dev/full") }
        == "/dev/full: cannot be written: No space left on device")
  }
}
