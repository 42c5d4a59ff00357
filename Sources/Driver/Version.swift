/// The version of this sparsec.
public enum Version {
  public static let text = "sparsec 0.1.0"
}
