import Glibc

/// What the terminals at stdout and stderr can show.
struct Terminal {
  /// The number of columns of stderr; nil when it is no terminal or cannot move its cursor.
  let progressWidth: Int?
  /// Whether stdout shows colour and weight.
  let hasStyle: Bool

  static let current = Terminal(
    outputIsTerminal: isatty(STDOUT_FILENO) == 1, errorIsTerminal: isatty(STDERR_FILENO) == 1,
    errorWidth: columns(of: STDERR_FILENO), environment: variable)

  init(
    outputIsTerminal: Bool, errorIsTerminal: Bool, errorWidth: Int, environment: (String) -> String?
  ) {
    let isDumb = environment("TERM") == "dumb"
    progressWidth = errorIsTerminal && !isDumb ? errorWidth : nil
    hasStyle = outputIsTerminal && !isDumb && (environment("NO_COLOR") ?? "").isEmpty
  }

  private static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}

/// An environment variable; nil when it is not set.
func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
