import CSparsec
import Glibc

/// A compiled network's shared object, open until this value goes away.
///
/// A file is examined before the dynamic linker sees it, since that trusts what it opens: a file that
/// was cut short, or whose headers were changed, is refused here. Damage behind the headers (code,
/// weights, symbol tables) is not looked for, so open only networks from sources you trust: a
/// network is a program.
struct Library: ~Copyable, @unchecked Sendable {
  // Only ever read after init, and dlopen, dlsym and dlclose are thread-safe.
  private let handle: UnsafeMutableRawPointer
  let entryPoints: EntryPoints

  init(path: String) throws(LoadError) {
    let headers = try SharedObjectHeaders(of: FileBytes(path: path))
    if let reason = headers.contradiction() { throw .damaged(path: path, reason: reason) }
    // Without a slash the dynamic linker would look in the system's folders.
    let place = path.contains("/") ? path : "./" + path
    guard let handle = dlopen(place, RTLD_NOW | RTLD_LOCAL) else {
      throw .refused(path: path, reason: dlerror().map { String(cString: $0) } ?? "no reason given")
    }
    do throws(LoadError) {
      entryPoints = try EntryPoints(of: handle, path: path)
    } catch {
      dlclose(handle)
      throw error
    }
    self.handle = handle
  }

  deinit { dlclose(handle) }
}

/// The functions of sparsec.h in one shared object; valid while it is open.
struct EntryPoints: @unchecked Sendable {
  typealias Number = @convention(c) () -> CInt
  typealias Text = @convention(c) () -> UnsafePointer<CChar>?
  typealias BlobAt = @convention(c) (CInt) -> UnsafePointer<sparsec_blob>?
  typealias NameAt = @convention(c) (CInt) -> UnsafePointer<CChar>?
  typealias Create =
    @convention(c) (CInt, CInt, UnsafeMutablePointer<OpaquePointer?>) -> CInt
  typealias Run =
    @convention(c) (
      OpaquePointer, CInt, UnsafePointer<UnsafePointer<Float>?>,
      UnsafePointer<UnsafeMutablePointer<Float>?>
    ) -> CInt
  typealias Observer =
    @convention(c) (UnsafeMutableRawPointer?, CInt, CInt, UnsafePointer<Float>?) -> Void
  typealias Observe =
    @convention(c) (OpaquePointer, Observer?, UnsafeMutableRawPointer?) -> CInt
  typealias Profile = @convention(c) (OpaquePointer, CInt) -> CInt
  typealias LayerTimes = @convention(c) (OpaquePointer, UnsafeMutablePointer<Double>) -> CInt
  typealias Destroy = @convention(c) (OpaquePointer) -> Void

  let describe: Text
  let lastError: Text
  let cpuSupported: Number
  let maxBatch: Number
  let inputCount: Number
  let input: BlobAt
  let outputCount: Number
  let output: BlobAt
  let blobCount: Number
  let blobAt: BlobAt
  let layerCount: Number
  let layerName: NameAt
  let create: Create
  let run: Run
  let observe: Observe
  let profile: Profile
  let layerTimes: LayerTimes
  let destroy: Destroy

  /// Looks the functions up; the version comes first, since it says which others there are.
  fileprivate init(of handle: UnsafeMutableRawPointer, path: String) throws(LoadError) {
    func symbol<Function>(_ name: String, _ type: Function.Type) throws(LoadError) -> Function {
      guard let address = dlsym(handle, name) else {
        throw .notANetwork(path: path, reason: "it has no function \(name)")
      }
      return unsafeBitCast(address, to: type)
    }
    let version = try symbol("sparsec_abi_version", Number.self)()
    guard version == SPARSEC_ABI_VERSION else {
      throw .otherVersion(path: path, found: Int(version), expected: Int(SPARSEC_ABI_VERSION))
    }
    describe = try symbol("sparsec_describe", Text.self)
    lastError = try symbol("sparsec_last_error", Text.self)
    cpuSupported = try symbol("sparsec_cpu_supported", Number.self)
    maxBatch = try symbol("sparsec_max_batch", Number.self)
    inputCount = try symbol("sparsec_input_count", Number.self)
    input = try symbol("sparsec_input", BlobAt.self)
    outputCount = try symbol("sparsec_output_count", Number.self)
    output = try symbol("sparsec_output", BlobAt.self)
    blobCount = try symbol("sparsec_blob_count", Number.self)
    blobAt = try symbol("sparsec_blob_at", BlobAt.self)
    layerCount = try symbol("sparsec_layer_count", Number.self)
    layerName = try symbol("sparsec_layer_name", NameAt.self)
    create = try symbol("sparsec_create", Create.self)
    run = try symbol("sparsec_run", Run.self)
    observe = try symbol("sparsec_observe", Observe.self)
    profile = try symbol("sparsec_profile", Profile.self)
    layerTimes = try symbol("sparsec_layer_times", LayerTimes.self)
    destroy = try symbol("sparsec_destroy", Destroy.self)
  }

  /// The calling thread's last message.
  var message: String { lastError().map { String(cString: $0) } ?? "" }
}
