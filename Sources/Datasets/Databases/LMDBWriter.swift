import CLMDB
import Glibc
import IR

/// Writes an LMDB as Caffe's converters do: one unnamed database, records committed by the thousand.
///
/// The folder must exist and be empty. Records that were not finished are lost.
public final class LMDBWriter {
  private let origin: Origin
  private let environment: OpaquePointer
  private var capacity: Int
  private var pending: [(key: [UInt8], value: [UInt8])] = []
  private var pendingBytes = 0

  private static let recordsPerCommit = 1000
  private static let bytesPerCommit = 1 << 26

  /// - Parameter name: what messages call the database.
  public convenience init(folder: String, name: String) throws(Diagnostic) {
    try self.init(folder: folder, name: name, capacity: 1 << 30)
  }

  /// - Parameter capacity: bytes that are mapped at first; more are when they are needed.
  init(folder: String, name: String, capacity: Int) throws(Diagnostic) {
    origin = Origin(name)
    self.capacity = capacity
    var made: OpaquePointer?
    guard mdb_env_create(&made) == 0, let made else { throw origin.error("out of memory") }
    environment = made
    try check(mdb_env_set_mapsize(environment, capacity))
    // Nobody else knows the folder yet; the end is synchronised.
    try check(mdb_env_open(environment, folder, UInt32(MDB_NOSYNC), 0o664))
  }

  deinit { mdb_env_close(environment) }

  /// Adds a record, or replaces the one of the same key.
  public func put(key: String, value: [UInt8]) throws(Diagnostic) {
    let key = Array(key.utf8)
    guard (1...Int(mdb_env_get_maxkeysize(environment))).contains(key.count) else {
      throw origin.error("a key of \(key.count) bytes is too long; shorten the images' paths")
    }
    pending.append((key, value))
    pendingBytes += value.count
    if pending.count >= Self.recordsPerCommit || pendingBytes >= Self.bytesPerCommit {
      try commit()
    }
  }

  /// Writes what is pending and waits until all is on disk.
  public func finish() throws(Diagnostic) {
    try commit()
    try check(mdb_env_sync(environment, 1))
  }

  private func commit() throws(Diagnostic) {
    while true {
      let code = write()
      guard code == MDB_MAP_FULL else {
        try check(code)
        break
      }
      capacity *= 2
      try check(mdb_env_set_mapsize(environment, capacity))
    }
    pending = []
    pendingBytes = 0
  }

  /// Writes the pending records in one transaction, all or none.
  private func write() -> Int32 {
    var transaction: OpaquePointer?
    var code = mdb_txn_begin(environment, nil, 0, &transaction)
    guard code == 0 else { return code }
    var database = MDB_dbi()
    code = mdb_dbi_open(transaction, nil, 0, &database)
    for record in pending where code == 0 {
      var (keyBytes, valueBytes) = (record.key, record.value)
      code = keyBytes.withUnsafeMutableBytes { key in
        valueBytes.withUnsafeMutableBytes { value in
          var (key, value) = (
            MDB_val(mv_size: key.count, mv_data: key.baseAddress),
            MDB_val(mv_size: value.count, mv_data: value.baseAddress)
          )
          return mdb_put(transaction, database, &key, &value, 0)
        }
      }
    }
    guard code == 0 else {
      mdb_txn_abort(transaction)
      return code
    }
    return mdb_txn_commit(transaction)
  }

  private func check(_ code: Int32) throws(Diagnostic) {
    guard code != 0 else { return }
    // LMDB calls it EIO when less was written than it had.
    let advice = code == EIO || code == ENOSPC ? "; is the disk full?" : ""
    throw origin.error("cannot be written: \(String(cString: mdb_strerror(code)))\(advice)")
  }
}
