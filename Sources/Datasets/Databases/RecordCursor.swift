import Foundation
import IR

/// A key and its value, where the database has them; valid until the cursor moves.
struct Record {
  var key: UnsafeRawBufferPointer
  var value: UnsafeRawBufferPointer
}

/// Walks over the records of a database in the order of their keys, round and round.
protocol RecordCursor: AnyObject {
  /// The number of records; nil if the database does not know without counting.
  var count: Int? { get }

  /// The record to read next.
  ///
  /// - Throws: if the database is damaged there.
  func current() throws(Diagnostic) -> Record

  /// Goes to the next record; false if that is the first one again.
  @discardableResult func advance() throws(Diagnostic) -> Bool

  /// Goes to the record of a key; false if there is none.
  func move(to key: [UInt8]) throws(Diagnostic) -> Bool
}

extension DataSource.Backend {
  /// What the files in a folder say; nil if they are no database.
  public init?(ofFolder path: String) {
    let manager = FileManager.default
    if manager.fileExists(atPath: path + "/data.mdb") {
      self = .lmdb
    } else if manager.fileExists(atPath: path + "/CURRENT") {
      self = .levelDB
    } else {
      return nil
    }
  }

  /// Opens a database to read, at its first record; there is at least one.
  func open(_ origin: Origin) throws(Diagnostic) -> any RecordCursor {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: origin.path, isDirectory: &isFolder) else {
      throw origin.error("there is no such \(rawValue)")
    }
    guard isFolder.boolValue else {
      throw origin.error("is a file where the folder of \(title) is expected")
    }
    // LevelDB would leave files in folders that are none of its own.
    guard let found = DataSource.Backend(ofFolder: origin.path) else {
      throw origin.error("holds no \(title): \(self == .lmdb ? "data.mdb" : "CURRENT") is missing")
    }
    guard found == self else {
      throw origin.error("is an \(found.title), not an \(title); write backend: \(found.rawValue)")
    }
    switch self {
    case .lmdb: return try LMDBCursor(origin)
    case .levelDB: return try LevelDBCursor(origin)
    }
  }

  private var title: String { self == .lmdb ? "LMDB" : "LevelDB" }
}
