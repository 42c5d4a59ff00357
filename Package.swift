// swift-tools-version: 6.2
import PackageDescription

// Arrows point at IR and nowhere else; Driver is the one room with a door to every other.
// Tests/LayeringTests holds this diagram against the `import` lines (SwiftPM does not).
let warningsAreErrors: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "sparsec",
  products: [
    .executable(name: "sparsec", targets: ["sparsec"]),
    .library(name: "SparsecRuntime", targets: ["SparsecRuntime"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    // What a network is.
    .target(name: "IR", swiftSettings: warningsAreErrors),

    // Front end: prototxt and caffemodel -> Graph.
    .target(
      name: "Caffe",
      dependencies: ["CHDF5", "IR", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Caffemodel/caffemodel.proto"],
      swiftSettings: warningsAreErrors),

    // Arrays in HDF5 files behind a few C functions.
    .target(name: "CHDF5", linkerSettings: [.linkedLibrary("hdf5_serial")]),

    // The oracle: plain loops, double accumulation.
    .target(name: "Reference", dependencies: ["IR"], swiftSettings: warningsAreErrors),

    // Graph -> Graph.
    .target(name: "Passes", dependencies: ["IR"], swiftSettings: warningsAreErrors),

    // Graph -> C text, packed weights and their object file.
    .target(
      name: "Codegen", dependencies: ["IR", "CPrelude", "CAssembler"],
      swiftSettings: warningsAreErrors),
    // The kernels' C sources, embedded as bytes so that every model can carry the ones it uses.
    .target(name: "CPrelude", exclude: ["Prelude"], cSettings: [.headerSearchPath(".")]),
    // LLVM's assembler behind one C function.
    .target(name: "CAssembler", linkerSettings: [.linkedLibrary("LLVM-14")]),

    // The ABI of a compiled model, and the room that opens one.
    .target(name: "CSparsec"),
    .target(
      name: "SparsecRuntime", dependencies: ["CSparsec"], path: "Sources/Runtime",
      swiftSettings: warningsAreErrors),

    // Layers forward and backward, solvers, sparsifiers.
    .target(name: "Training", dependencies: ["IR", "COneDNN"], swiftSettings: warningsAreErrors),
    // oneDNN's primitives behind plain C functions, on threads of our own.
    .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),

    // Data sets: what training reads, and what conversions write.
    .target(name: "CLMDB", linkerSettings: [.linkedLibrary("lmdb")]),
    .systemLibrary(name: "CLevelDB", providers: [.apt(["libleveldb-dev"])]),
    .target(
      name: "Datasets", dependencies: ["IR", "Images", "CHDF5", "CLMDB", "CLevelDB", "CZlib"],
      swiftSettings: warningsAreErrors),

    // Curves of training logs, drawn.
    .systemLibrary(name: "CCairo", providers: [.apt(["libcairo2-dev"])]),
    .target(name: "Plotting", dependencies: ["IR", "CCairo"], swiftSettings: warningsAreErrors),

    // Images and arrays on disk.
    .target(
      name: "CImageCodecs", linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    .target(name: "Images", dependencies: ["CImageCodecs"], swiftSettings: warningsAreErrors),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "NumPy", dependencies: ["CZlib"], swiftSettings: warningsAreErrors),

    // The unit in which SkimCaffe's profile counts.
    .target(name: "CTimestamp"),

    // The story, and the command line around it.
    .target(
      name: "Driver",
      dependencies: [
        "IR", "Caffe", "Reference", "Passes", "Codegen", "SparsecRuntime", "Images", "NumPy",
        "CTimestamp", "Training", "Datasets", "Plotting",
      ],
      swiftSettings: warningsAreErrors),
    .executableTarget(
      name: "sparsec",
      dependencies: [
        "IR", "Driver", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: warningsAreErrors),
    // Random weights for `make demo`.
    .executableTarget(
      name: "example-weights",
      dependencies: [
        "IR", "Caffe", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: warningsAreErrors),
    // Digits for `make demo` to learn.
    .executableTarget(
      name: "example-digits",
      dependencies: [
        "IR", "CImageEncoders", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "RuntimeTests", dependencies: ["SparsecRuntime"], exclude: ["Networks"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "CaffeTests", dependencies: ["Caffe", "IR", "Passes", "Reference", "TestSupport"],
      swiftSettings: warningsAreErrors),
    .target(
      name: "TestSupport", dependencies: ["IR", "Reference"], path: "Tests/TestSupport",
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "ReferenceTests", dependencies: ["IR", "Reference", "TestSupport"],
      swiftSettings: warningsAreErrors),
    .target(
      name: "CImageEncoders",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    .testTarget(
      name: "ImagesTests", dependencies: ["Images", "CImageEncoders", "CZlib"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "DatasetsTests",
      dependencies: [
        "Datasets", "CHDF5", "CImageEncoders", "CLMDB", "CLevelDB", "CZlib", "IR", "Images",
        "TestSupport",
      ], swiftSettings: warningsAreErrors),
    .testTarget(
      name: "PlottingTests", dependencies: ["Plotting", "Datasets", "IR", "TestSupport"],
      swiftSettings: warningsAreErrors),
    .testTarget(name: "LayeringTests", swiftSettings: warningsAreErrors),
    .testTarget(
      name: "NumPyTests", dependencies: ["NumPy", "CZlib"], swiftSettings: warningsAreErrors),
    .target(
      name: "GoldenSupport", dependencies: ["Caffe", "IR", "NumPy", "Reference", "TestSupport"],
      path: "Tests/GoldenSupport", swiftSettings: warningsAreErrors),
    .testTarget(
      name: "GoldenTests", dependencies: ["GoldenSupport", "IR", "TestSupport"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "DriverTests",
      dependencies: ["Driver", "Caffe", "IR", "Passes", "SparsecRuntime", "Training"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Caffe", "Codegen", "Driver", "GoldenSupport", "IR", "Passes", "Reference",
        "SparsecRuntime",
        "TestSupport",
      ], exclude: ["Programs"], swiftSettings: warningsAreErrors),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "sparsec", "Caffe", "CImageEncoders", "CLevelDB", "Datasets", "IR", "NumPy",
        "TestSupport",
      ],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "Caffe", "CImageEncoders", "CZlib", "Datasets", "IR", "Images", "Passes", "Plotting",
        "TestSupport",
      ],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "AcceptanceTests",
      dependencies: [
        "CZlib", "Caffe", "Driver", "IR", "Images", "NumPy", "Passes", "Reference",
        "SparsecRuntime", "TestSupport",
      ],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Caffe", "IR", "NumPy", "Reference", "TestSupport", "Training"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "PassesTests", dependencies: ["IR", "Passes", "Reference", "TestSupport"],
      swiftSettings: warningsAreErrors),
    .testTarget(
      name: "IRTests", dependencies: ["IR", "TestSupport"], swiftSettings: warningsAreErrors),
    .testTarget(
      name: "CodegenTests", dependencies: ["Codegen", "IR", "Passes", "TestSupport"],
      exclude: ["Goldens"], swiftSettings: warningsAreErrors),
    .testTarget(
      name: "StructureTests", dependencies: ["IR", "Passes", "Reference", "TestSupport"],
      swiftSettings: warningsAreErrors),
  ],
  swiftLanguageModes: [.v6]
)
