import Codegen
import Testing

struct PreludeTests {
  @Test(arguments: Prelude.files.map(\.name))
  func `a file comes with everything that it includes`(name: String) throws {
    let closure = Prelude.headers(including: [name])
    let names = Set(closure.map(\.name))
    #expect(names.contains(name))
    #expect(names.count == closure.count)
    for file in closure {
      for wanted in try includes(of: file) {
        #expect(names.contains(wanted), "\(file.name) includes \(wanted)")
      }
    }
  }

  @Test func `the closure has nothing that nobody asked for, in the list's order`() throws {
    let order = Prelude.files.map(\.name)
    for name in order {
      let closure = Prelude.headers(including: [name]).map(\.name)
      #expect(closure == order.filter { closure.contains($0) })
      var reached: Set<String> = [name]
      var grows = true
      while grows {
        let before = reached.count
        for file in Prelude.files where reached.contains(file.name) {
          reached.formUnion(try includes(of: file))
        }
        grows = reached.count > before
      }
      #expect(Set(closure) == reached)
    }
    #expect(Prelude.headers(including: []) == [])
    #expect(!Prelude.fixedSources.isEmpty)
    #expect(Set(order).count == order.count)
  }

  /// All that a file includes in quotes, however it is spaced.
  private func includes(of file: SourceFile) throws -> [String] {
    let text = String(decoding: file.bytes, as: UTF8.self)
    return text.matches(of: #/(?m)^[ \t]*#[ \t]*include[ \t]*"([^"]+)"/#).map { String($0.1) }
  }
}
