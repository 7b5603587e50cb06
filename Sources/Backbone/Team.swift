import Kernels

/// Threads of the process that work on one thing together.
enum Team {
  /// Calls `body` once for each member, at the same time, member 0 on this thread; denormal numbers count as zero
  /// meanwhile. `body` must not start a team.
  static func run(members: Int, _ body: @Sendable (_ member: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      var work: @Sendable (Int) -> Void = body
      withUnsafeMutablePointer(to: &work) { work in
        kernels_run_team(
          Int32(members),
          { context, member in
            let denormals = kernels_flush_denormals()
            defer { kernels_restore_denormals(denormals) }
            context?.assumingMemoryBound(to: (@Sendable (Int) -> Void).self).pointee(Int(member))
          }, work)
      }
    }
  }
}
