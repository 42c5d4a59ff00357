/// Hands out names, each once.
struct UniqueNames {
  /// Names that are given only to whom they belong.
  private let reserved: Set<String>
  private var given: Set<String> = []
  /// For names that were wanted more than once, the last number that was tried.
  private var numbers: [String: Int] = [:]

  init(reserving names: some Sequence<String>) { reserved = Set(names) }

  /// A reserved name; whoever comes later for the same one gets it with a number.
  mutating func claim(_ name: String) -> String {
    given.insert(name).inserted ? name : numbered(name)
  }

  /// A new name like the one that is wanted, and like no reserved one.
  mutating func invent(_ name: String) -> String {
    reserved.contains(name) || !given.insert(name).inserted ? numbered(name) : name
  }

  private mutating func numbered(_ name: String) -> String {
    var number = numbers[name] ?? 1
    var candidate: String
    repeat {
      number += 1
      candidate = "\(name)_\(number)"
    } while reserved.contains(candidate) || !given.insert(candidate).inserted
    numbers[name] = number
    return candidate
  }
}
