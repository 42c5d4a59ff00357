import CZlib

/// Bytes that come in order: those of a file, or of an archive's member as it unpacks.
protocol ByteStream: AnyObject {
  /// How many are still to come, at most.
  var remaining: Int { get }
  /// Fills the buffer with the next bytes, or throws if there are too few.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Flaw)
}

extension ByteStream {
  /// The next `count` bytes; what is too many to exist is refused before it gets memory.
  func bytes(_ count: Int) throws(Flaw) -> [UInt8] {
    guard count <= remaining else { throw Flaw("the data end too early") }
    var result = [UInt8](repeating: 0, count: count)
    var flaw: Flaw?
    result.withUnsafeMutableBytes { buffer in
      do throws(Flaw) { try read(into: buffer) } catch { flaw = error }
    }
    if let flaw { throw flaw }
    return result
  }
}

/// A range of stored bytes as it is.
final class PlainStream: ByteStream {
  private let source: any StoredBytes
  private var offset: Int
  private let end: Int

  /// The range must lie within the source.
  init(_ source: any StoredBytes, _ range: Range<Int>) {
    self.source = source
    offset = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - offset }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
    guard buffer.count <= remaining else { throw Flaw("the data end too early") }
    try source.read(at: offset, into: buffer)
    offset += buffer.count
  }
}

/// What a deflated range of bytes unpacks to.
final class InflatedStream: ByteStream {
  private let source: any StoredBytes
  private var offset: Int
  private let end: Int
  private(set) var remaining: Int
  private let state: UnsafeMutablePointer<z_stream>
  private var input: [UInt8] = []

  /// `count` is what the archive promises; more is never delivered.
  init(_ source: any StoredBytes, _ range: Range<Int>, count: Int) throws(Flaw) {
    self.source = source
    offset = range.lowerBound
    end = range.upperBound
    remaining = count
    state = .allocate(capacity: 1)
    state.initialize(to: z_stream())
    // Negative window bits: raw deflate data, as in zip archives, without zlib's own frame.
    guard
      inflateInit2_(state, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      state.deallocate()
      throw Flaw("out of memory")
    }
  }

  deinit {
    inflateEnd(state)
    state.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
    guard buffer.count <= remaining else { throw Flaw("the data end too early") }
    var target = buffer[...]
    while !target.isEmpty {
      let got = try inflateSome(into: UnsafeMutableRawBufferPointer(rebasing: target))
      target = target.dropFirst(got)
    }
    remaining -= buffer.count
  }

  /// Unpacks some bytes, at least one.
  private func inflateSome(into target: UnsafeMutableRawBufferPointer) throws(Flaw) -> Int {
    let wanted = min(target.count, 1 << 30)
    var got = 0
    while got == 0 {
      if state.pointee.avail_in == 0 { try refill() }
      let kept = input.count - Int(state.pointee.avail_in)
      let status = input.withUnsafeMutableBufferPointer { buffer in
        state.pointee.next_in = buffer.baseAddress.map { $0 + kept }
        state.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(wanted)
        let status = inflate(state, Z_NO_FLUSH)
        // The array may move before the next call.
        state.pointee.next_in = nil
        state.pointee.next_out = nil
        return status
      }
      got = wanted - Int(state.pointee.avail_out)
      if got > 0 { break }
      guard status == Z_OK || status == Z_BUF_ERROR, offset < end || state.pointee.avail_in > 0
      else {
        throw Flaw(
          status == Z_DATA_ERROR ? "the compressed data are damaged" : "the data end too early")
      }
    }
    return got
  }

  private func refill() throws(Flaw) {
    input = try source.bytes(at: offset, count: min(1 << 16, end - offset))
    offset += input.count
    state.pointee.avail_in = UInt32(input.count)
  }
}

/// Passes bytes on and keeps their CRC-32.
final class ChecksummedStream: ByteStream {
  private let stream: any ByteStream
  private(set) var checksum = UInt32(0)

  init(_ stream: any ByteStream) { self.stream = stream }

  var remaining: Int { stream.remaining }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Flaw) {
    try stream.read(into: buffer)
    checksum = checksumContinued(checksum, UnsafeRawBufferPointer(buffer))
  }
}

/// CRC-32 as in zip archives, of bytes that follow those of `start` (0 at first).
func checksumContinued(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
  guard let first = bytes.baseAddress else { return start }
  return UInt32(
    truncatingIfNeeded: crc32_z(
      UInt(start), first.assumingMemoryBound(to: UInt8.self), bytes.count))
}
