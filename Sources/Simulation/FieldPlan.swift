/// Which gene and line a field shows, and where on which plate it lies.
struct FieldPlan: Sendable {
  let gene: SimulatedGene
  let line: CellLine
  let plate: String
  let well: String
  let site: Int

  var name: String { "\(plate)_\(well)_s\(site)" }

  static func all(_ options: SimulationOptions) -> [FieldPlan] {
    let genes = (0..<options.geneCount).map { SimulatedGene(number: $0, seed: options.seed) }
    return (0..<options.fieldCount).map { number in
      let gene = number / options.fieldsPerGene
      let (site, line) = (number % options.fieldsPerGene).quotientAndRemainder(dividingBy: CellLine.all.count)
      // A gene a well; each line has plates of its own.
      let plate = gene / wells.count * CellLine.all.count + line + 1
      return FieldPlan(
        gene: genes[gene], line: CellLine.all[line], plate: "P\(plate)", well: wells[gene % wells.count],
        site: site + 1)
    }
  }

  /// The wells of a plate, A01 to H12, row by row.
  private static let wells: [String] = "ABCDEFGH".flatMap { row in
    (1...12).map { column in "\(row)\(column < 10 ? "0" : "")\(column)" }
  }

  /// Whether a text is the name of a field of any plan: `P1_A01_s1`.
  static func isName(_ text: Substring) -> Bool {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    return parts.count == 3 && isNumber(parts[0], after: "P") && wells.contains(String(parts[1]))
      && isNumber(parts[2], after: "s")
  }

  /// Whether a text is a number from 1 as it is written behind a letter.
  private static func isNumber(_ text: Substring, after letter: Character) -> Bool {
    guard let number = Int(text.dropFirst()), number > 0 else { return false }
    return text == "\(letter)\(number)"
  }
}
