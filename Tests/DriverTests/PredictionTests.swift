import Testing

@testable import Driver

struct PredictionTests {
  @Test func `ranks from the highest score down, equal scores by index`() {
    let prediction = Prediction(
      image: "cat.jpg", scores: [0.25, 0.5, 0.25, -1, 0.5], count: 4, labels: nil)
    #expect(prediction.top.map(\.index) == [1, 4, 0, 2])
    #expect(prediction.top.map(\.score) == [0.5, 0.5, 0.25, 0.25])
  }

  @Test func `a score that is no number comes last`() {
    let prediction = Prediction(
      image: "", scores: [.nan, -.infinity, 1, .nan], count: 9, labels: nil)
    #expect(prediction.top.map(\.index) == [2, 1, 0, 3])
  }

  @Test(arguments: 1...20)
  func `finds what sorting finds`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    // Few different scores, so that many are equal.
    let scores = (0..<200).map { _ in Float(Int.random(in: 0..<30, using: &generator)) }
    let count = Int.random(in: 1...250, using: &generator)
    let sorted = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    let prediction = Prediction(image: "", scores: scores, count: count, labels: nil)
    #expect(prediction.top.map(\.index) == Array(sorted.prefix(count)))
  }

  @Test func `prints a line of JSON, with labels as far as there are any`() throws {
    let prediction = Prediction(
      image: "a/cat.jpg", scores: [0.25, 0.75], count: 5, labels: ["dog \"rex\""])
    #expect(
      try prediction.jsonLine()
        == #"{"image":"a/cat.jpg","top":[{"index":1,"score":0.75},"#
        + #"{"index":0,"label":"dog \"rex\"","score":0.25}]}"# + "\n")
  }

  @Test func `prints a block of text`() {
    let prediction = Prediction(
      image: "cat.jpg", scores: [0.25, 0.75], count: 2, labels: ["dog", "cat"])
    #expect(
      prediction.text == """
        cat.jpg
          0.7500      1  cat
          0.2500      0  dog

        """)
  }
}
