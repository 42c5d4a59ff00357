import CLevelDB
import Foundation
import IR

/// Reads a LevelDB, checksums included. Only one reader at a time may have it open.
final class LevelDBCursor: RecordCursor {
  let count: Int? = nil
  private let origin: Origin
  private let options: OpaquePointer
  private let readOptions: OpaquePointer
  private let database: OpaquePointer
  private let iterator: OpaquePointer

  init(_ origin: Origin) throws(Diagnostic) {
    self.origin = origin
    var message: UnsafeMutablePointer<CChar>?
    let options = leveldb_options_create()
    leveldb_options_set_paranoid_checks(options, 1)
    leveldb_options_set_max_open_files(options, 100)
    guard let options, let opened = leveldb_open(options, origin.path, &message) else {
      leveldb_options_destroy(options)
      throw Self.error(origin, "cannot be opened", message)
    }
    let readOptions = leveldb_readoptions_create()
    leveldb_readoptions_set_verify_checksums(readOptions, 1)
    // A walk over everything would only push out what it needs next.
    leveldb_readoptions_set_fill_cache(readOptions, 0)
    guard let readOptions, let iterator = leveldb_create_iterator(opened, readOptions) else {
      preconditionFailure("LevelDB makes iterators of open databases")
    }
    self.options = options
    self.readOptions = readOptions
    self.database = opened
    self.iterator = iterator
    leveldb_iter_seek_to_first(iterator)
    try check()
    guard leveldb_iter_valid(iterator) != 0 else { throw origin.error("is empty") }
  }

  deinit {
    leveldb_iter_destroy(iterator)
    leveldb_readoptions_destroy(readOptions)
    leveldb_close(database)
    leveldb_options_destroy(options)
  }

  private static func error(
    _ origin: Origin, _ what: String, _ message: UnsafeMutablePointer<CChar>?
  ) -> Diagnostic {
    guard let message else { return origin.error(what) }
    defer { leveldb_free(message) }
    let reason = String(cString: message).replacingOccurrences(of: "\n", with: " ")
    return origin.error("\(what): \(reason.prefix(200))")
  }

  private func check() throws(Diagnostic) {
    var message: UnsafeMutablePointer<CChar>?
    leveldb_iter_get_error(iterator, &message)
    if message != nil { throw Self.error(origin, "is a damaged LevelDB", message) }
  }

  func current() throws(Diagnostic) -> Record {
    // A damaged block leaves an iterator without a place.
    guard leveldb_iter_valid(iterator) != 0 else {
      try check()
      throw origin.error("is a damaged LevelDB")
    }
    var (keyCount, valueCount) = (0, 0)
    let key = leveldb_iter_key(iterator, &keyCount)
    let value = leveldb_iter_value(iterator, &valueCount)
    return Record(
      key: UnsafeRawBufferPointer(start: key, count: keyCount),
      value: UnsafeRawBufferPointer(start: value, count: valueCount))
  }

  @discardableResult func advance() throws(Diagnostic) -> Bool {
    guard leveldb_iter_valid(iterator) != 0 else {
      try check()
      throw origin.error("is a damaged LevelDB")
    }
    leveldb_iter_next(iterator)
    // Behind damage there is no next record either.
    try check()
    if leveldb_iter_valid(iterator) != 0 { return true }
    leveldb_iter_seek_to_first(iterator)
    try check()
    return false
  }

  func move(to wanted: [UInt8]) throws(Diagnostic) -> Bool {
    wanted.withUnsafeBytes { bytes in
      let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      leveldb_iter_seek(iterator, start, bytes.count)
    }
    try check()
    guard leveldb_iter_valid(iterator) != 0 else { return false }
    return try current().key.elementsEqual(wanted)
  }
}
