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
      // Plates of 96 wells, a gene a well; each line has plates of its own.
      let plate = gene / 96 * CellLine.all.count + line + 1
      let row = Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(gene % 96 / 12)))
      let column = gene % 12 + 1
      return FieldPlan(
        gene: genes[gene], line: CellLine.all[line], plate: "P\(plate)",
        well: "\(row)\(column < 10 ? "0" : "")\(column)", site: site + 1)
    }
  }
}
