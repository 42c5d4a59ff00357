import IR

/// The mean of all pictures of a database.
public enum DatabaseMean {
  /// Computes the mean as channels x height x width, as compute_image_mean does but with sums in double
  /// precision. Encoded pictures are decoded.
  ///
  /// - Throws: one line that names the database and the record, also if sizes differ.
  public static func compute(
    of path: String, progress: (Double) -> Void = { _ in }
  ) throws(Diagnostic) -> Tensor {
    let origin = Origin(path)
    let cursor = try (DataSource.Backend(ofFolder: path) ?? .lmdb).open(origin)
    var sums: [Double] = []
    var first: PictureSize?
    var count = 0
    repeat {
      let record = try cursor.current()
      do throws(DatumFlaw) {
        try add(DatumView(record.value), to: &sums, &first)
      } catch {
        throw origin.error(error.reason, record: record.key)
      }
      count += 1
      if count % 1000 == 0, let all = cursor.count { progress(Double(count) / Double(all)) }
    } while try cursor.advance()
    guard let first, let shape = try? Shape([first.channels, first.height, first.width]) else {
      throw origin.error("is empty")
    }
    return Tensor(shape: shape, values: sums.map { Float($0 / Double(count)) })
  }

  private static func add(
    _ datum: DatumView, to sums: inout [Double], _ first: inout PictureSize?
  ) throws(DatumFlaw) {
    let image = datum.isEncoded ? try DatabaseSource.image(datum) : nil
    let size =
      image?.size(as: nil)
      ?? PictureSize(channels: datum.channels, height: datum.height, width: datum.width)
    let count = size.channels * size.height * size.width
    if first == nil {
      first = size
      sums = [Double](repeating: 0, count: count)
    }
    guard size == first else {
      throw DatumFlaw("has a size of \(size), those before \(first.map { "\($0)" } ?? "none")")
    }
    sums.withUnsafeMutableBufferPointer { sums in
      if let image {
        image.planes(as: nil).withUnsafeBufferPointer { values in
          for index in 0..<count { sums[index] += Double(values[index]) }
        }
      } else if datum.data.isEmpty {
        for index in 0..<count { sums[index] += Double(datum.floats[index]) }
      } else {
        for index in 0..<count { sums[index] += Double(datum.data[index]) }
      }
    }
  }
}
