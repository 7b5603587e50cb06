extension ViTGeometry {
  /// Numbers among the weights of a model of this geometry.
  package var parameterCount: Int {
    tensors().reduce(0) { $0 + $1.shape.reduce(1, *) }
  }
}
