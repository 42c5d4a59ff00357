import IR

/// A fork of Caffe whose defaults and update rules a file expects.
public enum Dialect: String, Hashable, Sendable, CaseIterable {
  /// Caffe itself.
  case bvlc
  /// Structured sparsity learning.
  case scnn
  /// SkimCaffe.
  case skim
  /// Dynamic network surgery, the original.
  case dnsY = "dns-y"
  /// Dynamic network surgery, the reimplementation.
  case dnsH = "dns-h"
  /// Force regularisation.
  case sfm

  /// Why a file belongs to a dialect.
  public struct Evidence: Hashable, Sendable {
    public var dialect: Dialect
    /// The field or value that only this dialect has.
    public var what: String
    public var location: SourceLocation?
  }

  /// The dialect that nets and solvers used together show, or nil if they look like plain Caffe.
  ///
  /// SkimCaffe shares most fields of scnn, so its own fields weigh more; nets of dns-h with all
  /// settings at their defaults cannot be told from plain Caffe.
  public static func detected(in messages: [TextMessage]) -> Evidence? {
    var found: [Dialect: Evidence] = [:]
    for message in messages { collect(message, into: &found) }
    let priority: [Dialect] = [.dnsY, .dnsH, .skim, .scnn, .sfm]
    return priority.lazy.compactMap { found[$0] }.first
  }

  private static func collect(_ message: TextMessage, into found: inout [Dialect: Evidence]) {
    func note(_ dialect: Dialect, _ what: String, _ location: SourceLocation?) {
      if found[dialect] == nil {
        found[dialect] = Evidence(dialect: dialect, what: what, location: location)
      }
    }
    for field in message.fields {
      let place = message.sourceLocation(field.position)
      if let dialect = fields["\(message.type).\(field.name)"] {
        note(dialect, field.name, place)
      }
      switch field.value {
      case .message(let inner): collect(inner, into: &found)
      case .name("LOWERED_CSRMM"): note(.scnn, "LOWERED_CSRMM", place)
      case .string(let type) where message.type == "LayerParameter" && field.name == "type":
        if let dialect = layerTypes[type] { note(dialect, "type \(type)", place) }
      default: break
      }
    }
    if message.type == "LayerParameter", message.string("type") == "Convolution",
      message.count("param") >= 3
    {
      let mask = message.messages("param")[2]
      if mask.float("lr_mult") == 0, mask.float("decay_mult") == 0 {
        note(.dnsH, "a third param on a Convolution", mask.location)
      }
    }
  }

  private static let layerTypes: [String: Dialect] = [
    "CConvolution": .dnsY, "CInnerProduct": .dnsY,
    "ConvolutionReLU": .skim, "ConvolutionReLUPool": .skim, "ConvolutionReLUPoolLRN": .skim,
    "InnerProductReLUDropout": .skim, "ReLUPooling": .skim, "Winograd": .skim,
    "MKLConvolution": .skim, "MKLReLU": .skim, "MKLPooling": .skim, "MKLLRN": .skim,
    "MKLBatchNorm": .skim,
    "Sparsify": .sfm, "SymmetricRectify": .sfm,
  ]

  private static let fields: [String: Dialect] = {
    let table: [(dialect: Dialect, message: String, names: [String])] = [
      (.dnsY, "LayerParameter", ["cconvolution_param", "cinner_product_param"]),
      (
        .dnsH, "SolverParameter",
        ["surgery_stop_iter", "surgery_iter_gamma", "surgery_iter_power"]
      ),
      (.dnsH, "ConvolutionParameter", ["sparsity_term", "weight_mask_filler", "threshold"]),
      (.dnsH, "InnerProductParameter", ["sparsity_term", "weight_mask_filler", "threshold"]),
      (
        .skim, "SolverParameter",
        [
          "prune_threshold", "measure_threshold", "max_threshold_factor",
          "winograd_sparsity_factor", "winograd_adjust_threshold",
        ]
      ),
      (
        .skim, "ConvolutionParameter",
        ["dump_parameter", "dump_activation", "parameter_sparsity_pattern_histogram"]
      ),
      (
        .skim, "InnerProductParameter",
        [
          "gemm_mode", "spmdm_transpose_in", "spmdm_transpose_out", "dump_parameter",
          "dump_activation",
        ]
      ),
      (
        .skim, "BatchNormParameter", ["use_weight_bias", "bias_term", "filler", "bias_filler"]
      ),
      (
        .scnn, "SolverParameter", ["breadth_decay", "kernel_shape_decay", "block_group_decay"]
      ),
      (
        .scnn, "ParamSpec",
        [
          "breadth_decay_mult", "kernel_shape_decay_mult", "block_group_lasso", "decay_proto",
          "regularization_type",
        ]
      ),
      (.scnn, "LayerParameter", ["connectivity_mode"]),
      (.scnn, "ConvolutionParameter", ["conv_mode"]),
      (
        .sfm, "SolverParameter",
        ["force_type", "force_decay", "force_iter", "force_decay_type", "force_direction"]
      ),
      (.sfm, "ParamSpec", ["force_regularize", "force_mult"]),
      (.sfm, "LayerParameter", ["display", "sparsify_param", "symmetric_rectify_param"]),
    ]
    var fields: [String: Dialect] = [:]
    for row in table {
      for name in row.names { fields["\(row.message).\(name)"] = row.dialect }
    }
    return fields
  }()
}
