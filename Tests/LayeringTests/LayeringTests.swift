import Testing

/// The arrows of Package.swift against the `import` lines, which SwiftPM does not compare.
struct LayeringTests {
  /// Modules of the platform that anybody may use. Not `Runtime`: that is the toolchain's own, and would hide a
  /// forgotten dependency on ours.
  static let platform: Set<String> = [
    "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization",
  ]

  @Test func `every import is drawn in the manifest`() throws {
    let targets = try SourceTree.manifest().targets
    #expect(targets.count > 10, "the manifest was not understood")
    for target in targets {
      let allowed =
        target.dependencies
        .union(Self.platform).union(target.isForTests ? ["Testing"] : [])
      for file in try SourceTree.files(in: target.folder, endings: ["swift"]) {
        for module in file.imports where !allowed.contains(module) {
          Issue.record("\(file.path) imports \(module), which Package.swift does not draw")
        }
      }
    }
  }

  @Test func `every folder of sources is a target`() throws {
    let targets = try SourceTree.manifest().targets
    for folder in ["Sources", "Tests"] {
      for file in try SourceTree.files(in: folder, endings: ["swift"]) {
        let isOwned = targets.contains { file.path.hasPrefix($0.folder + "/") }
        #expect(isOwned, "\(file.path) belongs to no target of Package.swift")
      }
    }
  }

  /// Arrows point at IR. Only Driver sees several rooms, and nothing but the tool sees Driver.
  @Test func `the rooms of the compiler do not see each other`() throws {
    let targets = try SourceTree.manifest().targets
    func dependencies(of name: String) throws -> Set<String> {
      try #require(targets.first { $0.name == name }, "there is no target \(name)").dependencies
    }
    #expect(try dependencies(of: "IR").isEmpty)
    let rooms: Set<String> = [
      "Caffe", "Codegen", "Images", "NumPy", "Passes", "Plotting", "Reference", "SparsecRuntime",
      "Training",
    ]
    for target in targets where rooms.contains(target.name) {
      let seen = target.dependencies.intersection(rooms.union(["Driver"]))
      #expect(seen.isEmpty, "\(target.name) sees \(seen.sorted())")
    }
    for target in targets where target.dependencies.contains("Driver") && !target.isForTests {
      #expect(target.name.hasPrefix("sparsec"), "\(target.name) sees Driver")
    }
  }

  @Test func `an undrawn import is found, however it is written`() throws {
    let file = SourceText(
      path: "Sources/Codegen/X.swift",
      text: [
        "import Passes", "@testable import Caffe",
        "  @_exported public import struct Reference.Evaluator", "// import Images",
        "let important = 1",
      ].joined(separator: "\n"))
    #expect(file.imports == ["Passes", "Caffe", "Reference"])
  }

  @Test func `the manifest's text is understood`() throws {
    let manifest = Manifest(
      text: """
        let package = Package(
          products: [.library(name: "L", targets: ["B"])],
          targets: [
            .target(name: "A", swiftSettings: strict),
            // .target(name: "Gone"),
            .target(
              name: "B", dependencies: ["A", .product(name: "P", package: "swift-p"), "C"],
              path: "Sources/Bee", exclude: ["x"]),
            .testTarget(name: "BTests", dependencies: ["B"]),
          ]
        )
        """)
    #expect(
      manifest.targets == [
        Target(name: "A", folder: "Sources/A", dependencies: []),
        Target(name: "B", folder: "Sources/Bee", dependencies: ["A", "P", "C"]),
        Target(name: "BTests", folder: "Tests/BTests", dependencies: ["B"]),
      ])
  }
}
