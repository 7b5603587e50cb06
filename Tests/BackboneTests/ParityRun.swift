import Formats
import Foundation
import TestSupport
import Testing

@testable import Backbone

/// One leg of `tools/parity/backbone --through-tests`: embeds the images of a folder with its model and leaves
/// vectors and speeds beside them. Skipped unless CELLVEC_PARITY names the folder.
private let folder = ProcessInfo.processInfo.environment["CELLVEC_PARITY"]

@Test(.enabled(if: folder != nil, "CELLVEC_PARITY names no folder"))
func parityRun() throws {
  let folder = try #require(folder)
  let model = try VisionTransformer(path: folder + "/model.safetensors")
  let input = try SafetensorsFile(path: folder + "/images.safetensors")
  let shape = try #require(input.shape(of: "images"))
  let images = try input.floats(of: "images")
  var tensors: [(name: String, shape: [Int], values: [Float])] = []
  for threads in [1, 2] {
    var vectors: [Float] = []
    // The best of three: others use this machine too.
    let rates = try (0..<3).map { _ in
      let time = try ContinuousClock().measure {
        vectors = try model.embed(
          images, count: shape[0], height: shape[2], width: shape[3], threads: threads)
      }
      return Double(shape[0]) / (time / .seconds(1))
    }
    tensors.append(("vectors \(threads)", [shape[0], model.geometry.width], vectors))
    tensors.append(("images per second \(threads)", [], [Float(rates.max() ?? 0)]))
  }
  try write(SafetensorsFile.encode(tensors: tensors), to: folder + "/vectors.safetensors")
}
