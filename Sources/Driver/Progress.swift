import Foundation

/// Shows how far a long task has come: a bar with the time left on a terminal, else plain lines.
///
/// Nothing is shown in the first moments, so that quick tasks stay silent.
public final class Progress {
  private let isTerminal: Bool
  private let write: (String) -> Void
  private let now: () -> Double
  private let start: Double
  private var lastShown: Double?
  private var isBarVisible = false

  /// Seconds before the first plain line, and between two of them.
  static let lineInterval = 10.0
  /// Seconds before the bar appears, and between two of its states.
  static let barDelay = 0.5
  static let barInterval = 0.1
  static let barWidth = 30

  /// - Parameters:
  ///   - isTerminal: whether a line can be written over.
  ///   - write: receives the text to show.
  ///   - now: a clock in seconds.
  public init(
    isTerminal: Bool, write: @escaping (String) -> Void,
    now: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime }
  ) {
    self.isTerminal = isTerminal
    self.write = write
    self.now = now
    start = now()
  }

  /// A progress on standard error.
  public static func onStandardError() -> Progress {
    Progress(isTerminal: isatty(STDERR_FILENO) == 1) { text in
      FileHandle.standardError.write(Data(text.utf8))
    }
  }

  /// Tells what is being done, and the share of everything that is done, 0 to 1.
  public func update(_ step: String, _ fraction: Double) {
    // The result itself tells that everything is done.
    guard fraction < 1 else { return }
    let time = now()
    let elapsed = time - start
    guard elapsed >= (isTerminal ? Self.barDelay : Self.lineInterval) else { return }
    let interval = isTerminal ? Self.barInterval : Self.lineInterval
    guard lastShown.map({ time - $0 >= interval }) ?? true else { return }
    lastShown = time
    let left = remaining(elapsed, fraction)
    let percent = Int(fraction * 100)
    if isTerminal {
      let filled = Int(fraction * Double(Self.barWidth))
      let bar =
        String(repeating: "#", count: filled)
        + String(repeating: ".", count: Self.barWidth - filled)
      write("\r\u{1b}[K[\(bar)] \(percent) % \(step.onOneLine)\(left)")
      isBarVisible = true
    } else {
      write("\(percent) % \(step.onOneLine)\(left)\n")
    }
  }

  /// Removes the bar, so that the next line starts on a clean one.
  public func clear() {
    if isBarVisible { write("\r\u{1b}[K") }
    isBarVisible = false
  }

  private func remaining(_ elapsed: Double, _ fraction: Double) -> String {
    guard fraction > 0.01, fraction < 1 else { return "" }
    let seconds = Int((elapsed / fraction * (1 - fraction)).rounded(.up))
    return seconds < 60
      ? ", \(seconds) s left" : ", \(seconds / 60) min \(seconds % 60) s left"
  }
}
