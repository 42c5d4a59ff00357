import IR

/// Which blobs of a layer are masks of dynamic network surgery.
public enum MaskLayout: Hashable, Sendable {
  /// Weights, bias, mask of the weights, mask of the bias: the original fork (dns-y).
  case weightsAndBias
  /// Weights, bias, mask of the weights: the re-implementation (dns-h).
  case weightsBesideBias
  /// Weights, mask of the weights: either fork without a bias.
  case weightsOnly

  /// Pairs of blob and mask, by index.
  var pairs: [(blob: Int, mask: Int)] {
    switch self {
    case .weightsAndBias: [(0, 2), (1, 3)]
    case .weightsBesideBias: [(0, 2)]
    case .weightsOnly: [(0, 1)]
    }
  }

  /// How many blobs are left when the masks are gone.
  var blobCount: Int {
    switch self {
    case .weightsAndBias, .weightsBesideBias: 2
    case .weightsOnly: 1
    }
  }
}

extension LayerBlobs {
  /// The masks among the blobs; nil if there are none.
  ///
  /// A mask has the shape of what it masks, which no other blob in its place has: a bias has fewer
  /// axes than weights. Old four-axis shapes are never taken for masks, as the forks are younger. A
  /// layer without a type, as HDF5 has them, may be any: its masks must be of zeros and ones.
  public var maskLayout: MaskLayout? {
    guard !blobs.contains(where: \.isLegacy) else { return nil }
    let shapes = blobs.map(\.shape)
    if type.isEmpty {
      guard let layout = Self.maskLayout(of: shapes, isZeroOne: { isZeroOne(blobs[$0]) }),
        shapes[0].axes > 1, layout.pairs.allSatisfy({ isZeroOne(blobs[$0.mask]) })
      else { return nil }
      return layout
    }
    guard isOriginalFork || type == "Convolution" || type == "InnerProduct" else { return nil }
    return Self.maskLayout(of: shapes) { isZeroOne(blobs[$0]) }
  }

  private static func maskLayout(of shapes: [Shape], isZeroOne: (Int) -> Bool) -> MaskLayout? {
    switch shapes.count {
    case 4 where shapes[2] == shapes[0] && shapes[3] == shapes[1]: return .weightsAndBias
    case 3 where shapes[2] == shapes[0]: return .weightsBesideBias
    case 2 where shapes[1] == shapes[0] && isZeroOne(1): return .weightsOnly
    default: return nil
    }
  }

  /// The blobs that the layer computes with: masks multiplied in and dropped.
  ///
  /// - Returns: the blobs, and findings that count what the masks set to zero, or warn
  ///   of a mask that holds other values than 0 and 1.
  public func effectiveBlobs(file: String) -> (blobs: [Blob], findings: [Diagnostic]) {
    guard let layout = maskLayout else { return (blobs, []) }
    var effective = Array(blobs.prefix(layout.blobCount))
    var findings: [Diagnostic] = []
    var counts: [String] = []
    for (blob, mask) in layout.pairs {
      let masked = zip(blobs[blob].values, blobs[mask].values).map { $0 * $1 }
      let zeros = blobs[mask].values.count { $0 == 0 }
      counts.append("\(zeros) of \(masked.count) \(blob == 0 ? "weights" : "biases")")
      effective[blob] = Blob(Tensor(shape: blobs[blob].shape, values: masked))
      if !isZeroOne(blobs[mask]) {
        findings.append(
          Diagnostic(
            .warning,
            "layer \(Spelling.quoted(name)): the mask in blob \(mask) has values other than 0 and 1; it was "
              + "trained by mistake (its param needs lr_mult: 0 and decay_mult: 0)", file: file))
      }
    }
    if layout == .weightsOnly, isOriginalFork {
      findings.append(
        Diagnostic(
          .warning,
          "layer \(Spelling.quoted(name)): taken as weights and their mask, without a bias",
          file: file))
    }
    findings.append(
      Diagnostic(
        .note,
        "layer \(Spelling.quoted(name)): its masks set \(counts.joined(separator: " and ")) to zero",
        file: file))
    return (effective, findings)
  }

  /// The masks of the blobs that the layer computes with, by blob: sparsec's own, and those of the forks.
  public var trainingMasks: [Int: [Bool]] {
    guard let layout = maskLayout else { return masks }
    var result = masks
    for (blob, mask) in layout.pairs where result[blob] == nil {
      result[blob] = blobs[mask].values.map { $0 != 0 }
    }
    return result
  }

  /// Whether the layer is one of dns-y's own types.
  private var isOriginalFork: Bool { type == "CConvolution" || type == "CInnerProduct" }

  private func isZeroOne(_ blob: Blob) -> Bool {
    blob.values.allSatisfy { $0 == 0 || $0 == 1 }
  }
}
