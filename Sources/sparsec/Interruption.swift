import Dispatch
import Driver
import Foundation
import Synchronization

/// Lets the program die of an interrupt as others do, but not before unfinished files are gone.
enum Interruption {
  // Made once, by `watch`, and only kept alive from then on.
  nonisolated(unsafe) private static let sources = [SIGINT, SIGTERM, SIGHUP].filter(isNoticed)
    .map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if taker.withLock({ $0?(number) }) == true { return }
        UnfinishedFiles.deleteAll {
          signal(number, SIG_DFL)
          kill(getpid(), number)
        }
      }
      return source
    }

  /// Who takes signals before they end the program; it answers whether it took one.
  private static let taker = Mutex<(@Sendable (Int32) -> Bool)?>(nil)

  /// Lets somebody take signals from now on.
  static func handOver(to newTaker: @escaping @Sendable (Int32) -> Bool) {
    taker.withLock { $0 = newTaker }
  }

  /// Whether a signal is not ignored, as `nohup` and background jobs of a shell have it.
  private static func isNoticed(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    let ignored = unsafeBitCast(SIG_IGN, to: Int.self)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != ignored
  }

  /// Watches for signals from now on.
  static func watch() {
    for source in sources { source.activate() }
  }
}
