/// How a caffemodel tells which weights are masked.
public enum MaskFormat: String, Hashable, Sendable, CaseIterable {
  /// Zeros in the usual blobs, and masks in a field that other readers skip.
  case own = "sparsec"
  /// Dynamic network surgery in its own code: weights, bias, mask of the weights, mask of the bias, in layers of type
  /// CConvolution and CInnerProduct.
  case original = "dns-y"
  /// Its reimplementation: weights, bias, mask of the weights, in layers of type Convolution and InnerProduct.
  case reimplemented = "dns-h"

  /// The type of a layer under which a file of this format holds it with blobs for masks; nil if it cannot.
  ///
  /// Each fork knows masks in its own two types only. Caffe finds layers by name, so that a net with the other fork's
  /// types takes the file all the same, if it has room for the masks.
  public func maskedType(of type: String) -> String? {
    switch (self, type) {
    case (.original, "Convolution"), (.original, "CConvolution"): "CConvolution"
    case (.original, "InnerProduct"), (.original, "CInnerProduct"): "CInnerProduct"
    case (.reimplemented, "Convolution"), (.reimplemented, "CConvolution"): "Convolution"
    case (.reimplemented, "InnerProduct"), (.reimplemented, "CInnerProduct"): "InnerProduct"
    default: nil
    }
  }
}
