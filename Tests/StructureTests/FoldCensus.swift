import IR
import Passes

/// What structure passes can do to a network, for counting.
enum Fold: String, CaseIterable {
  case constantsIntoBias, borderCorrections, constantLayers, repeatedActivations
  case filters, channels, columns, layers
  case skippedBranches, biasOfBranch, scaleOfBranch, shortenedSums
  case concat, slice, eltwise, pooling, deconvolution, innerProduct, flatten, normalization
  case responseNormalization, neighboursGone, groups, itemsMixed
  case refusedForCaffe, refusedWithReason

  /// In how many networks of a thousand it happens at least: about half of what was counted.
  var floor: Int {
    switch self {
    case .channels, .filters, .layers, .columns: 300
    case .constantLayers, .constantsIntoBias, .refusedWithReason: 180
    case .concat, .normalization, .innerProduct: 75
    case .borderCorrections, .biasOfBranch, .refusedForCaffe: 50
    case .eltwise, .pooling, .repeatedActivations, .scaleOfBranch: 25
    case .deconvolution, .flatten, .groups, .itemsMixed, .skippedBranches, .slice: 12
    case .shortenedSums, .responseNormalization: 6
    case .neighboursGone: 3
    }
  }
}

/// What passes did to one network.
struct FoldCensus {
  private(set) var folds: Set<Fold> = []

  init(_ before: Graph, _ after: Graph, _ reports: [PassReport]) {
    for report in reports { count(report) }
    let old = Dictionary(before.order.map { (before[$0].name, $0) }) { first, _ in first }
    for id in after.order {
      let node = after[id]
      if case .borderBias = node.operation { folds.insert(.borderCorrections) }
      if case .constant = node.operation { folds.insert(.constantLayers) }
      guard let original = old[node.name] else { continue }
      let isSmaller =
        before.inputShapes(of: original) != after.inputShapes(of: id)
        || before.outputShapes(of: original) != after.outputShapes(of: id)
      if isSmaller { count(node.operation, was: before[original].operation) }
    }
    if before.batch != .perItem, folds.contains(.channels) { folds.insert(.itemsMixed) }
  }

  private mutating func count(_ report: PassReport) {
    if report.filters > 0 { folds.insert(.filters) }
    if report.channels > 0 { folds.insert(.channels) }
    if report.columns > 0 { folds.insert(.columns) }
    if report.layers > 0 { folds.insert(.layers) }
    for finding in report.findings {
      switch (report.name, finding.kind) {
      case ("fold-constant-channels", .changed): folds.insert(.constantsIntoBias)
      case ("fold-constant-channels", .kept): folds.insert(.refusedForCaffe)
      case ("drop-unread-channels", .kept): folds.insert(.refusedWithReason)
      case ("remove-repeated-activations", .removed): folds.insert(.repeatedActivations)
      case ("skip-constant-branches", .removed): folds.insert(.skippedBranches)
      case ("skip-constant-branches", .changed):
        if finding.reason.contains("of the others") { folds.insert(.shortenedSums) }
        if finding.reason.contains("a bias") { folds.insert(.biasOfBranch) }
        if finding.reason.contains("a scale") { folds.insert(.scaleOfBranch) }
      default: break
      }
    }
  }

  private mutating func count(_ operation: Operation, was original: Operation) {
    switch operation {
    case .concat: folds.insert(.concat)
    case .slice: folds.insert(.slice)
    case .eltwise: folds.insert(.eltwise)
    case .pooling: folds.insert(.pooling)
    case .deconvolution: folds.insert(.deconvolution)
    case .innerProduct: folds.insert(.innerProduct)
    case .flatten, .reshape: folds.insert(.flatten)
    case .batchNorm, .scale: folds.insert(.normalization)
    case .lrn(let layer):
      folds.insert(.responseNormalization)
      if layer.positions != nil { folds.insert(.neighboursGone) }
    case .convolution(let layer):
      if case .convolution(let before) = original, before.groups != layer.groups {
        folds.insert(.groups)
      }
    case .argMax, .batchReindex, .bias, .borderBias, .constant, .crop, .elementwise, .embed,
      .identity, .im2col, .mvn, .parameter, .preLU, .reduction, .repack, .silence, .softmax,
      .spatialPyramidPooling, .split, .tile:
      break
    }
  }
}
