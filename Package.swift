// swift-tools-version: 6.1
// cellvec: an embedded vector database with classification for fluorescence microscopy.
// Licence: Apache-2.0 (see LICENSE). The arrows between targets are explained in docs/architecture.md
// and enforced by tools/check-imports.

import PackageDescription

// Types such as Set<UInt64> are then asked for with the conformances that the compiler knows. By their names, the runtime
// looks through all conformances of the program for each of them when it is first met: some 60 µs, and a start met some
// sixty (docs/architecture.md).
let knownConformances: SwiftSetting = .unsafeFlags(
  ["-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors"], .when(configuration: .release))

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  knownConformances,
]

// Kernels must be fast in debug builds too: the tests run them on real sizes.
let cSettings: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno"])]

// Archives take the place of the system's shared libraries, of which each takes a start a tenth of a millisecond or more, and
// libstdc++, which Swift's runtime is written with, half of one. Debian has none of CRoaring, and one of xxHash without what
// chooses the widest vectors.
let archives = ["lmdb", "png16", "z", "stdc++"].flatMap {
  ["-l:lib\($0).a", "-Xlinker", "--remap-inputs=*/lib\($0).so=/dev/null"]
}

// Swift's own libraries become part of the program: it starts in less than half of the time, and where no Swift is
// installed. A bundle of tests needs the shared ones, as XCTest does: CELLVEC_SWIFT=shared swift test -c release
// LLD comes with the toolchain; gold repeats what glibc thinks of a function that Foundation calls. Nobody looks for symbols in
// the program, whose table the runtime would read at every start.
let programLinkerSettings: [LinkerSetting] =
  Context.environment["CELLVEC_SWIFT"] == "shared"
  ? []
  : [
    .unsafeFlags(
      ["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections", "-use-ld=lld"]
        + ["-Xclang-linker", "-static-libgcc", "-Xlinker", "--no-export-dynamic"] + archives,
      .when(configuration: .release))
  ]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "cellvec",
  products: [.executable(name: "cellvec", targets: ["cellvec"])],
  dependencies: [
    // Exactly this one: a property that it does not promise to keep makes starts faster (`CommandConfiguration.verb`), and
    // tools/check-start counts its instructions.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
  ],
  targets: [
    .systemLibrary(name: "Clmdb", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(name: "Cpng", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "Ctiff", providers: [.apt(["libtiff-dev"])]),
    .systemLibrary(name: "Croaring", providers: [.apt(["libroaring-dev"])]),
    .systemLibrary(name: "Cxxhash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),

    .target(name: "Kernels", cSettings: cSettings, linkerSettings: [.linkedLibrary("m")]),
    .target(
      name: "BundledBackbone", exclude: ["cellvec-small-1.md", "cellvec-small-1.safetensors"]),
    .target(name: "ImageCodecs", dependencies: ["Cpng", "Ctiff"], cSettings: cSettings),
    .target(name: "Crsvg", cSettings: cSettings),

    library("Faults", []),
    library("Identity", ["Cxxhash"]),
    library("Randomness", []),
    library("Formats", ["Faults"]),
    library("Imaging", ["Faults", "Identity", "Formats", "Kernels", "ImageCodecs"]),
    library("Storage", ["Faults", "Formats", "Identity", "Kernels", "Clmdb", "Croaring"]),
    library("Filter", ["Faults", "Formats", "Storage"]),
    library("Backbone", ["Faults", "Identity", "Formats", "Randomness", "Kernels", "BundledBackbone"]),
    library("Query", ["Faults", "Storage", "Filter", "Kernels"]),
    library("Training", ["Faults", "Identity", "Formats", "Randomness", "Storage", "Query", "Kernels"]),
    library("Ingest", ["Faults", "Identity", "Formats", "Imaging", "Backbone", "Storage"]),
    library("Simulation", ["Faults", "Formats", "Randomness", "Imaging"]),
    library("Plots", []),
    library(
      "Reports",
      ["Faults", "Formats", "Randomness", "Imaging", "Storage", "Ingest", "Training", "Plots", "Crsvg"]),
    .executableTarget(
      name: "cellvec",
      dependencies: [
        "Faults", "Identity", "Formats", "Imaging", "Storage", "Filter", "Backbone", "Query",
        "Training", "Ingest", "Simulation", "Kernels", "Randomness", "Reports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings, linkerSettings: programLinkerSettings),

    .target(
      name: "TestSupport", dependencies: ["Faults", "Formats", "Randomness"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "TestSupport", "Randomness"],
      swiftSettings: swiftSettings),
    tests("Formats", ["Faults"]),
    tests("Imaging", ["Faults", "Identity"]),
    tests("Storage", ["Faults", "Identity", "Randomness", "Kernels", "Clmdb"]),
    tests("Filter", ["Faults", "Storage", "Randomness"]),
    tests("Backbone", ["Faults", "Formats", "Randomness"]),
    tests("Query", ["Faults", "Storage", "Filter", "Randomness", "Kernels"]),
    tests("Training", ["Faults", "Identity", "Formats", "Randomness", "Storage", "Query"]),
    tests("Ingest", ["Faults", "Identity", "Imaging", "Backbone", "Storage", "Formats"]),
    tests("Simulation", ["Faults", "Imaging", "Formats"]),
    tests("Plots"),
    tests("Reports", ["Faults", "Randomness", "Storage", "Training", "Plots"]),
    tests("cellvec", ["Faults", "Formats"]),
  ],
  swiftLanguageModes: [.v6]
)
