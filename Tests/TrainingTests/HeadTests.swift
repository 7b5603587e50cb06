import Faults
import Formats
import Glibc
import Testing

@testable import Training

@Suite struct HeadTests {
  private let head: Head
  private let cells = SyntheticCells(count: 60, dimension: 5, classes: 3, signal: 5, seed: 4)

  init() throws {
    head = try fitHead(
      source: cells.source, labels: try cells.table,
      configuration: TrainingConfiguration(architecture: HeadArchitecture(hidden: [4]), epochs: 2)
    ).head
  }

  @Test func probabilitiesThatAreNoNumbersAreAFault() throws {
    // Two sums overflow, and their difference is none.
    let layers = [
      Head.Layer(inputs: 2, outputs: 2, weights: [1e30, 0, 0, 1e30], biases: [0, 0]),
      Head.Layer(inputs: 2, outputs: 1, weights: [1, -1], biases: [0]),
    ]
    let head = Head(
      classes: ["a"], architecture: HeadArchitecture(hidden: [2]), dimension: 2, thresholds: [0.5],
      members: [layers])
    let source = InMemoryVectors([1, 1, 1e30, 1e30], dimension: 2)
    #expect(try head.finiteProbabilities(of: [0], in: source) == [0.5])
    let fault = #expect(throws: Fault.self) { try head.finiteProbabilities(of: [0, 1], in: source) }
    #expect(fault?.kind == .badData && fault?.subject == "vector of sample 1")
  }

  @Test func probabilitiesAreThoseOfTheLayersWrittenOut() throws {
    let probabilities = head.probabilities(of: Array(0..<60), in: cells.source)
    for sample in [0, 59] {
      var values = cells.vectors[sample * 5..<sample * 5 + 5].map(Double.init)
      for (index, layer) in head.members[0].enumerated() {
        values = (0..<layer.outputs).map { output in
          let products = (0..<layer.inputs).map {
            Double(layer.weights[output * layer.inputs + $0]) * values[$0]
          }
          return Double(layer.biases[output]) + products.reduce(0, +)
        }
        if index == 0 { values = values.map { max($0, 0) } }
      }
      for (index, logit) in values.enumerated() {
        #expect(abs(Double(probabilities[sample * 3 + index]) - 1 / (1 + exp(-logit))) < 1e-5)
      }
    }
    #expect(head.probabilities(of: [], in: cells.source) == [])
  }

  /// Of one head, and of the mean of two.
  @Test(arguments: [1, 2]) func aTemperatureDividesLogitsThatProbabilitiesDoNotTellApart(members: Int) {
    let layer = Head.Layer(inputs: 1, outputs: 2, weights: [1, -1], biases: [0, 0])
    var head = Head(
      classes: ["a", "b"], architecture: HeadArchitecture(), dimension: 1, thresholds: [0.5, 0.5],
      members: Array(repeating: [layer], count: members))
    let logits: [Float] = [0, 5, 17, 20, 40, 80]
    let source = InMemoryVectors(logits, dimension: 1)
    let samples = Array(0..<Int32(logits.count))
    #expect(head.probabilities(of: [3, 4, 5], in: source).enumerated().allSatisfy { $0 % 2 == 1 || $1 == 1 })
    for temperature in [0.05, 1, 4, 20] {
      head.calibration = .temperature(temperature)
      let found = head.probabilities(of: samples, in: source).map(Double.init)
      for (place, logit) in logits.enumerated() {
        let expected = 1 / (1 + exp(-Double(logit) / temperature))
        #expect(abs(found[2 * place] - expected) < 1e-6 && abs(found[2 * place + 1] - (1 - expected)) < 1e-6)
      }
    }
  }

  @Test func batchesJoinWithoutASeam() throws {
    let many = (0..<1100).map { Int32($0 % 60) }
    let once = head.probabilities(of: Array(0..<60), in: cells.source)
    let repeated = head.probabilities(of: many, in: cells.source)
    for (position, sample) in many.enumerated() {
      for index in 0..<3 {
        #expect(abs(repeated[position * 3 + index] - once[Int(sample) * 3 + index]) < 1e-6)
      }
    }
  }

