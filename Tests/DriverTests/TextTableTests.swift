import Testing

@testable import Driver

struct TextTableTests {
  @Test func `columns are as wide as their widest cell`() {
    var table = TextTable(("name", .left), ("n", .right), ("note", .left))
    table.add("a", "1", "")
    table.add("longer", "1000", "x")
    #expect(
      table.text == """
        name       n  note
        a          1
        longer  1000  x

        """)
  }

  @Test func `a table without rows is no text`() {
    #expect(TextTable(("name", .left)).text.isEmpty)
  }

  @Test func `a line break in a name breaks no line`() {
    var table = TextTable(("name", .left))
    table.add("a\nb\r\nc")
    #expect(table.text == "name\na\\nb\\nc\n")
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"),
    (5_000_000_000_000, "5000.0 GB"),
  ])
  func `bytes in powers of 1000`(count: Int, text: String) {
    #expect(Quantity.bytes(count) == text)
  }

  @Test(arguments: [(999, "999"), (1500, "1.5 k"), (2_000_000, "2.0 M"), (3_000_000_000, "3.0 G")])
  func `counts in powers of 1000`(count: Int, text: String) {
    #expect(Quantity.count(count) == text)
  }
}
