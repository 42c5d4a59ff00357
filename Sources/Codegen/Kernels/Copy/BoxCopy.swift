import IR

/// Copies between places with any strides: box_copy of copy.h.
struct BoxCopy {
  /// One entry per axis; strides in floats.
  var extents: [Int]
  var sourceStrides: [Int]
  var targetStrides: [Int]

  /// Writes the copy from `source` to `target`, C expressions for the addresses of index 0.
  func emit(from source: String, to target: String, into emitter: inout LayerEmitter) {
    let merged = merged()
    func list(_ numbers: [Int]) -> String {
      "{" + numbers.map(String.init).joined(separator: ", ") + "}"
    }
    emitter.call(
      "box_copy", header: "copy.h",
      fields: [
        ".axes = \(merged.extents.count), .extent = \(list(merged.extents))",
        ".x_stride = \(list(merged.sourceStrides)), .y_stride = \(list(merged.targetStrides))",
      ], arguments: [source, target])
  }

  /// The same copy with as few axes as possible: neighbours that touch on both sides become one.
  private func merged() -> BoxCopy {
    var result = BoxCopy(extents: [], sourceStrides: [], targetStrides: [])
    for axis in extents.indices where extents[axis] > 1 {
      if let last = result.extents.indices.last,
        result.sourceStrides[last] == extents[axis] * sourceStrides[axis],
        result.targetStrides[last] == extents[axis] * targetStrides[axis]
      {
        result.extents[last] *= extents[axis]
        result.sourceStrides[last] = sourceStrides[axis]
        result.targetStrides[last] = targetStrides[axis]
      } else {
        result.extents.append(extents[axis])
        result.sourceStrides.append(sourceStrides[axis])
        result.targetStrides.append(targetStrides[axis])
      }
    }
    if result.extents.isEmpty {
      return BoxCopy(extents: [1], sourceStrides: [1], targetStrides: [1])
    }
    return result
  }
}

extension LayerEmitter {
  /// Floats between neighbours along every axis of a value.
  func strides(of value: ValueID) -> [Int] {
    let shape = graph[value].shape
    let pitches = lowered.pitches(of: value)
    var result = [Int](repeating: 1, count: shape.axes)
    var stride = 1
    for axis in (0..<shape.axes).reversed() {
      switch shape.axes - 1 - axis {
      case 0: stride = 1
      case 1: stride = pitches.rowPitch
      case 2: stride = pitches.planePitch
      default: stride *= shape[axis + 1]
      }
      result[axis] = stride
    }
    return result
  }

  /// Writes zeros around a value's planes, if its layout has a halo.
  mutating func zeroHalo(of value: ValueID) {
    guard halo(of: value) != .none else { return }
    headers.insert("planes.h")
    usesParts = true
    body.line("zero_halo((struct planes)\(planes(value)), \(pointer(value)), part, parts);")
  }

  /// Copies all of one value into another of as many elements, both in row-major order.
  mutating func copy(_ input: ValueID, to output: ValueID) {
    let shape = graph[input].shape
    if graph[output].shape == shape {
      BoxCopy(
        extents: shape.extents, sourceStrides: strides(of: input),
        targetStrides: strides(of: output)
      ).emit(from: pointer(input), to: pointer(output), into: &self)
      zeroHalo(of: output)
    } else {
      // Of different shapes both are dense, and a single row.
      BoxCopy(extents: [shape.count], sourceStrides: [1], targetStrides: [1])
        .emit(from: pointer(input), to: pointer(output), into: &self)
    }
  }
}
