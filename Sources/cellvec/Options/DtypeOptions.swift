import ArgumentParser
import Storage

/// How a new space keeps its vectors.
struct DtypeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Numbers that a new space keeps: float32 (default), float16 or bfloat16 of half the bytes, or int8 of a quarter.",
      valueName: "numbers"))
  var dtype: ScalarType?
}

extension ScalarType: ExpressibleByArgument {}
