extension RandomNetwork.Options {
  /// Networks with the zeros that structure passes look for, of several kinds by seed.
  ///
  /// Exact ones hold integers and binary fractions, the others real numbers.
  public static func sparse(seed: Int, isExact: Bool) -> RandomNetwork.Options {
    var options = RandomNetwork.Options()
    options.isExact = isExact
    options.hasFractions = isExact
    options.hasSteps = isExact && seed % 3 == 0
    options.mixesItems = seed % 7 == 0
    options.structuredZeros = [0.6, 0.3, 0.45, 0.2, 0.75][seed % 5]
    // Most networks would be constant if unstructured zeros were as many as elsewhere.
    options.zeros = [.dense, .dense, .scattered]
    options.image = 4...9
    options.kinds += [
      .convolution, .separable, .unevenReaders, .residual, .shuffle, .responseNormalization,
    ]
    return options
  }
}
