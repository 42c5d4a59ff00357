import Dispatch
import Driver
import Foundation

/// Lets the program die of an interrupt as others do, but not before unfinished files are gone.
enum Interruption {
  // Made once, by `watch`, and only kept alive from then on.
  nonisolated(unsafe) private static let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      UnfinishedFiles.deleteAll()
      signal(number, SIG_DFL)
      kill(getpid(), number)
    }
    return source
  }

  /// Watches for signals from now on.
  static func watch() {
    for source in sources { source.activate() }
  }
}
