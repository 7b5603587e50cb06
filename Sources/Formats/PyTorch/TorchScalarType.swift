/// The element types of PyTorch, by the names that `tensor.dtype` shows.
enum TorchScalarType: String, Sendable {
  case bool, uint8, int8, uint16, int16, uint32, int32, uint64, int64
  case float16, bfloat16, float32, float64
  case complex64, complex128
  case float8E4M3 = "float8_e4m3fn"
  case float8E5M2 = "float8_e5m2"

  /// The type of a storage class, such as `FloatStorage`.
  init?(storageClass name: String) {
    switch name {
    case "BoolStorage": self = .bool
    // An untyped storage is counted in bytes.
    case "ByteStorage", "UntypedStorage": self = .uint8
    case "CharStorage": self = .int8
    case "ShortStorage": self = .int16
    case "IntStorage": self = .int32
    case "LongStorage": self = .int64
    case "HalfStorage": self = .float16
    case "BFloat16Storage": self = .bfloat16
    case "FloatStorage": self = .float32
    case "DoubleStorage": self = .float64
    case "ComplexFloatStorage": self = .complex64
    case "ComplexDoubleStorage": self = .complex128
    default: return nil
    }
  }

  var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8E4M3, .float8E5M2: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .complex64: 8
    case .complex128: 16
    }
  }

  /// nil for types that are not read as float32.
  var floatingPoint: FloatingPointType? {
    switch self {
    case .float16: .f16
    case .bfloat16: .bf16
    case .float32: .f32
    case .float64: .f64
    default: nil
    }
  }
}
