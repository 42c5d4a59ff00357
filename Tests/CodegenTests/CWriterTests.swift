import Codegen
import Testing

struct CWriterTests {
  @Test func `blocks nest and indent`() {
    var writer = CWriter()
    writer.block("if (a)") { writer in
      writer.lines("b();\n\nc();")
      writer.block("struct s x =", tail: ";") { $0.line("1,") }
    }
    writer.line()
    #expect(
      writer.text == """
        if (a) {
          b();

          c();
          struct s x = {
            1,
          };
        }


        """)
  }

  @Test func `a comment has one line or a star before each`() {
    var writer = CWriter()
    writer.comment(["one"])
    writer.comment(["one", "two"])
    #expect(
      writer.text == """
        /* one */
        /* one
         * two
         */

        """)
  }

  @Test func `a layer's name can neither end nor begin a comment`() {
    var writer = CWriter()
    writer.comment(["a */ int x; /* b"])
    writer.comment(["*/*/", "/*/"])
    let opened = writer.text.ranges(of: "/*").count
    let closed = writer.text.ranges(of: "*/").count
    #expect(opened == 2 && closed == 2, "\(writer.text)")
  }
}
