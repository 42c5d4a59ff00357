/// Golden cases that are no inference, and are refused: each with a part of what the user reads.
extension GoldenCase {
  public static let untranslated: [String: String] = [
    // Recurrent layers.
    "lstm": "recurrent",
    "rnn": "recurrent",
    // A loss or an accuracy alone: nothing is left when it is left out.
    "accuracy": "no layer is left that computes anything",
    "accuracy_per_class": "no layer is left that computes anything",
    "accuracy_ties": "no layer is left that computes anything",
    "contrastive": "no layer is left that computes anything",
    "euclideanloss": "no layer is left that computes anything",
    "hingeloss": "no layer is left that computes anything",
    "sigmoidce": "no layer is left that computes anything",
    "softmaxloss": "no layer is left that computes anything",
    "softmaxloss_ignore": "no layer is left that computes anything",
    "softmaxloss_spatial": "no layer is left that computes anything",
  ]

  /// Blobs of layers that the front end leaves out of a net: losses.
  public static let leftOut: [String: Set<String>] = [
    "multinomiallogistic": ["label", "out", "mll::out"]
  ]
}
