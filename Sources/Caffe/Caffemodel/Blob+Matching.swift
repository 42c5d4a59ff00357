import IR

extension Blob {
  /// The values in the shape that a layer expects.
  ///
  /// The shapes must be equal, except that an old four-axis shape matches one of up to four axes
  /// that has the same extents at its end and ones before: an inner product's weights of [M,N]
  /// are stored as (1,1,M,N), a bias of [N] as (1,1,1,N).
  ///
  /// - Throws: which shape the file has, and which one is expected.
  public func matched(to expected: Shape) throws(ShapeError) -> Tensor {
    if shape == expected { return tensor }
    if isLegacy, expected.axes <= 4 {
      let padded = [Int](repeating: 1, count: 4 - expected.axes) + expected.extents
      if padded == shape.extents { return tensor.reshaped(to: expected) }
    }
    throw ShapeError("has shape \(shape) where the net needs \(expected)")
  }
}

extension LayerBlobs {
  /// The parameters that the layer computes with, in the shapes that the net expects.
  ///
  /// Masks are applied (`effectiveBlobs()`), old shapes aligned (`Blob.matched(to:)`), and
  /// weights trained in the Winograd domain brought back (`WinogradDomain`).
  ///
  /// - Parameters:
  ///   - expected: the shapes of the net's layer of this name, in order.
  ///   - file: what error messages call the file.
  /// - Returns: one tensor per expected shape, and what was done to get there.
  /// - Throws: one line that says which blob does not fit.
  public func matched(to expected: [Shape], file: String)
    throws(Diagnostic) -> (tensors: [Tensor], findings: [Diagnostic])
  {
    var (blobs, findings) = effectiveBlobs(file: file)
    guard blobs.count == expected.count else {
      let wanted = expected.map { "\($0)" }.joined(separator: ", ")
      throw .error(
        "layer \(Spelling.quoted(name)) has \(blobs.count) blobs where the net needs \(expected.count)"
          + (wanted.isEmpty ? "" : " (\(wanted))")
          + "; compare its definition with the one that was trained (bias_term?)", file: file)
    }
    if let blob = blobs.first, blob.shape != expected[0],
      let spatial = WinogradDomain.spatial(blob.tensor, expected: expected[0])
    {
      blobs[0] = Blob(spatial)
      findings.append(
        Diagnostic(
          .note, "layer \(Spelling.quoted(name)): weights brought back from the Winograd domain",
          file: file))
    }
    var tensors: [Tensor] = []
    for (index, blob) in blobs.enumerated() {
      do {
        tensors.append(try blob.matched(to: expected[index]))
      } catch {
        throw .error("layer \(Spelling.quoted(name)): blob \(index) \(error)", file: file)
      }
    }
    return (tensors, findings)
  }
}
