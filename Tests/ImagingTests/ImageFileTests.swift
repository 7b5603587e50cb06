import Faults
import Glibc
import Identity
import Imaging
import TestSupport
import Testing

@Suite struct ImageFileTests {
  @Test func thereAreFixturesOfEveryKind() {
    #expect(expectedPlanes.count > 90)
  }

  @Test(arguments: expectedPlanes.keys.sorted())
  func everyKindDecodesToTheValuesThatWereStored(file: String) throws {
    let planes = try ImageFile.planes(at: imagePath(file))
    #expect(planes.map(ExpectedPlane.init) == expectedPlanes[file])
  }

  @Test(arguments: [
    "rgb16-interlaced.png", "uint16-separate-tiles.tif", "float32-rgb-strips.tif", "pages-big.tif",
  ])
  func aSinglePlaneIsThatOfAllPlanes(file: String) throws {
    let planes = try ImageFile.planes(at: imagePath(file))
    for (index, plane) in planes.enumerated() {
      #expect(try ImageFile.plane(index, at: imagePath(file)) == plane)
    }
  }

  @Test func whatMayBeAnImageIsToldByTheFirstBytes() throws {
    for file in ["gray8.png", "pages.tif", "pages-big.tif"] { #expect(ImageFile.mayBeImage(imagePath(file))) }
    try withTemporaryDirectory { folder in
      let path = "\(folder)/a.png"
      #expect(!ImageFile.mayBeImage(path) && !ImageFile.mayBeImage(folder))
      for bytes in [[], [0x89, 0x50], Array("\u{93}NUMPY".utf8), Array("a,b\n".utf8)] as [[UInt8]] {
        try write(bytes, to: path)
        #expect(!ImageFile.mayBeImage(path))
      }
      // Nobody writes to it: whoever opened it would wait.
      #expect(mkfifo("\(folder)/pipe", 0o644) == 0 && !ImageFile.mayBeImage("\(folder)/pipe"))
    }
  }

  @Test func aPlaneThatIsNotThereIsAFaultThatSaysHowManyThereAre() throws {
    let fault = try #require(throws: Fault.self) { try ImageFile.plane(3, at: imagePath("pages.tif")) }
    #expect(fault.kind == .badData)
    #expect(fault.description.contains("expected a plane #3, found 3 planes"))
    #expect(throws: Fault.self) { try ImageFile.plane(-1, at: imagePath("pages.tif")) }
    #expect(throws: Fault.self) { try ImageFile.plane(1, at: imagePath("gray8.png")) }
  }

  @Test func severalPlanesWithoutAChoiceAreAFaultThatListsThem() throws {
    let pages = try #require(throws: Fault.self) { try ImageFile.onlyPlane(at: imagePath("pages.tif")) }
    #expect(pages.description.contains("found 3: #0 34x21 uint16, #1 34x21 uint16, #2 34x21 uint16"))
    #expect(throws: Fault.self) { try ImageFile.onlyPlane(at: imagePath("gray-alpha8.png")) }
    #expect(throws: Fault.self) { try ImageFile.onlyPlane(at: imagePath("rgb8.png")) }
  }

  @Test func grayThatWasSavedInColourIsOnePlane() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/a.png"
      let gray: [UInt8] = [7, 8, 9, 10]
      try writePNG(path, width: 2, height: 2, channels: 3, pixels: gray.flatMap { [$0, $0, $0] })
      #expect(try ImageFile.onlyPlane(at: path).index == 0)
      try writePNG(path, width: 2, height: 2, channels: 3, pixels: gray.flatMap { [0, $0, 0] })
      let (plane, index) = try ImageFile.onlyPlane(at: path)
      #expect(index == 1)
      #expect(plane.pixels == [7, 8, 9, 10])
      try writePNG(path, width: 2, height: 2, channels: 3, pixels: [UInt8](repeating: 5, count: 12))
      #expect(try ImageFile.onlyPlane(at: path).index == 0)
    }
  }

  @Test(arguments: [
    ("jpeg.tif", "found a JPEG image"), ("gif.png", "found a GIF image"), ("text.tif", "found text"),
    ("empty.png", "0 bytes"), ("jpeg-inside.tif", "JPEG compression"),
    ("float64.tif", "64-bit floating-point"), ("bits.tif", "1-bit integer"),
    ("inexact.tif", "16777217 does not fit"), ("nan.tif", "2 NaN or infinite, the first at x 9, y 2"),
    ("huge.png", "60000x60000"), ("no-width.png", "0x5"), ("huge.tif", "40000x40000"),
    ("imagej-stack.tif", "a stack of 5 images with a directory for the first one alone"),
    ("truncated-stack.tif", "a stack of 5 images with a directory for the first one alone"),
  ])
  func aFileThatCannotBeReadIsAFaultThatNamesItAndSaysWhy(file: String, reason: String) throws {
    let path = imagePath("refused/\(file)")
    let fault = try #require(throws: Fault.self) { try ImageFile.planes(at: path) }
    #expect(fault.kind == .badData)
    #expect(fault.subject == path)
    #expect(fault.description.contains(reason))
    #expect(!fault.remedy.isEmpty)
  }

  @Test func missingFilesAndFoldersAreFaults() throws {
    let missing = try #require(throws: Fault.self) { try ImageFile.planes(at: imagePath("none.png")) }
    #expect(missing.kind == .missingInput)
    let folder = try #require(throws: Fault.self) { try ImageFile.planes(at: imagePath("refused")) }
    #expect(folder.description.contains("found a folder"))
    #expect(throws: Fault.self) { try ImageFile.planes(at: "/dev/null") }
  }

  @Test(arguments: [
    "gray16.png", "rgb8-interlaced.png", "uint8-little-lzw-strips.tif", "uint16-big-deflate-tiles.tif",
    "float32-separate-strips.tif", "uint8-big-packbits-strips.tif", "pages-big.tif",
  ])
  func aFileCutShortAnywhereIsAFault(file: String) throws {
    let whole = try #require(bytes(ofFile: imagePath(file)))
    try withTemporaryDirectory { folder in
      let path = "\(folder)/cut"
      for length in stride(from: 0, to: whole.count - 1, by: max(1, whole.count / 97)) {
        try write(whole.prefix(length), to: path)
        let fault = #expect(throws: Fault.self, "cut to \(length) of \(whole.count) bytes") {
          try ImageFile.planes(at: path)
        }
        #expect(fault?.subject.hasPrefix(path) == true)
      }
    }
  }

  @Test(arguments: [
    "gray2-interlaced.png", "rgba16.png", "uint8-little-lzw-tiles.tif", "uint16-big-deflate-strips.tif",
    "float32-predictor.tif", "sub-images.tif", "pages-big.tif",
  ])
  func damagedBytesNeverCrash(file: String) throws {
    let whole = try #require(bytes(ofFile: imagePath(file)))
    var numbers = TestNumbers(seed: 3)
    try withTemporaryDirectory { folder in
      let path = "\(folder)/damaged"
      for _ in 0..<150 {
        var damaged = whole
        for _ in 0...numbers.next(below: 4) {
          damaged[numbers.next(below: whole.count)] = UInt8(numbers.next(below: 256))
        }
        try write(damaged, to: path)
        do {
          _ = try ImageFile.planes(at: path)
        } catch {
          #expect(error is Fault)
        }
      }
    }
  }
}

