import Faults
import Glibc
import TestSupport
import Testing

@testable import Formats

@Suite struct KeptImagesTests {
  private func withFolders(_ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { folder in
      for name in ["plate", "plate/sub", "plates", "gone", "copy", "copy/plate", "db"] {
        #expect(mkdir("\(folder)/\(name)", 0o755) == 0)
      }
      for name in ["plate/a.png", "copy/plate/a.png", "plates/a.png", "plates/plate_a.png"] {
        try AtomicFile(path: "\(folder)/\(name)").commit()
      }
      #expect(symlink("plate", "\(folder)/way") == 0)
      #expect(symlink("plate/a.png", "\(folder)/link.png") == 0)
      try body(folder)
    }
  }

  private func expectRefusal(_ remedy: String, _ body: () throws -> Void) {
    let fault = #expect(throws: Fault.self) { try body() }
    #expect(fault?.kind == .usage && fault?.remedy == remedy)
  }

  @Test func imagesAreKeptUnderWhateverName() throws {
    try withFolders { folder in
      let images = KeptImages(
        ["gone/b.png", "plate/a.png", "plate/c.png"].map { "\(folder)/\($0)" }, home: folder)
      for output in ["plate/a.png", "plate/./a.png", "way/a.png", "link.png"] {
        expectRefusal("give another name") {
          try images.requireKept(by: ["\(folder)/none", "\(folder)/\(output)"])
        }
      }
      // A link among the images leads to what is kept.
      expectRefusal("give another name") {
        try KeptImages(["\(folder)/link.png"], home: folder).requireKept(by: ["\(folder)/plate/a.png"])
      }
      try images.requireKept(
        by: ["plate/x", "gone/b.png", "plate/c.png", "copy/plate/a.png"].map { "\(folder)/\($0)" })
    }
  }

  @Test func aRelativePathIsTakenForAllThatEndInIt() throws {
    try withFolders { folder in
      for path in ["plate/a.png", "./plate//a.png", "../plate/a.png", "x/../plate/./a.png"] {
        let images = KeptImages([path], home: "\(folder)/none")
        for output in ["plate/a.png", "plate/../plate/a.png", "copy/plate/a.png", "way/../plate/./a.png"] {
          expectRefusal("give another name") { try images.requireKept(by: ["\(folder)/\(output)"]) }
        }
        try images.requireKept(
          by: ["plate/x", "plates/a.png", "plates/plate_a.png"].map { "\(folder)/\($0)" })
        for output in ["plate/x", "plate/sub/x", "way/new/x", "copy/plate/x"] {
          expectRefusal("give a place outside it") {
            try images.requireFoldersKept(by: ["\(folder)/\(output)"])
          }
        }
        try images.requireFoldersKept(by: ["x", "plates/x", "gone/x", "copy/x"].map { "\(folder)/\($0)" })
      }
      // The name alone tells nothing of the folder, but that the image lies in it.
      expectRefusal("give a place outside it") {
        try KeptImages(["./a.png"], home: "\(folder)/none").requireFoldersKept(by: ["\(folder)/plates/x"])
      }
      try KeptImages(["./a.png"], home: "\(folder)/none").requireFoldersKept(by: ["\(folder)/x"])
    }
  }

  @Test func aRelativePathIsFoundFromTheFolderOfItsDatabase() throws {
    try withFolders { folder in
      let images = KeptImages(["way/gone.png", "way/a.png"], home: "\(folder)/db/..")
      expectRefusal("give another name") { try images.requireKept(by: ["\(folder)/plate/a.png"]) }
      try images.requireKept(by: ["\(folder)/copy/plate/a.png"])
      expectRefusal("give a place outside it") {
        try images.requireFoldersKept(by: ["\(folder)/plate/sub/x"])
      }
      try images.requireFoldersKept(by: ["\(folder)/copy/plate/x", "\(folder)/db/x"])
    }
  }

  @Test func foldersOfImagesAreKeptWhereOneIsThere() throws {
    try withFolders { folder in
      let images = KeptImages(
        ["gone/b.png", "plate/c.png", "plate/a.png"].map { "\(folder)/\($0)" }, home: folder)
      for output in ["plate/x", "plate/sub/x", "way/new/x"] {
        expectRefusal("give a place outside it") {
          try images.requireFoldersKept(by: ["\(folder)/\(output)"])
        }
      }
      try images.requireFoldersKept(
        by: ["gone/x", "plates/x", "x", "copy/plate/x"].map { "\(folder)/\($0)" })
    }
  }

  @Test func aFolderIsKeptForWhatItHas() throws {
    try withFolders { folder in
      let mask = "a mask of an image that is in the database"
      for (images, kind) in [
        (KeptImages(["\(folder)/plate/a.png"], home: folder), "an image that is in the database"),
        (KeptImages(["\(folder)/plate/a.png"], kind: mask, home: folder), mask),
      ] {
        let fault = #expect(throws: Fault.self) {
          try images.requireFoldersKept(by: ["\(folder)/plate/x"])
        }
        #expect(fault?.problem.hasSuffix("/plate, which has \(kind)") == true)
      }
    }
  }
}
