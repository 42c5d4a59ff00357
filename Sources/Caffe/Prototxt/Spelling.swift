/// What the user may have meant.
enum Spelling {
  /// The candidate closest to `word`, if one is close enough to be a slip of the keyboard.
  ///
  /// Capitals and underscores cost nothing; of equally close candidates the first wins.
  static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    // Longer words are no slips, and the distance costs the product of the lengths.
    guard word.utf8.count <= 64 else { return nil }
    let plain = simplified(word)
    let allowed = max(1, min(3, plain.count / 3))
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(plain, simplified(candidate))
      if distance <= allowed, distance < best?.distance ?? Int.max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// `; did you mean "x"?`, or nothing.
  static func hint(for word: String, among candidates: some Sequence<String>) -> String {
    nearest(to: word, among: candidates).map { "; did you mean \(quoted($0))?" } ?? ""
  }

  /// The word for a message: in quotes, control characters escaped, cut if it is very long.
  static func quoted(_ word: String) -> String { "\"" + shown(word) + "\"" }

  /// As `quoted`, without the quotes: for lists of names, and for texts with names in them.
  static func shown(_ text: String, atMost limit: Int = 64) -> String {
    // By scalars: no number of them is too large for one character.
    let scalars = text.unicodeScalars
    let isLong = scalars.count > limit
    let shown = scalars.prefix(isLong ? limit - 3 : limit)
    return shown.map { $0.escaped(asASCII: false) }.joined() + (isLong ? "..." : "")
  }

  private static func simplified(_ word: String) -> [UInt8] {
    word.lowercased().utf8.filter { $0 != UInt8(ascii: "_") }
  }

  /// The number of insertions, deletions, substitutions and swaps of neighbours between two words.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, rows[i - 1][j - 1] + 1)
        }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
