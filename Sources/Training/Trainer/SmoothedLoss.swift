/// The mean of the last losses, kept up to date as Caffe does.
struct SmoothedLoss {
  private var losses: [Float] = []
  private var next = 0
  private let window: Int
  private(set) var value: Float = 0

  init(window: Int) { self.window = window }

  mutating func add(_ loss: Float) {
    if losses.count < window {
      losses.append(loss)
      let count = Float(losses.count)
      value = (value * (count - 1) + loss) / count
    } else {
      value += (loss - losses[next]) / Float(window)
      losses[next] = loss
      next = (next + 1) % window
    }
  }
}
