import Formats
import Glibc

/// A vision transformer as one would explain it: double precision, arrays, no tricks. The oracle of the fast one.
///
/// Reads canonical tensor names; knows no registers and only images of the size that the positional embedding
/// is for.
struct PlainViT {
  let file: SafetensorsFile
  let width: Int
  let heads: Int
  let depth: Int

  typealias Token = [Double]

  init(path: String) throws {
    file = try SafetensorsFile(path: path)
    width = file.shape(of: "norm.weight")?.first ?? 0
    heads = file.metadata["num_heads"].flatMap { Int($0) } ?? width / 64
    depth = Set(file.tensorNames.filter { $0.hasPrefix("blocks.") }.map { $0.split(separator: ".")[1] }).count
  }

  /// The class token after the last layer norm.
  ///
  /// - Parameter image: [channel][row][column].
  func embed(_ image: [[[Double]]]) throws -> [Double] {
    var tokens = [try tensor("cls_token")]
    tokens += try patches(of: image).map { try linear($0, "patch_embed.proj") }
    let positions = try tensor("pos_embed")
    for index in tokens.indices {
      tokens[index] = sum(tokens[index], Array(positions[index * width..<(index + 1) * width]))
    }
    for block in 0..<depth {
      let prefix = "blocks.\(block)."
      let attended = try attention(tokens.map { try norm($0, prefix + "norm1") }, prefix + "attn")
      for index in tokens.indices {
        tokens[index] = sum(tokens[index], try scaled(attended[index], prefix + "ls1.gamma"))
        let hidden = try linear(norm(tokens[index], prefix + "norm2"), prefix + "mlp.fc1").map(gelu)
        let output = try linear(hidden, prefix + "mlp.fc2")
        tokens[index] = sum(tokens[index], try scaled(output, prefix + "ls2.gamma"))
      }
    }
    return try norm(tokens[0], "norm")
  }

  /// The pixels of each patch, channels outermost, patches in reading order.
  private func patches(of image: [[[Double]]]) -> [Token] {
    let side = file.shape(of: "patch_embed.proj.weight")?[3] ?? 1
    let (rows, columns) = (image[0].count / side, image[0][0].count / side)
    var patches: [Token] = []
    for row in 0..<rows {
      for column in 0..<columns {
        var patch = Token()
        for channel in image {
          for line in channel[row * side..<(row + 1) * side] {
            patch += line[column * side..<(column + 1) * side]
          }
        }
        patches.append(patch)
      }
    }
    return patches
  }

  private func attention(_ tokens: [Token], _ name: String) throws -> [Token] {
    let joint = try tokens.map { try linear($0, name + ".qkv") }
    let headWidth = width / heads
    var gathered = tokens.map { _ in Token() }
    for head in 0..<heads {
      func part(_ third: Int) -> [Token] {
        joint.map { Array($0[third * width + head * headWidth..<third * width + (head + 1) * headWidth]) }
      }
      let (queries, keys, values) = (part(0), part(1), part(2))
      for (index, query) in queries.enumerated() {
        let weights = softmax(keys.map { dot(query, $0) / Double(headWidth).squareRoot() })
        gathered[index] += (0..<headWidth).map { column in
          zip(weights, values).map { $0 * $1[column] }.reduce(0, +)
        }
      }
    }
    return try gathered.map { try linear($0, name + ".proj") }
  }

  private func linear(_ x: Token, _ name: String) throws -> Token {
    let weight = try tensor(name + ".weight")
    return try tensor(name + ".bias").enumerated().map { row, bias in
      bias + dot(x, weight[row * x.count..<(row + 1) * x.count])
    }
  }

  private func norm(_ x: Token, _ name: String) throws -> Token {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count)
    let (gamma, beta) = (try tensor(name + ".weight"), try tensor(name + ".bias"))
    return x.indices.map { (x[$0] - mean) / (variance + 1e-6).squareRoot() * gamma[$0] + beta[$0] }
  }

  private func scaled(_ x: Token, _ name: String) throws -> Token {
    file.shape(of: name) == nil ? x : zip(x, try tensor(name)).map { $0 * $1 }
  }

  private func tensor(_ name: String) throws -> [Double] { try file.floats(of: name).map(Double.init) }

  private func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

  private func softmax(_ x: [Double]) -> [Double] {
    let weights = x.map { exp($0 - (x.max() ?? 0)) }
    return weights.map { $0 / weights.reduce(0, +) }
  }

  private func sum(_ a: Token, _ b: Token) -> Token { zip(a, b).map { $0 + $1 } }

  private func dot(_ a: some Collection<Double>, _ b: some Collection<Double>) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
