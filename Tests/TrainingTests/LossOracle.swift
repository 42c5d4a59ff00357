import Foundation
import IR

extension Loss {
  /// The loss in double, from its definition.
  func value(_ bottoms: [Tensor]) -> Double {
    switch self {
    case .softmax(let axis, let normalization, let ignored):
      classifiedLoss(bottoms, axis, normalization, ignored, matrix: nil)
    case .infogain(let matrix, let axis, let normalization, let ignored):
      classifiedLoss(bottoms, axis, normalization, ignored, matrix: matrix ?? bottoms[2].values)
    case .euclidean: euclideanLoss(bottoms)
    case .hinge(let squared): hingeLoss(bottoms, squared)
    case .sigmoidCrossEntropy(let normalization, let ignored):
      crossEntropy(bottoms, normalization, ignored)
    case .multinomialLogistic: multinomialLoss(bottoms)
    case .contrastive(let margin, let legacy): contrastiveLoss(bottoms, Double(margin), legacy)
    }
  }
}

private func euclideanLoss(_ bottoms: [Tensor]) -> Double {
  var sum = 0.0
  for (a, b) in zip(bottoms[0].values, bottoms[1].values) {
    let difference = Double(a) - Double(b)
    sum += difference * difference
  }
  return sum / Double(2 * bottoms[0].shape[0])
}

private func multinomialLoss(_ bottoms: [Tensor]) -> Double {
  let items = bottoms[0].shape[0]
  let classes = bottoms[0].count / items
  var sum = 0.0
  for item in 0..<items {
    let label = Int(bottoms[1].values[item])
    sum -= log(Double(bottoms[0].values[item * classes + label]))
  }
  return sum / Double(items)
}

private func classifiedLoss(
  _ bottoms: [Tensor], _ axis: Int, _ normalization: IR.Loss.Normalization, _ ignored: Int?,
  matrix: [Float]?
) -> Double {
  let shape = bottoms[0].shape
  let (outer, classes, inner) = (
    shape.count(upTo: axis), shape[axis], shape.count(from: axis + 1)
  )
  var (sum, valid) = (0.0, 0)
  for o in 0..<outer {
    for i in 0..<inner {
      let label = Int(bottoms[1].values[o * inner + i])
      if label == ignored { continue }
      valid += 1
      let scores = (0..<classes).map { Double(bottoms[0].values[(o * classes + $0) * inner + i]) }
      let total = log(scores.reduce(0) { $0 + exp($1) })
      for k in 0..<classes {
        let weight = matrix.map { Double($0[label * classes + k]) } ?? (k == label ? 1 : 0)
        sum -= weight * (scores[k] - total)
      }
    }
  }
  return sum / divisor(normalization, outer, inner, valid)
}

private func divisor(
  _ normalization: IR.Loss.Normalization, _ outer: Int, _ inner: Int, _ valid: Int
)
  -> Double
{
  switch normalization {
  case .full: Double(outer * inner)
  case .valid: Double(max(valid, 1))
  case .batchSize: Double(outer)
  case .none: 1
  }
}

private func hingeLoss(_ bottoms: [Tensor], _ squared: Bool) -> Double {
  let items = bottoms[0].shape[0]
  let classes = bottoms[0].count / items
  var sum = 0.0
  for item in 0..<items {
    for k in 0..<classes {
      let score = Double(bottoms[0].values[item * classes + k])
      let margin = max(0, 1 + (k == Int(bottoms[1].values[item]) ? -score : score))
      sum += squared ? margin * margin : margin
    }
  }
  return sum / Double(items)
}

private func crossEntropy(
  _ bottoms: [Tensor], _ normalization: IR.Loss.Normalization, _ ignored: Int?
) -> Double {
  var (sum, valid) = (0.0, 0)
  for (score, target) in zip(bottoms[0].values, bottoms[1].values)
  where target != ignored.map({ Float($0) }) {
    let p = 1 / (1 + exp(-Double(score)))
    sum -= Double(target) * log(p) + (1 - Double(target)) * log(1 - p)
    valid += 1
  }
  let outer = bottoms[0].shape[0]
  return sum / divisor(normalization, outer, bottoms[0].count / outer, valid)
}

private func contrastiveLoss(_ bottoms: [Tensor], _ margin: Double, _ legacy: Bool) -> Double {
  let items = bottoms[0].shape[0]
  let size = bottoms[0].count / items
  var sum = 0.0
  for item in 0..<items {
    let squares = (item * size..<(item + 1) * size).reduce(0.0) {
      let difference = Double(bottoms[0].values[$1]) - Double(bottoms[1].values[$1])
      return $0 + difference * difference
    }
    if bottoms[2].values[item] == 1 {
      sum += squares
    } else if legacy {
      sum += max(margin - squares, 0)
    } else {
      sum += pow(max(margin - squares.squareRoot(), 0), 2)
    }
  }
  return sum / Double(items) / 2
}
