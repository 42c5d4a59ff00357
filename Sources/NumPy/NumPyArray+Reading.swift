extension NumPyArray {
  /// Reads an `.npy` file. Floats, integers and booleans of any width and byte order become
  /// float32; arrays in Fortran order are put in C order.
  ///
  /// Memory is taken only for as many elements as the file really has.
  public static func read(contentsOf path: String) throws(NumPyError) -> NumPyArray {
    do throws(Flaw) {
      return try read(stored: FileBytes(path))
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads an `.npy` file held in memory; `name` is what errors call it.
  public static func read(_ bytes: [UInt8], name: String) throws(NumPyError) -> NumPyArray {
    do throws(Flaw) {
      return try read(stored: MemoryBytes(bytes: bytes))
    } catch {
      throw error.inFile(name)
    }
  }

  private static func read(stored: some StoredBytes) throws(Flaw) -> NumPyArray {
    guard try !stored.bytes(at: 0, count: min(2, stored.count)).elementsEqual("PK".utf8) else {
      throw Flaw("an archive (.npz) where a single array (.npy) is expected")
    }
    return try NumPyArray(PlainStream(stored, 0..<stored.count))
  }

  /// Reads head and elements; bytes behind them are left alone, as NumPy does.
  init(_ stream: any ByteStream) throws(Flaw) {
    let header = try ArrayHeader(stream)
    guard let count = elementCount(of: header.shape),
      case (let bytes, let overflow) = count.multipliedReportingOverflow(by: header.type.size),
      !overflow
    else { throw Flaw("a shape of \(header.shape) is beyond all memory") }
    guard bytes <= stream.remaining else {
      throw Flaw(
        "shape \(header.shape) needs \(bytes) bytes of data, the file has \(stream.remaining)")
    }
    let stored = try Self.elements(of: header.type, count: count, from: stream)
    shape = header.shape
    values =
      header.fortranOrder && shape.count > 1 && count > 0
      ? Self.inCOrder(stored, shape: shape) : stored
  }

  private static func elements(
    of type: ElementType, count: Int, from stream: any ByteStream
  ) throws(Flaw) -> [Float] {
    var flaw: Flaw?
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(Flaw) {
        let target = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
        if type.isNative {
          try stream.read(into: UnsafeMutableRawBufferPointer(target))
        } else {
          try convertChunks(of: type, from: stream, into: target)
        }
        filled = count
      } catch {
        flaw = error
      }
    }
    if let flaw { throw flaw }
    return values
  }

  private static func convertChunks(
    of type: ElementType, from stream: any ByteStream,
    into target: UnsafeMutableBufferPointer<Float>
  ) throws(Flaw) {
    let step = 1 << 16
    for start in stride(from: 0, to: target.count, by: step) {
      let range = start..<min(start + step, target.count)
      let chunk = try stream.bytes(range.count * type.size)
      chunk.withUnsafeBytes { bytes in
        type.convert(bytes, into: UnsafeMutableBufferPointer(rebasing: target[range]))
      }
    }
  }

  /// Values stored with the first axis fastest, put in the order with the last axis fastest.
  private static func inCOrder(_ stored: [Float], shape: [Int]) -> [Float] {
    var strides: [Int] = []
    var stride = 1
    for extent in shape {
      strides.append(stride)
      stride *= extent
    }
    var index = [Int](repeating: 0, count: shape.count)
    var source = 0
    var values: [Float] = []
    values.reserveCapacity(stored.count)
    while values.count < stored.count {
      values.append(stored[source])
      // Count up from the last axis, carrying; `source` follows.
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return values
  }
}
