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
  /// Masks are applied (`effectiveBlobs()`), old shapes aligned (`Blob.matched(to:)`), and weights of the Winograd domain
  /// (`WinogradDomain`) put in order. Kernels become transforms where the net has those, and transforms the nearest
  /// kernels where it has kernels.
  ///
  /// - Parameters:
  ///   - slots: the arrays of the net's layer of this name, in order.
  ///   - file: what error messages call the file.
  /// - Returns: one tensor per expected shape, and what was done to get there.
  /// - Throws: one line that says which blob does not fit.
  public func matched(to slots: [ParameterSlot], file: String)
    throws(Diagnostic) -> (tensors: [Tensor], findings: [Diagnostic])
  {
    let expected = slots.map(\.shape)
    var (blobs, findings) = effectiveBlobs(file: file)
    guard blobs.count == expected.count else {
      let wanted = expected.map { "\($0)" }.joined(separator: ", ")
      throw .error(
        "layer \(Spelling.quoted(name)) has \(blobs.count) blobs where the net needs \(expected.count)"
          + (wanted.isEmpty ? "" : " (\(wanted))")
          + "; compare its definition with the one that was trained (bias_term?)", file: file)
    }
    if let blob = blobs.first, let transforms = transforms(of: blob, for: slots[0]) {
      blobs[0] = Blob(transforms)
    } else if let blob = blobs.first, blob.shape != expected[0],
      let spatial = WinogradDomain.spatial(blob.tensor, expected: expected[0])
    {
      blobs[0] = Blob(spatial)
      findings.append(
        Diagnostic(
          .note,
          "layer \(Spelling.quoted(name)): weights brought back from the Winograd domain, to the nearest "
            + "kernels; with type: \"Winograd\" it computes with them as they are",
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

  /// A blob as weights of the Winograd domain; nil if the slot wants others, or the blob cannot be such.
  private func transforms(of blob: Blob, for slot: ParameterSlot) -> Tensor? {
    guard case .winograd = slot.domain else { return nil }
    if WinogradDomain.isStored(blob.shape, of: slot.shape) {
      return WinogradDomain.turned(blob.tensor)
    }
    let transforms = WinogradDomain.transformed(blob.tensor)
    return transforms?.shape == slot.shape ? transforms : nil
  }

  /// `trainingMasks`, in the order of the net's arrays.
  ///
  /// - Throws: if weights are masked that must change their domain, since zeros do not come with them.
  func trainingMasks(for slots: [ParameterSlot], file: String) throws(Diagnostic) -> [Int: [Bool]] {
    var masks = trainingMasks
    guard let blob = blobs.first, let slot = slots.first, let mask = masks[0] else { return masks }
    if case .winograd = slot.domain, WinogradDomain.isStored(blob.shape, of: slot.shape) {
      masks[0] = WinogradDomain.turned(
        mask, rows: slot.shape[2] * slot.shape[3], columns: slot.shape[0] * slot.shape[1])
    } else if mask.count != slot.shape.count {
      throw .error(
        "layer \(Spelling.quoted(name)): zeros of kernels are no zeros of their Winograd transforms, nor the "
          + "other way round, so that its mask is lost; keep the type that it was pruned with",
        file: file)
    }
    return masks
  }
}
