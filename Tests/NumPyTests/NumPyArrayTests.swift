import Testing

@testable import NumPy

struct NumPyArrayTests {
  private func read(_ bytes: [UInt8]) throws -> NumPyArray {
    try NumPyArray.read(bytes, name: "x.npy")
  }

  private func message(_ bytes: [UInt8]) -> String? {
    let error = #expect(throws: NumPyError.self) {
      try NumPyArray.read(bytes, name: "x.npy")
    }
    return error?.description
  }

  @Test(arguments: [false, true])
  func `converts elements of every type`(big: Bool) throws {
    let order = big ? ">" : "<"
    let numbers = [0, 1, 100, 27]
    let floats = numbers.map { Float($0) }
    let files: [(String, [UInt8], [Float])] = [
      ("f2", stored([0x3E00, 0xC000, 0x0001] as [UInt16], bigEndian: big), [1.5, -2, 0x1p-24]),
      ("f4", stored([1.5, -2e30].map { Float($0).bitPattern }, bigEndian: big), [1.5, -2e30]),
      ("f8", stored([1.5, -2e300].map(\.bitPattern), bigEndian: big), [1.5, -.infinity]),
      ("i1", stored([-128, 127] as [Int8]), [-128, 127]),
      ("i2", stored([-32768, 258] as [Int16], bigEndian: big), [-32768, 258]),
      ("i4", stored([-65537, 258] as [Int32], bigEndian: big), [-65537, 258]),
      ("i8", stored([-1 << 40, 258] as [Int64], bigEndian: big), [-0x1p40, 258]),
      ("u1", stored([255, 3] as [UInt8]), [255, 3]),
      ("u2", stored([65535, 258] as [UInt16], bigEndian: big), [65535, 258]),
      ("u4", stored([1 << 31, 258] as [UInt32], bigEndian: big), [0x1p31, 258]),
      ("u8", stored([1 << 63, 258] as [UInt64], bigEndian: big), [0x1p63, 258]),
      ("i8", stored(numbers.map(Int64.init), bigEndian: big), floats),
    ]
    for (type, data, values) in files {
      let array = try read(npy(type: order + type, shape: "(\(values.count),)", data: data))
      #expect(array == NumPyArray(shape: [values.count], values: values), "\(order)\(type)")
    }
    #expect(try read(npy(type: "|b1", shape: "(3,)", data: [0, 1, 7])).values == [0, 1, 1])
    #expect(try read(npy(type: "|u1", shape: "(2,)", data: [200, 7])).values == [200, 7])
  }

  @Test func `puts Fortran order right`() throws {
    // a[i, j, k] = 100 i + 10 j + k, stored with i fastest.
    var columns: [Float] = []
    for k in 0..<4 {
      for j in 0..<3 { for i in 0..<2 { columns.append(Float(100 * i + 10 * j + k)) } }
    }
    let array = try read(
      npy(type: "<f4", shape: "(2, 3, 4)", fortranOrder: true, data: storedFloats(columns)))
    var rows: [Float] = []
    for i in 0..<2 {
      for j in 0..<3 { for k in 0..<4 { rows.append(Float(100 * i + 10 * j + k)) } }
    }
    #expect(array == NumPyArray(shape: [2, 3, 4], values: rows))
  }

  @Test(arguments: [
    ("()", []), ("(1,)", [1]), ("(1, 1)", [1, 1]), ("(1L, 1L,)", [1, 1]), ("( 1 ,1 )", [1, 1]),
  ])
  func `reads shapes as Python writes them`(text: String, shape: [Int]) throws {
    #expect(try read(npy(type: "<f4", shape: text, data: storedFloats([7]))).shape == shape)
  }

  @Test func `reads all versions and spellings of the header`() throws {
    let expected = NumPyArray(shape: [2], values: [1, 2])
    let plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
    for version in 1...3 {
      #expect(
        try read(npy(plain, data: storedFloats([1, 2]), version: UInt8(version))) == expected)
    }
    for text in [
      "{\"shape\":(2,),\"descr\":\"<f4\",\"fortran_order\":False}",
      "{ 'fortran_order' : False , 'descr': '=f4', 'shape': (2, ) } \n",
    ] {
      #expect(try read(npy(text, data: storedFloats([1, 2]))) == expected)
    }
    // What follows the elements is somebody else's.
    #expect(try read(npy(plain, data: storedFloats([1, 2, 3]))) == expected)
  }

  @Test func `has room for empty arrays`() throws {
    let huge = try read(npy(type: "<f4", shape: "(4000000000, 4000000000, 0)", data: []))
    #expect(huge.values.isEmpty)
    #expect(huge.shape == [4_000_000_000, 4_000_000_000, 0])
  }

  @Test(arguments: [
    ("<c8", "(1,)", "elements of type '<c8' cannot be read; save the array with astype('float32')"),
    ("|O", "(1,)", "elements of type '|O' cannot be read; save the array with astype('float32')"),
    ("<f4", "(3,)", "shape [3] needs 12 bytes of data, the file has 8"),
    (
      "<f4", "(4294967296, 4294967296)",
      "a shape of [4294967296, 4294967296] is beyond all memory"
    ),
    ("<f4", "(99999999999999999999,)", "the NumPy header is malformed at byte 51"),
    ("<f4", "(-1,)", "the NumPy header is malformed at byte 51"),
    ("<f4", "(2", "the NumPy header is malformed at byte 54"),
  ])
  func `says what is wrong with an array`(type: String, shape: String, text: String) {
    #expect(message(npy(type: type, shape: shape, data: storedFloats([1, 2]))) == "x.npy: \(text)")
  }

  @Test func `says what is wrong with a header`() {
    #expect(message([]) == "x.npy: not a NumPy array: too short")
    #expect(
      message(Array("an ordinary text file".utf8))
        == "x.npy: not a NumPy array: it does not begin with \\x93NUMPY")
    #expect(
      message(Array("PK\u{3}\u{4} an archive".utf8))
        == "x.npy: an archive (.npz) where a single array (.npy) is expected")
    #expect(
      message(npy("{}", data: [], version: 4))
        == "x.npy: version 4.0 of the NumPy format is unknown (1.0 to 3.0 are)")
    #expect(
      message(npy("{}", data: [])) == "x.npy: the NumPy header lacks descr, fortran_order or shape")
    #expect(
      message(npy("{'descr': [('x', '<f4')], 'shape': (1,)}", data: []))
        == "x.npy: it holds records; save one field with astype('float32')")
    #expect(
      message(npy("{'color': 'red'}", data: []))
        == "x.npy: unknown entry 'color' in the NumPy header")
    let axes = String(repeating: "1,", count: 65)
    #expect(message(npy("{'shape': (\(axes))}", data: [])) == "x.npy: more than 64 axes")
  }

  @Test func `refuses every file that ends early`() {
    let file = npy(type: "<f4", shape: "(2, 3)", data: storedFloats([1, 2, 3, 4, 5, 6]))
    for count in 0..<file.count { _ = message(Array(file.prefix(count))) }
  }

  @Test func `survives damaged files`() {
    var generator = SeededGenerator(state: 21)
    let files = [
      npy(type: "<f4", shape: "(2, 3)", data: storedFloats([1, 2, 3, 4, 5, 6])),
      npy(
        type: ">i8", shape: "(3, 2)", fortranOrder: true,
        data: stored([1, 2, 3, 4, 5, 6] as [Int64], bigEndian: true)),
    ]
    var readable = 0
    for file in files {
      for _ in 0..<5000 {
        let bytes = damaged(file, using: &generator)
        if let array = try? read(bytes) {
          #expect(array.values.count <= bytes.count)
          readable += 1
        }
      }
    }
    #expect((500...9500).contains(readable))
  }

  // The bytes of `numpy.save` (NumPy 2.4) for a 1 x 3 array.
  @Test func `writes the bytes that NumPy writes`() throws {
    let folder = try TemporaryFolder()
    try NumPyArray(shape: [1, 3], values: [1, 2.5, -3]).write(to: "\(folder.path)/a.npy")
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0] + Array(text.utf8)
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: 127 - header.count)
    let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0x40, 0, 0, 0x40, 0xC0]
    #expect(try folder.bytes(of: "a.npy") == header + padding + [UInt8(ascii: "\n")] + data)
  }

  @Test(arguments: [[], [0], [5], [2, 3], [1, 2, 3, 4], Array(repeating: 1, count: 64)])
  func `gets back what it wrote`(shape: [Int]) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/a.npy"
    let array = NumPyArray(
      shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) * 0.37 - 1 })
    try array.write(to: path)
    #expect(try NumPyArray.read(contentsOf: path) == array)
    #expect(try folder.bytes(of: "a.npy").count % 64 == array.values.count * 4 % 64)
    #expect(try folder.contents == ["a.npy"])
  }
}
