/// A pattern of LIKE: `%` stands for any run of characters, also none, and `_` for one Unicode code point.
struct LikePattern: Sendable {
  enum Failure: Error {
    /// The escape character stands before something that needs none, or at the end.
    case uselessEscape
  }

  private enum Piece {
    case byte(UInt8)
    case anyScalar
    case anyRun
  }

  private let pieces: [Piece]

  /// The only text that the pattern fits, where nothing in it stands for something else; nil of other patterns.
  var onlyText: String? {
    var bytes: [UInt8] = []
    for piece in pieces {
      guard case .byte(let byte) = piece else { return nil }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// - Parameter escape: the character after which `%`, `_` and itself stand for themselves.
  init(_ text: String, escape: Unicode.Scalar?) throws(Failure) {
    var pieces: [Piece] = []
    var isEscaped = false
    for scalar in text.unicodeScalars {
      if !isEscaped, scalar == escape {
        isEscaped = true
        continue
      }
      if isEscaped, scalar != "%", scalar != "_", scalar != escape { throw .uselessEscape }
      switch scalar {
      case "%" where !isEscaped: pieces.append(.anyRun)
      case "_" where !isEscaped: pieces.append(.anyScalar)
      default:
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { pieces.append(.byte(byte)) }
      }
      isEscaped = false
    }
    if isEscaped { throw .uselessEscape }
    self.pieces = pieces
  }

  /// Whether the pattern fits the whole of a text in UTF-8.
  ///
  /// - Complexity: O(pieces x bytes): a mismatch goes back to the last `%` only.
  func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    var position = 0
    var piece = 0
    // Where to go on after a mismatch: behind the last %, with one scalar more in its run.
    var retry: (piece: Int, position: Int)?
    while true {
      if piece < pieces.count {
        switch pieces[piece] {
        case .anyRun:
          piece += 1
          retry = (piece, position)
          continue
        case .anyScalar where position < text.count:
          position = endOfScalar(at: position, in: text)
          piece += 1
          continue
        case .byte(let byte) where position < text.count && text[position] == byte:
          position += 1
          piece += 1
          continue
        default: break
        }
      } else if position == text.count {
        return true
      }
      guard let last = retry, last.position < text.count else { return false }
      let next = (last.piece, endOfScalar(at: last.position, in: text))
      retry = next
      (piece, position) = next
    }
  }

  private func endOfScalar(at position: Int, in text: UnsafeRawBufferPointer) -> Int {
    var end = position + 1
    while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
    return end
  }
}