@Suite struct PNGWritingTests {
  @Test func whatIsWrittenIsReadBack() throws {
    try withTemporaryDirectory { folder in
      let gray = (0..<35).map { UInt8($0 * 7) }
      try writePNG("\(folder)/a.png", width: 7, height: 5, pixels: gray)
      #expect(
        try ImageFile.planes(at: "\(folder)/a.png") == [
          Plane(width: 7, height: 5, sampleType: .uint8, pixels: gray.map(Float.init))
        ])
      let deep = (0..<35).map { UInt16($0 * 1871) }
      try writePNG16("\(folder)/a.png", width: 7, height: 5, pixels: deep)
      #expect(
        try ImageFile.planes(at: "\(folder)/a.png") == [
          Plane(width: 7, height: 5, sampleType: .uint16, pixels: deep.map(Float.init))
        ])
      try writePNG("\(folder)/a.png", width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
      #expect(try ImageFile.planes(at: "\(folder)/a.png").map(\.pixels) == [[1], [2], [3]])
    }
  }

  @Test func aFailedWriteLeavesTheOldFileAndNoOther() throws {
    try withTemporaryDirectory { folder in
      let fault = try #require(throws: Fault.self) {
        try writePNG("\(folder)/none/a.png", width: 1, height: 1, pixels: [1])
      }
      #expect(fault.kind == .cannotCreate)
      #expect(fault.subject == "\(folder)/none/a.png")
    }
  }
}
