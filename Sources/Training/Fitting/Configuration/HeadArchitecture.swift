/// The layers between a vector and its class logits.
package struct HeadArchitecture: Sendable, Equatable, Codable {
  /// Widths of the hidden layers, each followed by ReLU and dropout; none makes the head linear.
  package var hidden: [Int]
  /// Probability with which a hidden unit is dropped while training.
  package var dropout: Float

  package init(hidden: [Int] = [], dropout: Float = 0) {
    self.hidden = hidden
    self.dropout = dropout
  }

  /// One linear map: a logistic regression for each class.
  package static let linear = HeadArchitecture()
}