  @Test func aHeadReadsBackAsItWas() throws {
    var head = head
    head.thresholds = [0.1, 0.5, 1 / 3]
    let configuration = TrainingConfiguration(seed: .max)
    let folds = try Folds.ungrouped(labels: try cells.table, k: 3, seed: 9)
    let validation = try crossValidate(
      source: cells.source, labels: try cells.table, folds: folds,
      configuration: TrainingConfiguration(epochs: 1))
    let evaluation = HeadEvaluation(validation, groupField: nil, foldSeed: 9)
    let summary = HeadSummary(of: head, training: configuration, evaluation: evaluation)
    let json = try summary.json()
    let read = try HeadSummary(json: json, name: "loc-v1")
    #expect(read == summary)
    #expect(try read.json() == json)
    #expect(try Head(weights: head.encodedWeights(), summary: read, name: "loc-v1") == head)
  }

  @Test func damagedWeightsAreFaults() throws {
    let bytes = head.encodedWeights()
    let summary = HeadSummary(of: head)
    for count in 0..<bytes.count {
      #expect(throws: Fault.self, "cut to \(count) bytes") {
        try Head(weights: Array(bytes.prefix(count)), summary: summary, name: "loc-v1")
      }
    }
    var notFinite = bytes
    notFinite.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    let fault = #expect(throws: Fault.self) {
      try Head(weights: notFinite, summary: summary, name: "loc-v1")
    }
    #expect(fault?.problem == "expected finite numbers, found NaN or infinity")
  }

  @Test func weightsOfAnotherShapeAreFaults() throws {
    let other = try fitHead(
      source: cells.source, labels: try cells.table, configuration: TrainingConfiguration(epochs: 1)
    ).head
    #expect(throws: Fault.self) {
      try Head(weights: other.encodedWeights(), summary: HeadSummary(of: head), name: "loc-v1")
    }
    #expect(throws: Fault.self) {
      try Head(weights: head.encodedWeights(), summary: HeadSummary(of: other), name: "loc-v1")
    }
    let surplus = SafetensorsFile.encode(
      tensors: other.members[0].flatMap {
        [
          (name: "layers.0.weight", shape: [$0.outputs, $0.inputs], values: $0.weights),
          (name: "layers.0.bias", shape: [$0.outputs], values: $0.biases),
          (name: "layers.7.bias", shape: [1], values: [0]),
        ]
      })
    let fault = #expect(throws: Fault.self) {
      try Head(weights: surplus, summary: HeadSummary(of: other), name: "loc-v1")
    }
    #expect(fault?.problem == "expected 2 tensors, found 3")
  }

  @Test(arguments: [
    "", "{}", "[1]", "null",
    #"{"architecture":{"dropout":0,"hidden":[]},"classes":["a","b"],"dimension":-1,"thresholds":[0.5,0.5]}"#,
    #"{"architecture":{"dropout":0,"hidden":[0]},"classes":["a","b"],"dimension":4,"thresholds":[0.5,0.5]}"#,
    #"{"architecture":{"dropout":0,"hidden":[]},"classes":["a","a"],"dimension":4,"thresholds":[0.5,0.5]}"#,
    #"{"architecture":{"dropout":0,"hidden":[]},"classes":[],"dimension":4,"thresholds":[]}"#,
    #"{"architecture":{"dropout":0,"hidden":[]},"classes":["a","b"],"dimension":4,"thresholds":[0.5]}"#,
    #"{"architecture":{"dropout":0,"hidden":[]},"classes":["a","b"],"dimension":1e40,"thresholds":[0.5,0.5]}"#,
  ])
  func summariesThatDoNotFitTogetherAreFaults(json: String) {
    let fault = #expect(throws: Fault.self) { try HeadSummary(json: json, name: "loc-v1") }
    #expect(fault?.subject == "summary of head loc-v1")
  }
}
