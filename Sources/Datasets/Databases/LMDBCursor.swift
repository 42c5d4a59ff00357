import CLMDB
import IR

/// Reads an LMDB, in one read transaction for as long as it lives.
///
/// No lock is taken, so that several nets may read one database, and from media that cannot be
/// written to; a database must not be written to meanwhile.
final class LMDBCursor: RecordCursor {
  private(set) var count: Int?
  private let origin: Origin
  private let environment: OpaquePointer
  private var transaction: OpaquePointer?
  private var cursor: OpaquePointer?
  private var mapping = lmdb_mapping()
  private var key = MDB_val()
  private var value = MDB_val()

  init(_ origin: Origin) throws(Diagnostic) {
    self.origin = origin
    var made: OpaquePointer?
    guard mdb_env_create(&made) == 0, let made else { throw origin.error("out of memory") }
    environment = made
    guard_environment(environment)
    let flags = UInt32(MDB_RDONLY) | UInt32(MDB_NOTLS) | UInt32(MDB_NOLOCK)
    try check(mdb_env_open(environment, origin.path, flags, 0))
    try checkSize()
    try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
    var database = MDB_dbi()
    try check(mdb_dbi_open(transaction, nil, 0, &database))
    var statistics = MDB_stat()
    try check(mdb_stat(transaction, database, &statistics))
    count = statistics.ms_entries
    guard statistics.ms_entries > 0 else { throw origin.error("is empty") }
    try check(mdb_cursor_open(transaction, database, &cursor))
    try check(guarded_cursor_get(cursor, &key, &value, MDB_FIRST))
    guard find_mapping(environment, &key, &mapping), mapping_contains(&mapping, &value) else {
      throw origin.error(Self.damage)
    }
  }

  deinit {
    if let cursor { mdb_cursor_close(cursor) }
    if let transaction { mdb_txn_abort(transaction) }
    mdb_env_close(environment)
  }

  /// LMDB maps the file and would end the process when it reads behind its end.
  private func checkSize() throws(Diagnostic) {
    var information = MDB_envinfo()
    var statistics = MDB_stat()
    try check(mdb_env_info(environment, &information))
    try check(mdb_env_stat(environment, &statistics))
    let size = environment_file_size(environment)
    let pages = UInt64(information.me_last_pgno) + 1
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: UInt64(statistics.ms_psize))
    guard !overflow, bytes <= UInt64(max(0, size)) else {
      throw origin.error(
        "is cut off: \(pages) pages are announced, data.mdb has \(size) bytes")
    }
  }

  private func check(_ code: Int32) throws(Diagnostic) {
    switch code {
    case 0: return
    case GUARDED_LMDB_DAMAGED: throw origin.error(Self.damage)
    case MDB_INVALID: throw origin.error("holds a data.mdb that is no LMDB")
    default: throw origin.error("cannot be read: \(String(cString: mdb_strerror(code)))")
    }
  }

  /// Moves the cursor and takes the record there; false if there is none.
  ///
  /// - Parameter wanted: the key to look for, for operations that do.
  @discardableResult private func get(
    _ operation: MDB_cursor_op, _ wanted: MDB_val = MDB_val()
  ) throws(Diagnostic) -> Bool {
    guard cursor != nil else { throw origin.error(Self.damage) }
    var (found, content) = (wanted, MDB_val())
    let code = guarded_cursor_get(cursor, &found, &content, operation)
    if code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE { return false }
    // Its state is unknown then.
    if code == GUARDED_LMDB_DAMAGED { cursor = nil }
    try check(code)
    guard mapping_contains(&mapping, &found), mapping_contains(&mapping, &content) else {
      throw origin.error("\(Self.damage); a record lies outside of it")
    }
    (key, value) = (found, content)
    return true
  }

  private static let damage = "is a damaged LMDB; make it anew"

  func current() throws(Diagnostic) -> Record {
    Record(
      key: UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
      value: UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
  }

  @discardableResult func advance() throws(Diagnostic) -> Bool {
    let before = try current().key
    guard try get(MDB_NEXT) else {
      try get(MDB_FIRST)
      return false
    }
    // Damaged pages may lead in circles.
    guard before.lexicographicallyPrecedes(try current().key) else {
      throw origin.error("\(Self.damage); keys are in disorder behind \(Origin.quoted(before))")
    }
    return true
  }

  func move(to wanted: [UInt8]) throws(Diagnostic) -> Bool {
    var wanted = wanted
    var failure: Diagnostic?
    let isFound = wanted.withUnsafeMutableBytes { bytes in
      let target = MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
      do throws(Diagnostic) { return try get(MDB_SET_KEY, target) } catch { failure = error }
      return false
    }
    if let failure { throw failure }
    return isFound
  }
}
