import Kernels
import Query
import Storage

extension DatabaseWriter {
  /// Takes new vectors up into the indexes of spaces that have one, puts together those that have lost many, and makes
  /// int8 copies of new vectors where a space has some.
  func completeIndexes(threads: Int = Int(kernels_processor_count())) throws {
    for space in try database.read({ $0.spaces }) {
      try IndexBuild(of: space, in: self, threads: threads).follow()
      try followCoarse(of: space)
    }
  }
}
