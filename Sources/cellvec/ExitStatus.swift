import Faults

/// What the program tells its caller by ending. Numbers from 64 on are those of sysexits.h.
enum ExitStatus: Int32, Error, CaseIterable {
  /// The command did what was asked; finding nothing is no failure.
  case done = 0
  /// Failed in a way that no other number describes, or `search --require-match` found nothing.
  case failed = 1
  /// Finished, but some inputs could not be used; they were named on stderr.
  case someInputsFailed = 2
  /// The command line cannot be carried out as written.
  case usage = 64
  /// A file or the database is damaged or in another format.
  case badData = 65
  /// A file, cell, field or space that does not exist.
  case missingInput = 66
  case unavailable = 69
  case cannotCreate = 73
  case inputOutput = 74
  /// Another process is writing to the database or folder; the same command may work later.
  case locked = 75
  /// Stopped by Ctrl-C.
  case interrupted = 130

  init(_ kind: Fault.Kind) {
    self =
      switch kind {
      case .usage: .usage
      case .badData: .badData
      case .missingInput: .missingInput
      case .unavailable: .unavailable
      case .cannotCreate: .cannotCreate
      case .inputOutput: .inputOutput
      case .locked: .locked
      case .cancelled: .interrupted
      }
  }
}
