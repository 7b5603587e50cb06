import Storage

extension Evaluation {
  /// The samples of an evaluation, in tables that do not fill the memory where there are many.
  package struct SampleTable: Sendable, Equatable {
    private let rows: ScratchTable<Row>
    private let cellCounts: ScratchTable<Int>
    private let names: TextColumn
    private let images: TextColumn
    private let groups: TextColumn
    /// The labels of sample after sample, and how many there are up to the end of each.
    private let labels: ScratchTable<Int32>
    private let labelEnds: ScratchTable<Int>

    /// - Parameter labelCount: of all samples together; nil to count them first.
    /// - Throws: as `ScratchTable`.
    package init(_ samples: some Collection<Sample>, labelCount: Int? = nil) throws {
      let count = samples.count
      rows = try ScratchTable(count: count)
      cellCounts = try ScratchTable(count: count)
      labels = try ScratchTable(count: labelCount ?? samples.reduce(0) { $0 + $1.labels.count })
      labelEnds = try ScratchTable(count: count)
      var names = try TextColumn(count: count)
      var images = try TextColumn(count: count)
      var groups = try TextColumn(count: count)
      var end = 0
      for (place, sample) in samples.enumerated() {
        rows[place] = sample.row
        cellCounts[place] = sample.cellCount
        names.append(sample.name)
        images.append(sample.image)
        groups.append(sample.group)
        for label in sample.labels {
          labels[end] = Int32(clamping: label)
          end += 1
        }
        labelEnds[place] = end
      }
      self.names = names.closed
      self.images = images.closed
      self.groups = groups.closed
    }

    /// The rows of all samples, increasing, none twice.
    var distinctRows: [Row] {
      zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 } ? Array(rows) : Set(rows).sorted()
    }
  }
}

extension Evaluation.SampleTable: RandomAccessCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { rows.count }

  /// All of a sample. What asks for one thing of many samples has it faster below.
  package subscript(place: Int) -> Evaluation.Sample {
    Evaluation.Sample(
      row: row(of: place), cellCount: cellCount(of: place), name: names[place], image: images[place] ?? "",
      group: groups[place], labels: labels(of: place))
  }
}

extension Evaluation.SampleTable {
  package func row(of place: Int) -> UInt32 { rows[place] }
  package func cellCount(of place: Int) -> Int { cellCounts[place] }

  /// The classes that a sample has, in the order in which they were given.
  package func labels(of place: Int) -> [Int] { labels[labelPlaces(of: place)].map(Int.init) }

  package func hasLabel(_ classIndex: Int, at place: Int) -> Bool {
    labelPlaces(of: place).contains { labels[$0] == classIndex }
  }

  private func labelPlaces(of place: Int) -> Range<Int> {
    (place > 0 ? labelEnds[place - 1] : 0)..<labelEnds[place]
  }
}

/// The array of the samples.
extension Evaluation.SampleTable: Codable {
  package init(from decoder: any Decoder) throws { try self.init([Evaluation.Sample](from: decoder)) }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    for sample in self { try container.encode(sample) }
  }
}

/// The texts of samples, of which many have the same: each is kept once.
private struct TextColumn: Sendable, Equatable {
  private var texts: [String] = []
  /// The place of each sample's text, -1 for none.
  private let numbers: ScratchTable<Int32>
  private var count = 0
  /// The places of texts, while samples are added.
  private var places: [String: Int32] = [:]

  /// - Throws: as `ScratchTable`.
  init(count: Int) throws { numbers = try ScratchTable(count: count) }

  /// The text of the next sample.
  mutating func append(_ text: String?) {
    numbers[count] = place(of: text)
    count += 1
  }

  private mutating func place(of text: String?) -> Int32 {
    guard let text else { return -1 }
    // Neighbours often have the same.
    if count > 0, numbers[count - 1] >= 0, texts[Int(numbers[count - 1])] == text {
      return numbers[count - 1]
    }
    if let known = places[text] { return known }
    let place = Int32(texts.count)
    texts.append(text)
    places[text] = place
    return place
  }

  /// The same, when all samples have been added.
  var closed: TextColumn {
    var column = self
    column.places = [:]
    return column
  }

  subscript(sample: Int) -> String? { numbers[sample] < 0 ? nil : texts[Int(numbers[sample])] }
}
