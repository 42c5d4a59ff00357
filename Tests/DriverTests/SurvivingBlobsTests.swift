import IR
import Testing

@testable import Driver

struct SurvivingBlobsTests {
  private func key(_ name: String, _ layer: String) -> BlobKey {
    BlobKey(Manifest.ReducedBlob(blob: name, layer: layer, channels: [], of: 0))
  }

  private func reduced(_ name: String, _ layer: String) -> Manifest.ReducedBlob {
    Manifest.ReducedBlob(blob: name, layer: layer, channels: [0, nil], of: 3)
  }

  private func names(
    _ keys: [BlobKey], without blobs: [Manifest.ReducedBlob]
  ) -> (left: [String], note: String?) {
    let surviving = SurvivingBlobs(keys, reduced: blobs)
    let results = keys.map {
      ResultArray(name: "\($0.name) of \($0.layer)", shape: [1], values: [0])
    }
    return (surviving.whole(of: results).map(\.name), surviving.note?.message)
  }

  @Test func `without reduced blobs all are handed on`() {
    let result = names([key("data", ""), key("a", "conv")], without: [])
    #expect(result.left == ["data of ", "a of conv"])
    #expect(result.note == nil)
  }

  @Test func `a reduced blob is left out, and so is an older one of its name`() {
    let keys = [key("a", "conv"), key("b", "pool"), key("a", "relu")]
    let result = names(keys, without: [reduced("a", "relu")])
    #expect(result.left == ["b of pool"])
    #expect(
      result.note == """
        1 blob that has lost channels is left out; `compile --disable-pass drop-unread-channels` \
        keeps it
        """)
  }

  @Test func `an older blob that is reduced does not matter`() {
    let result = names([key("a", "conv"), key("a", "relu")], without: [reduced("a", "conv")])
    #expect(result.left == ["a of relu"])
    #expect(result.note == nil)
  }
}
