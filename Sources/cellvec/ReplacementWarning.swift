import Storage

/// What to say where a table that was read again has replaced values of cells; nil where it has replaced none.
func replacementWarning(_ writer: DatabaseWriter) -> String? {
  let count = writer.replacedCellCount
  return count == 0
    ? nil
    : "warning: values of \(count) cells were replaced by those of the table, which undoes updates of theirs"
}
