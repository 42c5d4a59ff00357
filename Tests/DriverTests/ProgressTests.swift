import Testing

@testable import Driver

struct ProgressTests {
  /// A clock that only the test moves, and what was shown.
  private final class Scene {
    var time = 0.0
    var shown: [String] = []

    func progress(isTerminal: Bool) -> Progress {
      Progress(isTerminal: isTerminal, write: { self.shown.append($0) }, now: { self.time })
    }
  }

  @Test func `quick tasks stay silent`() {
    for isTerminal in [false, true] {
      let scene = Scene()
      let progress = scene.progress(isTerminal: isTerminal)
      for step in 0...100 {
        scene.time = Double(step) * 0.004
        progress.update("work", Double(step) / 100)
      }
      progress.clear()
      #expect(scene.shown.isEmpty)
    }
  }

  @Test func `long tasks get plain lines now and then`() {
    let scene = Scene()
    let progress = scene.progress(isTerminal: false)
    for step in 0...400 {
      scene.time = Double(step) / 10
      progress.update("step \(step)", Double(step) / 400)
    }
    progress.clear()
    #expect(
      scene.shown == [
        "25 % step 100, 30 s left\n", "50 % step 200, 20 s left\n", "75 % step 300, 10 s left\n",
      ])
  }

  @Test func `a terminal gets a bar, which is removed at the end`() {
    let scene = Scene()
    let progress = scene.progress(isTerminal: true)
    scene.time = 60
    progress.update("halfway", 0.5)
    progress.clear()
    progress.clear()
    let bar = String(repeating: "#", count: 15) + String(repeating: ".", count: 15)
    #expect(
      scene.shown == ["\r\u{1b}[K[\(bar)] 50 % halfway, 1 min 0 s left", "\r\u{1b}[K"])
  }
}
