/// Things in sets that only ever grow together.
struct DisjointSets<Element: Hashable & Comparable> {
  private var parents: [Element: Element] = [:]

  /// All things, sorted.
  var members: [Element] { parents.keys.sorted() }

  /// Adds a thing in a set of its own, unless it is known.
  mutating func insert(_ element: Element) {
    if parents[element] == nil { parents[element] = element }
  }

  /// Makes one set of two; things not known are added.
  mutating func join(_ a: Element, _ b: Element) {
    insert(a)
    insert(b)
    let (first, second) = (leader(of: a), leader(of: b))
    // The smallest leads, so that the result does not depend on the order of joins.
    if first < second { parents[second] = first } else { parents[first] = second }
  }

  /// The smallest thing of a thing's set; itself if it is not known.
  func leader(of element: Element) -> Element {
    var root = element
    while let parent = parents[root], parent != root { root = parent }
    return root
  }
}
