import ArgumentParser
import Driver
import Foundation

/// `sparsec compile`.
struct Compile: ParsableCommand {
  /// How kernels are chosen.
  enum Tuning: String, CaseIterable, ExpressibleByArgument {
    case none, model, measure
  }

  /// The form in which sparse weights get into the file.
  enum Weights: String, CaseIterable, ExpressibleByArgument {
    case hardCoded = "hard-coded"
    case streamed, auto
  }

  static let configuration = CommandConfiguration(
    abstract: "Turn a network and its weights into one .so file that runs by itself.",
    discussion: """
      Prints which kernel every layer got and what the passes saved. The file holds code, weights \
      and, for networks that take pictures, how pictures are prepared.
      """)

  @Argument(help: "The network's definition, a prototxt.")
  var definition: String
  @Argument(help: "Its trained weights, a caffemodel.")
  var weights: String
  @Option(name: .shortAndLong, help: ArgumentHelp("The .so file to make.", valueName: "file.so"))
  var output: String?
  @Option(help: "The CPU: native, x86-64-v3, x86-64-v4 or another name that clang knows.")
  var target = "native"
  @Option(help: "The largest batch that one run may have.")
  var batch = 1
  @Option(
    help:
      "How to choose kernels: measure times them on this machine; none and model ask the cost model."
  )
  var tune = Tuning.model
  @Option(
    help: ArgumentHelp(
      "Force the kernel of a layer; may be repeated.", valueName: "layer=kernel"))
  var kernel: [ForcedKernel] = []
  @Option(help: ArgumentHelp("Leave out a pass; may be repeated.", valueName: "pass"))
  var disablePass: [String] = []
  @Option(
    name: .customLong("weights"),
    help: "How sparse weights get into the file: as code, as data, or whichever is faster.")
  var weightForm = Weights.auto
  @Option(
    help: ArgumentHelp(
      "Keep the C text, with a Makefile that builds the .so from it.", valueName: "folder"))
  var keepC: String?
  @Option(
    help: ArgumentHelp("Write the C header of the .so file's functions.", valueName: "file.h"))
  var header: String?
  @Option(
    help: ArgumentHelp("Write a report of all decisions as JSON.", valueName: "file.json"))
  var report: String?
  @Option(help: "Print the network in a form on its way, and stop.")
  var emit: Form?
  @Option(
    help: ArgumentHelp(
      "Print the network behind a pass to standard error; may be repeated.", valueName: "pass"))
  var printAfter: [String] = []
  @OptionGroup var definitionOptions: DefinitionOptions
  @OptionGroup(title: "Pictures (to be built in)") var images: ImageOptions

  func validate() throws {
    guard output != nil || emit != nil else {
      throw ValidationError("Name the file to make with -o, or a form to print with --emit.")
    }
    guard tune != .measure || target == "native" else {
      throw ValidationError("--tune measure needs --target native: it runs the network here.")
    }
    let layers = kernel.map(\.layer)
    if let twice = layers.first(where: { layer in layers.count { $0 == layer } > 1 }) {
      throw ValidationError("--kernel names layer \(twice) more than once.")
    }
  }

  func run() throws {
    let progress = Progress.onStandardError()
    defer { progress.clear() }
    var compiler = Compiler(options)
    compiler.progress = progress.update
    try compiler.printGraph(after: printAfter) { text in
      progress.clear()
      Terminal.report(text)
    }
    if let emit {
      let text = try compiler.emit(emit.form)
      progress.clear()
      return try Terminal.print(text)
    }
    let result = try compiler.compile()
    progress.clear()
    for finding in result.findings { Terminal.report(finding) }
    if let output { try Terminal.print(result.text(file: output)) }
  }

  private var options: CompileOptions {
    var options = CompileOptions(definition: definition, weights: weights)
    options.output = output
    options.target = target
    options.batch = batch
    options.inputShapes = definitionOptions.inputShape
    options.allowUnknownFields = definitionOptions.allowUnknownFields
    for wish in kernel { options.forcedKernels[wish.layer] = wish.kernel }
    options.disabledPasses = Set(disablePass)
    options.weightForm = weightForm.form
    options.measuresKernels = tune == .measure
    options.keptFolder = keepC
    options.report = report
    options.header = header
    options.preprocessing = images.preprocessing
    options.labels = images.labels
    return options
  }
}

extension Compile.Weights {
  var form: CompileOptions.WeightForm {
    switch self {
    case .hardCoded: .hardCoded
    case .streamed: .streamed
    case .auto: .auto
    }
  }
}

extension Compile {
  /// The names of Driver's forms, so that help lists them.
  enum Form: String, CaseIterable, ExpressibleByArgument {
    case ir
    case loweredIR = "ir-lowered"
    case c

    var form: EmittedForm {
      switch self {
      case .ir: .ir
      case .loweredIR: .loweredIR
      case .c: .c
      }
    }
  }

  /// A layer and the kernel it shall have.
  struct ForcedKernel: ExpressibleByArgument {
    let layer: String
    let kernel: String

    /// Reads `LAYER=KERNEL`; a kernel's name has no `=`, a layer's may have.
    init?(argument: String) {
      guard let sign = argument.lastIndex(of: "="), sign != argument.startIndex else { return nil }
      layer = String(argument[..<sign])
      kernel = String(argument[argument.index(after: sign)...])
      if kernel.isEmpty { return nil }
    }
  }
}
