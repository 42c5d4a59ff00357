import Foundation
import Synchronization
import Training

/// Turns SIGINT into the wish for a snapshot and an end, SIGHUP into the wish for a snapshot, as Caffe does.
///
/// A second SIGINT ends the program at once.
final class TrainingSignals: Sendable {
  private struct State {
    var wish: TrainingRequest?
    var isStopping = false
  }

  private let state = Mutex(State())

  init() {
    Interruption.handOver { [self] number in
      state.withLock { state in
        switch number {
        case SIGINT where !state.isStopping:
          state.isStopping = true
          state.wish = .stop
        case SIGHUP:
          if state.wish == nil { state.wish = .snapshot }
        default: return false
        }
        return true
      }
    }
  }

  /// What was wished since the last time.
  func next() -> TrainingRequest? {
    state.withLock { state in
      defer { state.wish = nil }
      return state.wish
    }
  }
}
