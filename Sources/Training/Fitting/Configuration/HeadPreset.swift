/// What public sources state of how others train heads on stored vectors. What a source does not state is our
/// default, and no preset is the head of a paper: weights, labels and vectors differ.
package struct HeadPreset: Sendable {
  package let name: String
  package let source: String
  /// What the source does not state, or what is done otherwise here; empty for nothing.
  package let notes: String
  package let configuration: TrainingConfiguration

  package static let all = [dino4cells, dino4cellsSimple, subCell, cellDINO]

  /// AdamW at 1e-4 x batch / 256 with a batch of 512, weight decay 0.04, half a cosine over all steps, each
  /// draw a class and then one of its images; the last epoch is kept, a half is the threshold.
  private static func dino4cells(_ architecture: HeadArchitecture) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(
      architecture: architecture, epochs: 100, batchSize: 512, learningRate: 2e-4, weightDecay: 0.04)
    configuration.sampling = .classUniform
    return configuration
  }

  static let dino4cells = HeadPreset(
    name: "dino4cells",
    source:
      "DINO4Cells_code: utils/classification_utils.py (residual_add_clf), run_end_to_end.py, config_HPA_FOV.yaml",
    notes: "Its README trains for 10 epochs, its configuration for 100. It decays biases too.",
    configuration: dino4cells(HeadArchitecture(hidden: [1024])))

  static let dino4cellsSimple = HeadPreset(
    name: "dino4cells-simple",
    source: "DINO4Cells_code: utils/classification_utils.py (simple_clf), the rest as dino4cells",
    notes: "It decays biases too.",
    configuration: dino4cells(HeadArchitecture(hidden: [512, 256], dropout: 0.5)))

  static let subCell = {
    var configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: [512, 256]))
    configuration.loss = .focal(alpha: 0.25, gamma: 2)
    configuration.ensembleCount = 3
    return HeadPreset(
      name: "subcell", source: "SubCellPortable: vit_model.py (layers); SubCell: sigmoid focal loss",
      notes:
        "It averages several seeds, of which no number is stated: 3 here. Dropout, rate, batch and epochs are our defaults.",
      configuration: configuration)
  }()

  static let cellDINO = {
    var configuration = TrainingConfiguration(epochs: 30, batchSize: 64)
    // Times batch / 256.
    let rates = [
      1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1,
    ]
    configuration.grid = ParameterGrid(
      learningRates: rates.map { $0 * 64 / 256 }, weightDecays: [0, 1e-4, 1e-5])
    return HeadPreset(
      name: "cell-dino", source: "dinov2: eval/cell_dino/linear.py",
      notes:
        "It stops after 145 batches of each of its 30 epochs, starts from N(0, 0.01) and does not standardise vectors.",
      configuration: configuration)
  }()
}
