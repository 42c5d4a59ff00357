/// Named arrays in the order of an `.npz` file. Names are kept as they are, `/` included.
public struct NumPyArchive: Hashable, Sendable {
  /// The names, in order.
  public private(set) var keys: [String] = []
  private var arrays: [String: NumPyArray] = [:]

  /// No arrays.
  public init() {}

  /// The array of a name. Setting a new name puts it last; setting nil removes it.
  public subscript(key: String) -> NumPyArray? {
    get { arrays[key] }
    set {
      let known = arrays.updateValue(newValue, forKey: key)
      if newValue == nil {
        keys.removeAll { $0 == key }
      } else if !known {
        keys.append(key)
      }
    }
  }

  /// Reads every array of an `.npz` file, plain or compressed.
  ///
  /// All sizes are checked first: members that overlap, unpack to more than deflate can, or would
  /// take more than `memoryLimit` bytes together are refused.
  public static func read(
    contentsOf path: String, memoryLimit: Int = 1 << 33
  ) throws(NumPyError) -> NumPyArchive {
    do throws(Flaw) {
      return try NumPyArchive(FileBytes(path), memoryLimit: memoryLimit)
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads an `.npz` file held in memory; `name` is what errors call it.
  public static func read(
    _ bytes: [UInt8], name: String, memoryLimit: Int = 1 << 33
  ) throws(NumPyError) -> NumPyArchive {
    do throws(Flaw) {
      return try NumPyArchive(MemoryBytes(bytes: bytes), memoryLimit: memoryLimit)
    } catch {
      throw error.inFile(name)
    }
  }

  private init(_ stored: some StoredBytes, memoryLimit: Int) throws(Flaw) {
    for member in try ZipDirectory(stored, unpackedLimit: memoryLimit).members {
      let key = member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
      guard arrays[key] == nil else { throw Flaw("it occurs twice", key: key) }
      do throws(Flaw) {
        self[key] = try Self.array(of: member, in: stored)
      } catch {
        throw error.inArray(key)
      }
    }
  }

  private static func array(
    of member: ZipDirectory.Member, in stored: some StoredBytes
  ) throws(Flaw) -> NumPyArray {
    let range = try member.dataRange(in: stored)
    let content: any ByteStream =
      switch member.packing {
      case .stored: PlainStream(stored, range)
      case .deflated: try InflatedStream(stored, range, count: member.unpackedSize)
      }
    let stream = ChecksummedStream(content)
    let array = try NumPyArray(stream)
    // The checksum covers whatever follows the elements too; NumPy writes nothing there.
    while stream.remaining > 0 { _ = try stream.bytes(min(stream.remaining, 1 << 16)) }
    guard stream.checksum == member.checksum else { throw Flaw("its checksum does not match") }
    return array
  }
}

extension Dictionary {
  /// Sets or removes a value and says whether the key was there before.
  fileprivate mutating func updateValue(_ value: Value?, forKey key: Key) -> Bool {
    let known = self[key] != nil
    self[key] = value
    return known
  }
}
