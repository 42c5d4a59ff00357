import Foundation
import IR
import NumPy
import SparsecRuntime

/// Arrays for all inputs of a network, as rows along axis 0.
struct ArrayInputs {
  /// What results are named after: the first array's file.
  let name: String
  /// Rows that the user gave.
  let rows: Int
  private let rowsPerItem: Int
  /// Whether axis 0 counts the same rows in all of them; else there is one item only.
  private let areRows: Bool
  /// In the order of the network's inputs.
  private let arrays: [[Float]]

  /// Reads arrays given as `[NAME=]FILE.npy`, one for each input.
  ///
  /// An array has its input's shape, or any number of rows along axis 0 of it; for an input of one
  /// item the axis of 1 in front may be missing.
  init(_ wishes: [String], for network: CompiledNetwork) throws(Diagnostic) {
    let inputs = network.model.inputs
    var files: [Int: String] = [:]
    for wish in wishes {
      let (index, file) = try Self.assignment(wish, network, taken: Set(files.keys))
      guard files.updateValue(file, forKey: index) == nil else {
        throw .error("--input \(wish): input \(inputs[index].name) is given twice")
      }
    }
    if let missing = inputs.indices.first(where: { files[$0] == nil }) {
      let name = inputs[missing].name
      throw .error("input \(name) is missing; give it with --input \(name)=FILE.npy")
    }
    var arrays: [NumPyArray] = []
    for (index, input) in inputs.enumerated() {
      arrays.append(try Self.array(files[index] ?? "", for: input, of: network))
    }
    try self.init(arrays, name: files[0] ?? "", for: network)
  }

  /// - Precondition: the arrays have the inputs' shapes but for the number of rows.
  private init(_ arrays: [NumPyArray], name: String, for network: CompiledNetwork)
    throws(Diagnostic)
  {
    let counts = arrays.map { $0.shape.first ?? 1 }
    let rowsPerItem = network.rowsPerItem
    let rows = network.takesRows ? (counts.first ?? rowsPerItem) : rowsPerItem
    for (input, count) in zip(network.model.inputs, counts)
    where network.takesRows && count != rows {
      throw .error(
        "input \(input.name) has \(Quantity.plural(count, "row")), "
          + "input \(network.model.inputs[0].name) has \(rows)"
      )
    }
    if rows % rowsPerItem != 0,
      let output = network.model.outputs.first(where: { $0.shape.first != rowsPerItem })
    {
      throw .error(
        "\(rows) rows are no multiple of the network's fixed batch of \(rowsPerItem), and output "
          + "\(output.name) of shape \(Quantity.shape(output.shape)) has no row for each",
        file: name)
    }
    self.name = name
    self.rows = rows
    self.rowsPerItem = rowsPerItem
    areRows = network.takesRows
    self.arrays = arrays.map(\.values)
  }

  /// Which input is meant, by its place, and by which file.
  private static func assignment(_ wish: String, _ network: CompiledNetwork, taken: Set<Int>)
    throws(Diagnostic) -> (Int, String)
  {
    let names = network.model.inputs.map(\.name)
    if let sign = wish.firstIndex(of: "=") {
      let name = String(wish[..<sign])
      if let index = names.firstIndex(of: name) {
        return (index, String(wish[wish.index(after: sign)...]))
      }
      // A file's name may contain the sign, too.
      guard FileManager.default.fileExists(atPath: wish) else {
        throw .error(
          "--input \(wish): the network has no input \(name); it has "
            + names.joined(separator: ", "))
      }
    }
    guard let index = names.indices.first(where: { !taken.contains($0) }) else {
      throw .error("--input \(wish): the network has no more than \(names.count) inputs")
    }
    return (index, wish)
  }

  private static func array(
    _ file: String, for input: SparsecRuntime.Blob, of network: CompiledNetwork
  ) throws(Diagnostic) -> NumPyArray {
    let array: NumPyArray
    do {
      array = try NumPyArray.read(contentsOf: file)
    } catch {
      throw .error("\(error)".onOneLine)
    }
    if array.shape == input.shape { return array }
    let item = Array(input.shape.dropFirst())
    if network.takesRows, let rows = array.shape.first, rows >= 1,
      array.shape.dropFirst().elementsEqual(item)
    {
      return array
    }
    if input.shape.first == 1, array.shape == item {
      return NumPyArray(shape: input.shape, values: array.values)
    }
    let rows = network.takesRows ? ", with any number of rows" : ""
    throw .error(
      "its shape is \(Quantity.shape(array.shape)), but input \(input.name) takes "
        + "\(Quantity.shape(input.shape))\(rows)", file: file)
  }

  /// The rows `range`; whole fixed batches are filled up with the last row.
  func chunk(_ range: Range<Int>) -> InputChunk {
    guard areRows else { return InputChunk(items: 1, rows: rows, values: arrays) }
    let items = (range.count + rowsPerItem - 1) / rowsPerItem
    let missing = items * rowsPerItem - range.count
    let values = arrays.map { values in
      let size = values.count / rows
      let end = range.upperBound * size
      var part = Array(values[range.lowerBound * size..<end])
      for _ in 0..<missing { part += values[end - size..<end] }
      return part
    }
    return InputChunk(items: items, rows: range.count, values: values)
  }
}
