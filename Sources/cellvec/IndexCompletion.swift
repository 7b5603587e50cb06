import Kernels
import Query
import Storage

extension DatabaseWriter {
  /// Takes new vectors up into the indexes of spaces that have one, and puts together those that have lost many.
  func completeIndexes(threads: Int = Int(kernels_processor_count())) throws {
    for space in try database.read({ $0.spaces }) {
      try IndexBuild(of: space, in: self, threads: threads).follow()
    }
  }
}
